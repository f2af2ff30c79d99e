"""Cuts a picture into overlapping tiles that a network can paint one by one."""

import dataclasses
import itertools

Box = tuple[slice, slice]


@dataclasses.dataclass(frozen=True)
class Tile:
    """One part of a picture.

    Attributes:
        inner: Rows and columns that this tile contributes to the result.
        outer: Rows and columns that the network has to see for it: the inner ones and a margin,
            as far as the picture goes.
    """

    inner: Box
    outer: Box

    @property
    def crop(self) -> Box:
        """The inner rows and columns, counted from the corner of the outer ones."""
        return tuple(
            slice(inner.start - outer.start, inner.stop - outer.start)
            for inner, outer in zip(self.inner, self.outer, strict=True)
        )


def make_tiles(height: int, width: int, tile_size: int, margin: int) -> list[Tile]:
    """Returns tiles whose inner parts cover the picture once, row by row.

    With a margin of at least the network's receptive radius, and the statistics of its
    normalizations given, neighbouring tiles agree where they overlap, so that nothing is left to
    cross-fade.

    Args:
        height: Of the picture in pixels.
        width: Of the picture in pixels.
        tile_size: Side of the inner parts in pixels; those at the end may be smaller.
        margin: In pixels. Where a network has strides, it and `tile_size` are multiples of theirs.
    """
    rows = _cut(height, tile_size, margin)
    columns = _cut(width, tile_size, margin)
    return [
        Tile(inner=(row[0], column[0]), outer=(row[1], column[1]))
        for row, column in itertools.product(rows, columns)
    ]


def _cut(length, tile_size, margin):
    for start in range(0, length, tile_size):
        stop = min(start + tile_size, length)
        outer = slice(max(start - margin, 0), min(stop + margin, length))
        yield slice(start, stop), outer
