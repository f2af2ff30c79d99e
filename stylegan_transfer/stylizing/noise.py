"""The noise from which strokes of flat areas grow: NumPy's, so the same for each runtime."""

import functools
from collections.abc import Sequence

import numpy as np

_MAX_KEPT = 2**22  # pixels of pictures whose noise stays for the next one: 11 MB


def draw_noise(strides: Sequence[int], height: int, width: int, seed: int) -> list[np.ndarray]:
    """Returns standard normal noise, one map `(1, rows, columns, 1)` for each layer, float32.

    The last noise is kept, for further pictures of one size and the frames of clips: not to be
    written to.

    Args:
        strides: How many pixels of the picture a position of each layer stands for.
        height: Of the picture, before it is padded to a multiple of the largest stride.
        width: Likewise.
        seed: Each layer has a generator of its own, made of the seed and its place.
    """
    draw = _draw_once if height * width <= _MAX_KEPT else _draw
    return list(draw(tuple(strides), height, width, int(seed) % 2**64))


def _draw(strides, height, width, seed):
    largest = max(strides)
    rows, columns = (-(-side // largest) * largest for side in (height, width))
    generators = (np.random.default_rng((seed, i)) for i in range(len(strides)))
    return [
        generator.standard_normal((1, rows // stride, columns // stride, 1), dtype="float32")
        for generator, stride in zip(generators, strides, strict=True)
    ]


_draw_once = functools.lru_cache(maxsize=1)(_draw)


def cut_noise(noise, strides: Sequence[int], box: tuple[slice, slice]):
    """Returns the noise of a tile that begins at multiples of the largest stride; None of None.

    Args:
        noise: From `draw_noise`, or None.
        strides: As there.
        box: Rows and columns of the picture.
    """
    if noise is None:
        return None
    largest = max(strides)
    ends = [-(-side.stop // largest) * largest for side in box]
    return [
        maps[:, box[0].start // n : ends[0] // n, box[1].start // n : ends[1] // n]
        for maps, n in zip(noise, strides, strict=True)
    ]
