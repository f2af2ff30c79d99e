"""The palette by NumPy: against colours themselves, and against the network's."""

import numpy as np
import pytest

from stylegan_transfer.networks import palette as networks_palette
from stylegan_transfer.runtimes import palette


def draw_images(seed, width):
    colors = np.float32([[0.5, 0.1, 0.0], [0.0, 0.3, 0.1], [0.0, 0.0, 0.2]])
    return np.random.default_rng(seed).random((2, 16, width, 3), "float32") @ colors + 0.1 * seed


def palettes_of(images):
    pixels = np.reshape(images, (len(images), -1, 3)).astype("float64")
    return np.stack([np.vstack([p.mean(axis=0), np.cov(p.T, bias=True)]) for p in pixels])


@pytest.mark.parametrize("module", [palette, networks_palette])
def test_the_palette_of_two_parts_is_that_of_the_whole(module):
    left, right = draw_images(0, 10), draw_images(1, 30)
    masks = np.zeros((2, 2, 16, 40), "float32")
    masks[:, 0, :, :10] = masks[:, 1, :, 10:] = 1
    parts = np.stack([palettes_of(left), palettes_of(right)], axis=1).astype("float32")
    expected = palettes_of(np.concatenate([left, right], axis=2))
    np.testing.assert_allclose(module.mix_palettes(parts, masks), expected, atol=1e-5)


def test_maps_and_pictures_are_the_networks():
    images, wanted = draw_images(0, 20), palettes_of(draw_images(1, 20)).astype("float32")
    expected = np.asarray(networks_palette.palette_map(images, wanted))
    maps = palette.palette_map(palettes_of(images), wanted)
    np.testing.assert_allclose(maps, expected, atol=1e-4)
    moved = palette.map_colors(images, maps)
    np.testing.assert_allclose(moved, networks_palette.map_colors(images, maps), atol=1e-5)
    np.testing.assert_allclose(palettes_of(moved)[:, 0], wanted[:, 0], atol=1e-3)


def test_colors_stay_within_bounds():
    maps = np.float32([[[-1, 0, 1], [2, 0, 0], [0, 2, 0], [0, 0, 2]]] * 2)
    moved = palette.map_colors(draw_images(0, 20), maps)
    assert moved.min() == 0 and moved.max() == 1
