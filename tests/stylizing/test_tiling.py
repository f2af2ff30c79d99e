"""Tiles: what they cover and what they see."""

import numpy as np
import pytest

from stylegan_transfer.stylizing.tiling import make_tiles


@pytest.mark.parametrize("size", [(64, 64), (65, 130), (200, 31), (8, 8), (403, 700)])
@pytest.mark.parametrize("margin", [0, 24, 304])
def test_inner_parts_cover_every_pixel_once_and_outer_ones_show_a_margin(size, margin):
    picture = np.arange(size[0] * size[1]).reshape(size)
    counts = np.zeros(size, int)
    for tile in make_tiles(*size, tile_size=64, margin=margin, multiple=8):
        counts[tile.inner] += 1
        np.testing.assert_array_equal(picture[tile.outer][tile.crop], picture[tile.inner])
        for inner, outer, length in zip(tile.inner, tile.outer, size, strict=True):
            assert 0 <= outer.start <= max(inner.start - margin, 0)
            assert min(inner.stop + margin, length) <= outer.stop <= length
            assert outer.stop - outer.start <= 64 + 2 * margin
            assert inner.start % 8 == outer.start % 8 == 0
    np.testing.assert_array_equal(counts, 1)


@pytest.mark.parametrize("size", [(403, 700), (1000, 401)])
def test_tiles_are_of_one_size_when_they_are_padded_to_a_multiple(size):
    tiles = make_tiles(*size, tile_size=64, margin=32, multiple=16)
    shapes = [[-(-(s.stop - s.start) // 16) for s in tile.outer] for tile in tiles]
    assert len(tiles) > 30
    assert len(np.unique(shapes, axis=0)) == 1


def test_there_are_as_few_tiles_as_their_size_allows():
    tiles = make_tiles(64 + 2 * 16, 2 * 64 + 2 * 16 + 1, tile_size=64, margin=16)
    assert len(tiles) == 1 * 3


def test_a_small_picture_is_one_tile():
    (tile,) = make_tiles(40, 50, 64, 16)
    assert tile.inner == tile.outer == (slice(0, 40), slice(0, 50))
