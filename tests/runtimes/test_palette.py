"""The palette by NumPy: against colours themselves, and against the network's."""

import numpy as np

from stylegan_transfer.networks import palette as networks_palette
from stylegan_transfer.runtimes import palette


def draw_images(seed, width):
    colors = np.float32([[0.5, 0.1, 0.0], [0.0, 0.3, 0.1], [0.0, 0.0, 0.2]])
    return np.random.default_rng(seed).random((2, 16, width, 3), "float32") @ colors + 0.1 * seed


def palettes_of(images):
    pixels = np.reshape(images, (len(images), -1, 3)).astype("float64")
    palettes = [np.vstack([p.mean(axis=0), np.cov(p.T, bias=True)]) for p in pixels]
    return np.float32(palettes)[:, None]


def test_maps_and_pictures_are_the_networks():
    images, wanted = draw_images(0, 20), palettes_of(draw_images(1, 20))
    maps = palette.palette_maps(palettes_of(images), wanted)
    expected = networks_palette.palette_maps(networks_palette.measure_palettes(images), wanted)
    np.testing.assert_allclose(maps, expected, atol=1e-4)
    moved = palette.map_colors(images, maps)
    np.testing.assert_allclose(moved, networks_palette.map_colors(images, maps), atol=1e-5)
    np.testing.assert_allclose(palettes_of(moved)[:, :, 0], wanted[:, :, 0], atol=1e-3)


def test_colours_of_regions_are_the_networks():
    images = draw_images(0, 20)
    masks = np.random.default_rng(1).random((2, 1, 16, 20), "float32")
    masks = np.concatenate([masks, 1 - masks], axis=1)
    wanted = np.concatenate([palettes_of(draw_images(seed, 20)) for seed in (1, 2)], axis=1)
    own = networks_palette.measure_palettes(images, masks)
    maps = palette.palette_maps(np.asarray(own), wanted)
    moved = palette.map_colors(images, maps, masks)
    np.testing.assert_allclose(moved, networks_palette.map_colors(images, maps, masks), atol=1e-5)


def test_colors_stay_within_bounds():
    maps = np.float32([[[[-1, 0, 1], [2, 0, 0], [0, 2, 0], [0, 0, 2]]]] * 2)
    moved = palette.map_colors(draw_images(0, 20), maps)
    assert moved.min() == 0 and moved.max() == 1
