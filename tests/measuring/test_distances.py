import numpy as np
import pytest
from feature_maps import make_maps
from keras import ops

from stylegan_transfer import losses
from stylegan_transfer.measuring.distances import (
    content_distances,
    gram_distances,
    lpips_like_distance,
    moments_distances,
    moments_vectors,
    style_retrieval,
)

PAIRS = [
    (content_distances, losses.content_loss),
    (gram_distances, losses.style_loss),
    (moments_distances, losses.moments_loss),
]


@pytest.mark.parametrize(("distances", "loss"), PAIRS)
def test_each_distance_is_the_loss_of_that_layer_and_sample_alone(distances, loss):
    stylized, target = make_maps(0, batch=3), make_maps(1, batch=3)
    figures = distances(stylized, target)
    assert figures.keys() == stylized.keys()
    for layer, values in figures.items():
        y, t = stylized[layer], target[layer]
        expected = [loss({layer: y[i : i + 1]}, {layer: t[i : i + 1]}) for i in range(3)]
        np.testing.assert_allclose(values, expected, rtol=1e-5)
        assert np.ptp(values) > 1e-3
    mean = np.mean([values.mean() for values in figures.values()])
    np.testing.assert_allclose(mean, loss(stylized, target), rtol=1e-5)


def test_gram_and_moments_distances_take_a_style_of_another_size():
    stylized, style = make_maps(0), make_maps(1)
    tiled = {layer: np.tile(values, (1, 2, 3, 1)) for layer, values in style.items()}
    for distances in (gram_distances, moments_distances):
        for layer, values in distances(stylized, tiled).items():
            np.testing.assert_allclose(values, distances(stylized, style)[layer], rtol=1e-4)


def test_lpips_like_distance_is_the_squared_distance_of_directions():
    first, second = make_maps(0, batch=3), make_maps(1, batch=3)
    layers = []
    for layer in first:
        f, g = (
            maps[layer] / np.maximum(np.linalg.norm(maps[layer], axis=-1, keepdims=True), 1e-12)
            for maps in (first, second)
        )
        layers.append(((f - g) ** 2).sum(-1).mean((1, 2)))
    actual = lpips_like_distance(first, second)
    assert actual.shape == (3,)
    np.testing.assert_allclose(actual, np.mean(layers, axis=0), rtol=1e-4)


def test_lpips_like_distance_ignores_how_strongly_each_position_responds():
    maps = make_maps(0)
    strength = np.random.default_rng(2).uniform(0.1, 9, (2, 6, 5, 1)).astype("float32")
    first = {"relu1_1": maps["relu1_1"]}
    distance = lpips_like_distance(first, {"relu1_1": strength * maps["relu1_1"]})
    np.testing.assert_allclose(distance, 0, atol=1e-6)


def test_lpips_like_distance_of_channels_that_never_meet_is_two():
    first, second = np.zeros((2, 1, 4, 4, 6), "float32")
    first[..., :3], second[..., 3:] = 5.0, 0.1
    distance = lpips_like_distance({"relu1_1": first}, {"relu1_1": second})
    np.testing.assert_allclose(distance, [2], rtol=1e-6)


@pytest.mark.parametrize("figure", [*(distances for distances, _ in PAIRS), lpips_like_distance])
def test_half_precision_maps_give_the_figures_of_single_precision(figure):
    first, second = make_maps(0), make_maps(1)
    half = [
        {layer: ops.cast(100 * values, "float16") for layer, values in maps.items()}
        for maps in (first, second)
    ]
    actual, expected = figure(*half), figure(first, second)
    if not isinstance(actual, dict):
        actual, expected = {"all": actual}, {"all": expected}
    for layer, values in actual.items():
        np.testing.assert_allclose(values, expected[layer], rtol=0.02)


@pytest.mark.parametrize(
    "figure",
    [
        *(distances for distances, _ in PAIRS),
        lpips_like_distance,
        lambda first, second: style_retrieval(first, second, [0, 1]),
    ],
)
def test_maps_of_other_layers_are_refused(figure):
    with pytest.raises(ValueError, match=r"Expected maps of the same layers.*relu2_1"):
        figure(make_maps(0), {"relu1_1": make_maps(1)["relu1_1"]})
    with pytest.raises(ValueError, match="at least one"):
        figure({}, {})


def moments_of(maps):
    return {layer: losses.channel_moments(values) for layer, values in maps.items()}


def test_moments_vectors_are_the_means_and_deviations_of_all_layers():
    maps = make_maps(0, batch=3)
    expected = [m for v in maps.values() for m in (v.mean((1, 2)), v.std((1, 2)))]
    vectors = moments_vectors(moments_of(maps))
    assert vectors.shape == (3, 2 * (4 + 7))
    np.testing.assert_allclose(vectors, np.concatenate(expected, axis=1), rtol=1e-4)


def test_style_retrieval_finds_the_style_whose_statistics_a_result_has():
    styles = make_maps(0, batch=4)
    order = np.array([2, 0, 3])
    shuffled = {  # other positions, other size, a little noise
        layer: np.tile(values[order][:, ::-1], (1, 2, 1, 1)) * np.float32(1.01)
        for layer, values in styles.items()
    }
    right = style_retrieval(moments_of(shuffled), moments_of(styles), order)
    assert right.tolist() == [True, True, True]
    assert style_retrieval(moments_of(shuffled), moments_of(styles), [2, 1, 3]).tolist() == [
        True,
        False,
        True,
    ]


def test_style_retrieval_goes_by_the_distance_relative_to_the_style():
    result, weak, strong = 2.0, 1.0, 3.5  # |2 - 1| / 1 is more than |2 - 3.5| / 3.5
    styles = {"relu1_1": np.stack([np.full((4, 4, 3), v, "float32") for v in (weak, strong)])}
    results = {"relu1_1": np.full((1, 4, 4, 3), result, "float32")}
    assert style_retrieval(moments_of(results), moments_of(styles), [1]).tolist() == [True]


def test_style_retrieval_looks_at_every_layer():
    styles, other = make_maps(0, batch=2), make_maps(5, batch=2)
    swapped = {"relu1_1": styles["relu1_1"], "relu2_1": styles["relu2_1"][::-1]}
    only = {"relu1_1": swapped["relu1_1"], "relu2_1": other["relu2_1"][[0, 0]]}
    assert style_retrieval(moments_of(only), moments_of(styles), [0, 1]).all()
    for layer in styles:
        pair = ({layer: maps[layer]} for maps in (swapped, styles))
        found = style_retrieval(*map(moments_of, pair), [0, 1])
        assert found.all() == (layer == "relu1_1")
