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


def make_tiles(
    height: int, width: int, tile_size: int, margin: int, multiple: int = 1
) -> list[Tile]:
    """Returns tiles whose inner parts cover the picture once, row by row.

    With a margin of at least the network's receptive radius, and the statistics of its
    normalizations given, neighbouring tiles agree where they overlap, so that nothing is left to
    cross-fade.

    The outer parts are all of one size, but for what the last ones lack to a multiple of
    `multiple`: runtimes prepare themselves for each size anew.

    Args:
        height: Of the picture in pixels.
        width: Of the picture in pixels.
        tile_size: In pixels; no outer side is longer than this and two margins.
        margin: In pixels.
        multiple: Of pixels at which outer parts begin, a network's largest stride; `tile_size` and
            `margin` are multiples of it.
    """
    rows = _cut(height, tile_size, margin, multiple)
    columns = _cut(width, tile_size, margin, multiple)
    return [
        Tile(inner=(row[0], column[0]), outer=(row[1], column[1]))
        for row, column in itertools.product(rows, columns)
    ]


def _cut(length, tile_size, margin, multiple):
    """Yields inner and outer slices; the first and the last inner one reach the border."""
    padded = -(-length // multiple) * multiple
    between = padded - 2 * margin  # where a tile needs margins on both sides
    count = max(1, -(-between // tile_size))
    step = -(-between // (count * multiple)) * multiple
    size = step + 2 * margin
    for i in range(count):
        inner_start = i * step + margin if i else 0
        inner_stop = (i + 1) * step + margin if i < count - 1 else length
        start = min(i * step, padded - size) if i else 0
        yield slice(inner_start, inner_stop), slice(start, min(start + size, length))
