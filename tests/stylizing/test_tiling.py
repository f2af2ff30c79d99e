"""Tiles: what they cover and what they see."""

import numpy as np
import pytest

from stylegan_transfer.stylizing.tiling import make_tiles


@pytest.mark.parametrize("size", [(64, 64), (65, 130), (200, 31), (8, 8)])
@pytest.mark.parametrize("margin", [0, 24, 300])
def test_inner_parts_cover_every_pixel_once_and_outer_ones_reach_as_far_as_the_margin(size, margin):
    picture = np.arange(size[0] * size[1]).reshape(size)
    counts = np.zeros(size, int)
    for tile in make_tiles(*size, tile_size=64, margin=margin):
        counts[tile.inner] += 1
        assert max(s.stop - s.start for s in tile.inner) <= 64
        np.testing.assert_array_equal(picture[tile.outer][tile.crop], picture[tile.inner])
        for inner, outer, length in zip(tile.inner, tile.outer, size, strict=True):
            assert outer.start == max(inner.start - margin, 0)
            assert outer.stop == min(inner.stop + margin, length)
            assert inner.start % 8 == 0
    np.testing.assert_array_equal(counts, 1)


def test_a_small_picture_is_one_tile():
    (tile,) = make_tiles(40, 50, 64, 16)
    assert tile.inner == tile.outer == (slice(0, 40), slice(0, 50))
