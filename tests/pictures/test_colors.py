"""Colours: luma, chroma and colour distributions."""

import colorsys

import numpy as np
import pytest

from stylegan_transfer.pictures.colors import (
    RGB_TO_YIQ,
    fill_transparent,
    luminance,
    match_colors,
    transfer_luminance,
)


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    return rng.random((2, 20, 30, 3), dtype=np.float32) * [[[[0.6, 0.8, 0.5]]]] + 0.1


def test_luminance_is_that_of_the_standard_library(pictures):
    expected = [colorsys.rgb_to_yiq(*pixel)[0] for pixel in pictures[0].reshape(-1, 3)]
    # colorsys rounds its weights to two digits
    np.testing.assert_allclose(luminance(pictures[0]).ravel(), expected, atol=5e-3)
    np.testing.assert_allclose(luminance(np.ones((1, 1, 3), np.float32)), 1, atol=1e-6)


def test_transferred_luminance_is_exactly_that_of_the_source_and_hue_that_of_the_image(pictures):
    result = transfer_luminance(*pictures)
    np.testing.assert_allclose(luminance(result), luminance(pictures[1]), atol=1e-6)
    before, after = ((p @ RGB_TO_YIQ)[..., 1:] for p in (pictures[0], result))
    cross = before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0]
    np.testing.assert_allclose(cross, 0, atol=1e-3)  # the same direction in the chroma plane
    assert result.min() >= 0 and result.max() <= 1


def test_chroma_is_kept_where_it_fits():
    image = np.full((2, 2, 3), [0.5, 0.4, 0.45], np.float32)
    result = transfer_luminance(image, np.full((2, 2), 0.5, np.float32))
    expected = image + (0.5 - luminance(image))[..., None]
    np.testing.assert_allclose(result, expected, atol=1e-6)


def test_own_luminance_changes_nothing(pictures):
    np.testing.assert_allclose(transfer_luminance(pictures[0], pictures[0]), pictures[0], atol=1e-6)


@pytest.mark.parametrize("luma", [0.0, 1.0])
def test_black_and_white_have_no_colour(pictures, luma):
    result = transfer_luminance(pictures[0], np.full((20, 30), luma, np.float32))
    np.testing.assert_allclose(result, luma, atol=1e-6)


def test_matched_colours_have_the_targets_mean_and_covariance(pictures):
    image, target = 0.3 + 0.3 * pictures[0], 0.4 + 0.2 * pictures[1] @ np.diag([1, 0.5, 0.8])
    result = match_colors(image, target)
    moments = [
        (p.reshape(-1, 3).mean(axis=0), np.cov(p.reshape(-1, 3).T)) for p in (result, target)
    ]
    np.testing.assert_allclose(moments[0][0], moments[1][0], atol=1e-3)
    np.testing.assert_allclose(moments[0][1], moments[1][1], atol=2e-4)


@pytest.mark.parametrize("hidden", [(0, 0, 0), (1, 0, 1)])
def test_colours_are_matched_to_the_visible_part_alone(pictures, hidden):
    image, target = pictures
    alpha = np.zeros((20, 30), np.float32)
    alpha[3:15, 5:25] = 1
    sprite = np.where(alpha[..., None] > 0, target, np.float32(hidden))
    expected = match_colors(image, target[3:15, 5:25])
    np.testing.assert_allclose(match_colors(image, sprite, alpha), expected, atol=1e-5)


def test_a_half_transparent_pixel_counts_half(pictures):
    image, target = pictures
    alpha = np.ones((20, 30), np.float32)
    alpha[:, 10:] = 0.5  # two thirds: as many as half of the opaque ones seen twice
    doubled = np.concatenate([target, target[:, :10]], axis=1)
    np.testing.assert_allclose(
        match_colors(image, target, alpha), match_colors(image, doubled), atol=1e-5
    )


def test_nothing_is_matched_to_an_invisible_picture(pictures):
    image, target = pictures
    np.testing.assert_array_equal(match_colors(image, target, np.zeros((20, 30))), image)


def test_matching_to_itself_or_of_a_flat_picture_is_harmless(pictures):
    np.testing.assert_allclose(match_colors(pictures[0], pictures[0]), pictures[0], atol=1e-4)
    flat = np.full((4, 4, 3), 0.2, np.float32)
    result = match_colors(flat, pictures[0])
    np.testing.assert_allclose(result[0, 0], pictures[0].mean(axis=(0, 1)), atol=1e-4)
    assert np.isfinite(match_colors(pictures[0], flat)).all()


# Transparent parts.


@pytest.fixture
def sprite():
    """A disc of a red and a green half, with a soft edge."""
    y, x = np.mgrid[:37, :50]
    radius = np.hypot(y - 18, x - 25)
    image = np.where((x < 25)[..., None], [0.8, 0.1, 0.1], [0.1, 0.7, 0.2]).astype("float32")
    return image, np.clip(14 - radius, 0, 1).astype("float32")


def test_filling_keeps_opaque_pixels_and_spreads_their_colours(sprite):
    image, alpha = sprite
    filled = fill_transparent(image, alpha)
    np.testing.assert_array_equal(filled[alpha == 1], image[alpha == 1])
    for column, color in ((0, image[18, 12]), (-1, image[18, 38])):
        assert np.abs(filled[:, column] - color).max() < 0.25
    near = (alpha > 0) & (alpha < 1)
    assert np.abs(filled - image)[near & (np.abs(np.arange(50) - 25) > 6)].max() < 0.06
    assert filled.min() >= 0 and filled.max() <= 1


def test_hidden_colours_do_not_matter(sprite):
    image, alpha = sprite
    other = np.where(alpha[..., None] == 0, np.float32([0, 0, 1]), image)
    np.testing.assert_array_equal(fill_transparent(other, alpha), fill_transparent(image, alpha))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (16, 16), (33, 7)])
def test_filling_of_one_colour_gives_that_colour_for_any_size(size):
    image = np.tile(np.float32([0.2, 0.5, 0.9]), (*size, 1))
    alpha = np.zeros(size, np.float32)
    alpha[0, 0] = 0.25
    np.testing.assert_allclose(fill_transparent(image, alpha), image, atol=1e-5)
    assert np.isfinite(fill_transparent(image, 0 * alpha)).all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_luminance_of_black_and_white_pixels_without_colours_is_no_division(value):
    grey = np.full((2, 2, 3), value, np.float32)
    np.testing.assert_array_equal(transfer_luminance(grey, grey), grey)
