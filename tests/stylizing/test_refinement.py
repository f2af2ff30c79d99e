"""Refinement: its losses are the training's, tiles are as good as the whole, controls hold."""

import keras
import numpy as np
import pytest
import scipy.ndimage

from stylegan_transfer import losses
from stylegan_transfer.networks.features import VGG19Features
from stylegan_transfer.pictures.colors import match_colors
from stylegan_transfer.pictures.inputs import resize_image
from stylegan_transfer.samples import draw_content, draw_style
from stylegan_transfer.stylizing import qualities
from stylegan_transfer.stylizing.canvas import Canvas
from stylegan_transfer.stylizing.feature_sums import feature_sums, total_loss
from stylegan_transfer.stylizing.qualities import Refinement
from stylegan_transfer.stylizing.refinement import (
    COLOR_BLUR,
    blur_colors,
    make_refiner,
    measure_style,
)
from stylegan_transfer.stylizing.stylize import load_refiner

QUICK = Refinement(num_steps=4)
WEIGHTS = {"style": 0.0, "moments": 0.0, "content": 0.0, "total_variation": 0.0}


@pytest.fixture(scope="module")
def content():
    return draw_content("harbour", 96)[:83]


@pytest.fixture(scope="module")
def painted(content):
    noise = np.random.default_rng(0).normal(0, 0.1, content.shape)
    return np.clip(content + noise, 0, 1).astype("float32")


@pytest.fixture(scope="module")
def style():
    return draw_style("swirls", 96)


@pytest.fixture(scope="module")
def refiner(style):
    return make_refiner(style, QUICK, style_size=72)


def at_both_sizes(image):
    """The maps of the picture, and of the picture at half the size."""
    features = VGG19Features(
        layers=("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"), name="again"
    )
    half = keras.ops.average_pool(image[None], 2, padding="same")
    whole, half = features(image[None]), features(half)
    maps = {f"1/{layer}": values for layer, values in whole.items()}
    return maps | {f"2/{layer}": values for layer, values in half.items()}


def test_losses_of_sums_are_the_trainings_losses(content, painted, style):
    maps, style_maps, content_maps = map(at_both_sizes, (painted, style, content))
    layers = ("1/relu3_1", "1/relu4_1", "2/relu3_1", "2/relu4_1")

    def mean_of_layers(loss):
        """Weighted: relu3_1 three times, relu4_1 twice."""
        weights = {"relu3_1": 3.0, "relu4_1": 2.0}
        values = {n: weights.get(n[2:], 1.0) * loss({n: maps[n]}, {n: style_maps[n]}) for n in maps}
        return sum(values.values()) / 16.0

    expected = {
        "style": mean_of_layers(losses.style_loss),
        "moments": mean_of_layers(losses.moments_loss),
        "content": losses.content_loss(
            {name: maps[name] for name in layers}, {name: content_maps[name] for name in layers}
        ),
        "total_variation": losses.total_variation_loss(painted[None]),
    }
    canvas = Canvas(content.shape)
    canvas.remember(content)
    sums = canvas.measure(painted)
    for name, value in expected.items():
        loss = total_loss(sums, measure_style(style).statistics, {**WEIGHTS, name: 1.0})
        assert float(loss) == pytest.approx(float(value), rel=1e-4)


def test_the_gradient_of_tiles_is_that_of_the_whole(content, painted, style):
    content, painted = (np.tile(image[:64], (1, 5, 1)) for image in (content, painted))
    masks = np.stack([content[..., 0], 1 - content[..., 0]])
    targets = Canvas(style.shape, np.full((2, 96, 96), 0.5, "float32")).remember(style)
    weights = Refinement(1).weights
    whole, tiles = (Canvas(content.shape, masks, size) for size in (512, 64))
    for canvas in (whole, tiles):
        canvas.remember(content)
    assert len(whole._views) == 1 and len(tiles._views) == 2
    expected = whole.gradient(painted, targets, weights)
    actual = tiles.gradient(painted, targets, weights)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_refined_pictures_are_closer_to_both_content_and_style(content, style, refiner):
    rough = np.random.default_rng(1).random(content.shape, "float32")
    refined = refiner(rough, content)
    maps = [at_both_sizes(image) for image in (rough, refined)]
    style_maps, content_maps = at_both_sizes(style), at_both_sizes(content)
    before, after = (losses.style_loss(m, style_maps) for m in maps)
    assert after < 0.9 * before
    before, after = (losses.content_loss(m, content_maps) for m in maps)
    assert after < before
    assert refined.dtype == "float32" and refined.min() >= 0 and refined.max() <= 1
    np.testing.assert_array_equal(refiner(rough, content), refined)


@pytest.mark.parametrize(("tileable", "mode"), [(False, "mirror"), (True, "wrap")])
def test_colors_are_blurred_and_brightness_is_not(painted, tileable, mode):
    brightness = painted.mean(axis=-1, keepdims=True)
    colors = scipy.ndimage.gaussian_filter(
        painted - brightness, COLOR_BLUR, axes=(0, 1), mode=mode, truncate=3.0
    )
    blurred = blur_colors(painted, tileable)
    np.testing.assert_allclose(blurred, brightness + colors, rtol=0, atol=1e-5)


def test_refinement_adds_strokes_but_no_coloured_speckles(content, style, refiner):
    start = match_colors(content, style)  # so that the palette changes little in the end
    added = refiner(start, content) - start
    fine = np.abs(np.diff(added, axis=1))
    brightness = np.abs(np.diff(added.mean(axis=-1), axis=1))
    speckles = np.abs(np.diff(added - added.mean(axis=-1, keepdims=True), axis=1))
    assert brightness.mean() > 0.5 * fine.mean()
    assert speckles.mean() < 0.35 * brightness.mean()


def test_refined_pictures_of_a_grey_style_are_grey(content, style):
    grey = np.repeat(style[..., :1], 3, axis=-1)
    refined = make_refiner(grey, QUICK, style_size=72)(content, content)
    assert np.ptp(content, axis=-1).mean() > 0.1
    assert np.ptp(refined, axis=-1).mean() < 0.005
    np.testing.assert_allclose(refined.mean(), grey.mean(), atol=0.01)


def test_a_tileable_result_does_not_depend_on_where_the_picture_begins(content, refiner):
    content = content[:64, :64]
    moved = np.roll(content, (32, 32), axis=(0, 1))
    refined = refiner(content, content, tileable=True)
    expected = np.roll(refined, (32, 32), axis=(0, 1))
    np.testing.assert_allclose(refiner(moved, moved, tileable=True), expected, rtol=0, atol=1e-3)


def test_each_region_goes_to_the_statistics_of_its_own_style(content, style):
    other, left = draw_style("woodcut", 96), np.zeros((96, 96), "float32")
    left[:, :48] = 1.0
    whole = draw_content("city", 96)
    refiner = make_refiner([style, other], Refinement(20), is_masked=True, style_size=72)
    refined = refiner(whole, whole, np.stack([left, 1.0 - left]))
    for wanted, unwanted, part in ((style, other, np.s_[:, :32]), (other, style, np.s_[:, 64:])):
        maps, *styles = (at_both_sizes(image) for image in (refined[part], wanted, unwanted))
        near, far = (losses.moments_loss(maps, style_maps) for style_maps in styles)
        assert near < 0.8 * far


def test_the_content_is_the_optimum_of_a_strength_near_0(content, refiner):
    full, slight = refiner(content, content), refiner(content, content, strength=1e-3)
    change = [np.abs(image - resize_image(content, size=(83, 96))) for image in (full, slight)]
    assert change[1].mean() < 0.5 * change[0].mean()


def test_progress_counts_the_steps(content, refiner):
    seen = []
    refiner(content[:64], content[:64], progress=lambda *counts: seen.append(counts))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_graphs_are_traced_for_one_size_and_then_for_all(content, refiner):
    for side in (64, 70, 75, 80):
        refiner(content[:side], content[:side])
    count = feature_sums().descend.experimental_get_tracing_count()
    refiner(content[:77], content[:77])
    assert feature_sums().descend.experimental_get_tracing_count() == count


def test_fast_is_no_refinement_and_other_qualities_are_named(style):
    assert load_refiner("fast", style) is None
    with pytest.raises(ValueError, match=r"one of fast, fine, best.* Received: quality='slow'"):
        load_refiner("slow", style)
    assert [*qualities.QUALITIES] == ["fast", "fine", "best"]
