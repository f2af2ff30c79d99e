"""Looks at pictures of any size as refinement does: tile by tile, at the memory of one tile."""

import numpy as np
import tensorflow as tf

from stylegan_transfer.stylizing.feature_sums import (
    LARGEST_STRIDE,
    RECEPTIVE_RADIUS,
    STEPS,
    feature_sums,
    normalize_content,
    to_statistics,
)
from stylegan_transfer.stylizing.painting import TILE_SIZE
from stylegan_transfer.stylizing.tiling import make_tiles


class Canvas:
    """Measures pictures of one size, tile by tile, as if they were whole.

    Args:
        shape: `(height, width, 3)`, of the pictures.
        masks: float32 `(regions, height, width)`, summing to 1; None: one region.
        tile_size: Larger pictures than this squared are cut into tiles.
        tileable: Whether pictures go on beyond their edges as they begin at the opposite ones.
    """

    def __init__(self, shape, masks=None, tile_size=TILE_SIZE, tileable=False):
        height, width = shape[:2]
        is_small = height * width <= tile_size**2
        side = max(height, width) if is_small else tile_size // LARGEST_STRIDE * LARGEST_STRIDE
        tiles = make_tiles(height, width, side, RECEPTIVE_RADIUS, LARGEST_STRIDE)
        masks = np.ones((1, height, width), "float32") if masks is None else masks
        self._sums, self._tileable = feature_sums(), tileable
        self._views = [_see(tile, height, width, tileable) for tile in tiles]
        self._masks = [masks[(slice(None), *pixels)] for pixels, _ in self._views]
        self._content = [{} for _ in tiles]

    def statistics(self, image):
        """Returns the Gram matrices and moments of each map, region by region."""
        return _to_statistics(self.measure(image))

    def remember(self, content):
        """Keeps the content, from which pictures get their distance; returns its statistics."""
        sums = self.measure(content)
        for maps, (pixels, inner) in zip(self._content, self._views, strict=True):
            for name, values in self._sums.maps(content[pixels], inner).items():
                maps[name] = normalize_content(values, sums[name])
        return _to_statistics(sums)

    def gradient(self, image, targets, weights):
        """Returns that of the whole picture's loss by its pixels."""
        if len(self._views) == 1:
            parts = [self._sums.descend(*tile, targets, weights) for tile in self._see(image)]
        else:
            slopes = self._sums.slopes(self.measure(image), targets, weights)
            parts = (self._sums.pull(*tile, slopes) for tile in self._see(image))
        gradient = np.zeros_like(image)
        for part, (pixels, _) in zip(parts, self._views, strict=True):
            if self._tileable:  # a view may show a pixel several times
                np.add.at(gradient, pixels, part)
            else:
                gradient[pixels] += part
        return gradient

    def measure(self, image):
        """Returns the sums of all tiles."""
        parts = [self._sums.measure(*tile) for tile in self._see(image)]
        return tf.nest.map_structure(lambda *values: tf.add_n(values), *parts)

    def _see(self, image):
        """Yields what `FeatureSums` takes of each tile: pixels, inner part, masks, content."""
        for (pixels, inner), *known in zip(self._views, self._masks, self._content, strict=True):
            yield image[pixels], inner, *known


def _to_statistics(sums):
    return {name: to_statistics(sums[name]) for name in sums if name not in STEPS}


def _see(tile, height, width, tileable):
    """Returns the rows and columns of the pixels that are seen for a tile, and where in them its
    inner part lies."""
    outer = tile.outer
    if tileable:
        outer = [slice(i.start - RECEPTIVE_RADIUS, i.stop + RECEPTIVE_RADIUS) for i in tile.inner]
    rows, columns = (np.arange(o.start, o.stop) for o in outer)
    firsts = [inner.start - o.start for inner, o in zip(tile.inner, outer, strict=True)]
    lasts = [inner.stop - o.start for inner, o in zip(tile.inner, outer, strict=True)]
    inner = np.array([*firsts, *lasts], "int32")
    return (rows[:, None] % height, columns % width), inner
