"""Style transfer by optimization: closed forms, limits, scales, kinds of input, errors."""

import colorsys
import sys

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

from stylegan_transfer import losses
from stylegan_transfer.networks.features import VGG19Features
from stylegan_transfer.pictures.inputs import resize_image
from stylegan_transfer.stylizing.minimizers import LEARNING_RATE
from stylegan_transfer.stylizing.optimize import optimize

LAYERS = {"content_layers": ("relu2_1",), "style_layers": ("relu1_1", "relu2_1")}
CONTENT_ONLY = {"style_weight": 0.0, "moments_weight": 0.0}
STYLE_ONLY = {"content_weight": 0.0, "initial": "noise"}
OPTIMIZERS = ("adam", "lbfgs")


def toy_features(images):
    """Two small convolutions: quick to trace, and any feature network will do."""
    rng = np.random.default_rng(0)
    kernels = [
        rng.normal(0, 0.4, shape).astype("float32") for shape in ((3, 3, 3, 8), (3, 3, 8, 8))
    ]
    first = ops.relu(ops.conv(images, kernels[0], padding="same"))
    second = ops.relu(ops.conv(ops.average_pool(first, 2), kernels[1], padding="same"))
    return {"relu1_1": first, "relu2_1": second}


def pixels_as_features(images):
    return {"pixels": images}


def paint(content, style, **overrides):
    defaults = {"features": toy_features, "num_scales": 1, "num_steps": 10, **LAYERS}
    return optimize(content, style, **{**defaults, **overrides})


def flat(*color, size=(16, 20)):
    return np.broadcast_to(np.float32(color), (*size, 3))


def numpy_gram_distance(image, style, features):
    """The relative squared distance of Gram matrices, mean over layers."""
    distances = []
    for y, s in zip(features(image[None]).values(), features(style[None]).values(), strict=True):
        y, s = (np.asarray(maps, "float64")[0].reshape(-1, maps.shape[-1]) for maps in (y, s))
        y, s = y.T @ y / len(y), s.T @ s / len(s)
        distances.append(np.sum((y - s) ** 2) / np.sum(s**2))
    return np.mean(distances)


@pytest.fixture
def pictures():
    """A content and two styles, smooth, with different colours and contrasts."""
    rng = np.random.default_rng(0)
    coarse = rng.uniform(0.25, 0.75, (3, 6, 7, 3)).astype("float32")
    coarse *= np.float32([[[[1.0, 1.0, 0.9]]], [[[1.2, 0.6, 0.2]]], [[[0.3, 0.8, 1.2]]]])
    sizes = (32, 44), (48, 36), (32, 64)
    return [resize_image(image, size=size) for image, size in zip(coarse, sizes, strict=True)]


# Limits and closed forms.


def test_strength_0_is_the_content_itself(pictures):
    content, style, _ = pictures
    np.testing.assert_array_equal(paint(content, style, strength=0), content)
    resized = paint(content, style, strength=0, image_size=32, initial="noise")
    np.testing.assert_array_equal(resized, resize_image(content, short_side=32))


def test_style_grows_with_strength_from_the_content_to_the_full_style(pictures):
    content, style, _ = pictures
    strengths = (1e-4, 0.25, 0.5, 0.75, 1)
    results = [
        paint(content, style, strength=strength, optimizer="lbfgs") for strength in strengths
    ]
    from_content = [np.abs(result - content).mean() for result in results]
    from_style = [numpy_gram_distance(result, style, toy_features) for result in results]
    assert from_content[0] < 0.01
    assert np.all(np.diff(from_content) > 0)
    assert np.all(np.diff(from_style) < 0)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_mean_color_is_the_weighted_mean_of_the_styles_and_the_content(optimizer):
    content, red, blue = flat(0.4, 0.4, 0.4), flat(0.8, 0.2, 0.2), flat(0.1, 0.2, 0.9)
    result = optimize(
        content,
        [red, blue],
        pixels_as_features,
        style_weights=(1, 3),
        strength=0.8,
        content_layers=("pixels",),
        style_layers=("pixels",),
        style_weight=0.0,
        num_steps=200,
        optimizer=optimizer,
    )
    expected = 0.2 * content + 0.8 * (0.25 * red + 0.75 * blue)
    np.testing.assert_allclose(result, expected, atol=2e-3)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_content_stays_where_only_content_counts(pictures, optimizer):
    content, style, _ = pictures
    result = paint(content, style, optimizer=optimizer, **CONTENT_ONLY)
    np.testing.assert_allclose(result, content, atol=1e-3)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_content_returns_from_noise_where_only_content_counts(pictures, optimizer):
    content, style, _ = pictures
    seen = []
    paint(
        content,
        style,
        optimizer=optimizer,
        initial="noise",
        num_steps=100,
        on_step=lambda step, total, terms, image: seen.append(terms["content_loss"]),
        **CONTENT_ONLY,
    )
    assert seen[0] > 0.5  # unrelated maps are at about 2
    assert seen[-1] < 0.2 * seen[0]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_noise_takes_on_the_style_where_only_style_counts(pictures, optimizer):
    content, style, _ = pictures
    keras.utils.set_random_seed(0)
    features = VGG19Features("random", ("relu1_1", "relu2_1"))
    result = paint(
        content, style, features=features, optimizer=optimizer, num_steps=100, **STYLE_ONLY
    )
    assert numpy_gram_distance(content, style, features) > 0.5
    assert numpy_gram_distance(result, style, features) < 0.02


def test_total_variation_weight_smooths(pictures):
    content, style, _ = pictures
    rough, smooth = (
        paint(content, style, num_steps=40, total_variation_weight=weight) for weight in (0, 3)
    )
    assert np.abs(np.diff(smooth, axis=1)).mean() < 0.7 * np.abs(np.diff(rough, axis=1)).mean()


def test_smoothing_fades_with_the_strength(pictures):
    seen = []
    paint(
        *pictures[:2],
        strength=0.25,
        content_weight=0.0,
        total_variation_weight=2.0,
        on_step=lambda step, total, terms, image: seen.append((total, terms)),
        **CONTENT_ONLY,
    )
    for total, terms in seen:
        assert total == pytest.approx(0.25 * 2.0 * terms["total_variation_loss"])


def test_relative_distance_of_gram_matrices_is_the_style_loss(pictures):
    maps = [toy_features(image[None]) for image in pictures[:2]]
    grams = [{name: losses.gram_matrix(m) for name, m in part.items()} for part in maps]
    expected = numpy_gram_distance(*pictures[:2], toy_features)
    np.testing.assert_allclose(losses.relative_distance(*grams), expected, rtol=1e-4)
    np.testing.assert_allclose(losses.style_loss(*maps), expected, rtol=1e-4)


# Several styles.


def test_two_identical_styles_are_one(pictures):
    content, style, _ = pictures
    one, two = (paint(content, styles, num_steps=4) for styles in (style, [style, style]))
    np.testing.assert_allclose(two, one, atol=1e-4)


def test_style_weights_are_relative_and_0_leaves_a_style_out(pictures):
    content, first, second = pictures
    mixed, scaled, left_out = (
        paint(content, (first, second), style_weights=weights, num_steps=4)
        for weights in ((1, 3), (0.5, 1.5), (0, 2))
    )
    alone = paint(content, second, num_steps=4)
    np.testing.assert_allclose(scaled, mixed, atol=1e-4)
    np.testing.assert_allclose(left_out, alone, atol=1e-4)
    assert np.abs(mixed - alone).mean() > 0.01


# Colours.


def test_original_colors_are_the_contents_with_the_luminance_of_the_result(pictures):
    content, style, _ = pictures
    seen = []
    actual = paint(
        content, style, original_colors=True, on_step=lambda *arguments: seen.append(arguments[-1])
    )
    plain = paint(content, style)

    def yiq(image):
        return np.array([colorsys.rgb_to_yiq(*pixel) for pixel in image.reshape(-1, 3)])

    inside = ((actual > 0) & (actual < 1)).all(axis=-1).ravel()  # elsewhere nothing fits the cube
    assert inside.mean() > 0.8
    np.testing.assert_allclose(yiq(actual)[inside, 1:], yiq(content)[inside, 1:], atol=5e-3)
    np.testing.assert_allclose(yiq(actual)[:, 0], yiq(plain)[:, 0], atol=5e-3)
    assert np.abs(yiq(plain)[:, 1:] - yiq(content)[:, 1:]).mean() > 0.02
    np.testing.assert_array_equal(seen[-1], actual)


# Steps and scales.


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_steps_are_reported_with_their_losses_and_pictures(pictures, optimizer):
    content, style, _ = pictures
    weights = {"content_weight": 2.0, "style_weight": 3.0, "moments_weight": 5.0}
    seen = []
    result = paint(
        content,
        style,
        optimizer=optimizer,
        on_step=lambda *arguments: seen.append(arguments),
        total_variation_weight=0.5,
        **weights,
    )
    assert [step for step, *_ in seen] == list(range(1, 11))
    totals = [total for _, total, *_ in seen]
    assert totals[-1] < 0.5 * totals[0]
    np.testing.assert_array_equal(seen[int(np.argmin(totals))][-1], result)
    style_maps = toy_features(resize_image(style, short_side=32)[None])  # the content's
    content_maps = toy_features(content[None])
    for _, total, terms, image in seen[::3]:
        assert image.dtype == np.float32
        assert image.min() >= 0.0 and image.max() <= 1.0
        maps = toy_features(image[None])
        deeper = {"relu2_1": maps["relu2_1"]}, {"relu2_1": content_maps["relu2_1"]}
        expected = {
            "content_loss": losses.content_loss(*deeper),
            "style_loss": losses.style_loss(maps, style_maps),
            "moments_loss": losses.moments_loss(maps, style_maps),
            "total_variation_loss": losses.total_variation_loss(image[None]),
        }
        assert terms == pytest.approx({name: float(v) for name, v in expected.items()}, rel=1e-3)
        assert total == pytest.approx(sum(np.multiply([2, 3, 5, 0.5], [*terms.values()])), rel=1e-3)


def wrong_way_features(images):
    """Features whose losses Adam's first steps, of 0.05 a pixel, raise far above the start."""
    return {"relu1_1": 1000.0 * images, "relu2_1": ops.sin(300.0 * images)}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("num_scales", [1, 2])
def test_the_picture_of_the_lowest_loss_of_the_last_scale_is_returned(
    pictures, optimizer, num_scales
):
    content, style, _ = pictures
    seen = []
    result = paint(
        content,
        style,
        features=wrong_way_features,
        optimizer=optimizer,
        image_size=64,
        num_scales=num_scales,
        num_steps=12,
        on_step=lambda step, total, terms, image: seen.append((total, image)),
    )
    last_scale = [(total, image) for total, image in seen if len(image) == 64]
    totals = [total for total, _ in last_scale]
    content_maps, style_maps, maps = (
        wrong_way_features(image[None])
        for image in (
            resize_image(content, short_side=64),
            resize_image(style, short_side=64),
            result,
        )
    )
    deeper = [{"relu2_1": m["relu2_1"]} for m in (maps, content_maps)]
    loss = losses.content_loss(*deeper)
    loss += 3.5 * losses.style_loss(maps, style_maps) + 3.5 * losses.moments_loss(maps, style_maps)
    assert float(loss) <= min(totals) * (1 + 1e-4)
    if optimizer == "adam":
        assert totals[-1] > 1.05 * float(loss)  # the last step is not the best


def test_scales_go_from_coarse_to_fine_with_an_even_share_of_the_steps(pictures):
    _, style, _ = pictures
    content = np.random.default_rng(0).random((70, 91, 3), "float32")
    seen = []
    result = paint(
        content,
        style,
        image_size=131,
        num_scales=5,
        num_steps=11,
        on_step=lambda step, total, terms, image: seen.append(image),
    )
    shapes = [image.shape for image in seen]
    sizes = [(33, 42, 3), (66, 85, 3), (131, 170, 3)]  # the next would be under 32
    assert shapes == 3 * sizes[:1] + 4 * sizes[1:2] + 4 * sizes[2:]
    assert result.shape == sizes[2]
    for before, after in ((seen[2], seen[3]), (seen[6], seen[7])):
        enlarged = resize_image(before, size=after.shape[:2])
        assert np.abs(after - enlarged).max() <= LEARNING_RATE + 1e-4  # one step


def test_fewer_steps_than_scales_leave_coarse_scales_out(pictures):
    sizes = []
    style = pictures[1]
    paint(
        flat(0.5, 0.2, 0.1, size=(128, 128)),
        style,
        num_scales=3,
        num_steps=2,
        on_step=lambda step, total, terms, image: sizes.append(len(image)),
    )
    assert sizes == [64, 128]


def test_styles_are_looked_at_with_the_short_side_of_the_result(pictures):
    content, style, _ = pictures
    sizes = []

    def features(images):
        sizes.append(tuple(images.shape[1:3]))
        return toy_features(images)

    paint(content, style, features=features, image_size=64, num_scales=2, num_steps=2)
    assert set(sizes) == {(32, 44), (43, 32), (64, 88), (85, 64)}


def test_noise_is_the_same_for_one_seed_and_another_for_another(pictures):
    content, style, _ = pictures
    first, again, other = (
        paint(content, style, initial="noise", seed=seed, num_steps=3) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.05
    assert np.abs(first - content).mean() > 0.05


def test_noise_has_its_full_contrast_at_the_coarsest_scale(pictures):
    seen = []
    paint(
        *pictures[:2],
        image_size=64,
        num_scales=2,
        num_steps=2,
        initial="noise",
        on_step=lambda step, total, terms, image: seen.append(image),
    )
    assert len(seen[0]) == 32
    assert seen[0].std() > 0.25  # uniform noise has 0.29, smoothed noise about half of it


# Kinds of input, and errors.


def test_path_image_and_arrays_give_the_same_picture(save_picture):
    paths = save_picture("content.png", seed=1), save_picture("style.png", (64, 50), seed=2)
    images = [Image.open(path).convert("RGB") for path in paths]
    expected = paint(*(np.asarray(image, "float32") / 255 for image in images), num_steps=2)
    assert expected.shape == (48, 40, 3)
    for pair in (paths, [str(path) for path in paths], images, [*map(np.asarray, images)]):
        np.testing.assert_allclose(paint(*pair, num_steps=2), expected, atol=1e-5)
    for image in images:
        image.close()


def test_distilled_features_are_the_default(pictures):
    seen = []
    result = optimize(
        *pictures[:2], num_steps=3, on_step=lambda step, total, *_: seen.append(total)
    )
    assert result.shape == pictures[0].shape
    assert seen[-1] < seen[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"strength": -0.1}, r"\[0, 1\].*strength=-0\.1"),
        ({"strength": float("nan")}, "strength=nan"),
        ({"optimizer": "sgd"}, "adam.*lbfgs.*optimizer='sgd'"),
        ({"initial": "style"}, "content.*noise.*initial='style'"),
        ({"num_steps": 0}, "num_steps=0"),
        ({"num_scales": 0}, "num_scales=0"),
        ({"image_size": 31}, "32.*image_size=31"),
        ({"style_weights": (1, 2)}, r"each of 1 styles.*style_weights=\(1, 2\)"),
        ({"style_weights": (-1,)}, r"style_weights=\(-1,\)"),
        ({"style_weights": (0,)}, r"not all 0.*style_weights=\(0,\)"),
        ({"style": []}, r"style: an image .*style=\[\]"),
        ({"content_weight": -1.0}, "a weight.*content_weight=-1.0"),
        ({"total_variation_weight": float("inf")}, "total_variation_weight=inf"),
        ({"style_weight": "1"}, "style_weight='1'"),
        ({"moments_weight": 1e300}, r"moments_weight=1e\+300"),
        ({"strength": "1"}, "strength='1'"),
        ({"num_steps": 1.5}, "num_steps=1.5"),
        ({"num_scales": "1"}, "num_scales='1'"),
        ({"image_size": 64.5}, "image_size=64.5"),
        ({"seed": "x"}, "seed='x'"),
        ({"optimizer": []}, r"optimizer=\[\]"),
        ({"on_step": 3}, "on_step=3"),
        ({"content_layers": ()}, r"content_layers=\(\)"),
        ({"style_layers": "relu1_1"}, "style_layers='relu1_1'"),
        ({"content_layers": ("relu3_1",)}, r"relu3_1.*features=\['relu1_1', 'relu2_1'\]"),
        ({"style_layers": ("relu4_1",)}, "relu4_1"),
    ],
)
def test_wrong_arguments_are_named(pictures, arguments, words):
    with pytest.raises(ValueError, match=f"Expected.*{words}"):
        paint(**{"content": pictures[0], "style": pictures[1], **arguments})


def test_missing_file_is_named(pictures):
    with pytest.raises(FileNotFoundError, match=r"no_such\.png"):
        paint("no_such.png", pictures[1])
    with pytest.raises(FileNotFoundError, match=r"no_such\.png"):
        paint(pictures[0], [pictures[1], "no_such.png"])


def test_scipy_is_asked_for_by_lbfgs_alone(pictures, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ImportError, match=r"stylegan_transfer\[optimize\].*optimizer=\"lbfgs\""):
        paint(*pictures[:2], optimizer="lbfgs")
    paint(*pictures[:2], optimizer="adam", num_steps=1)
