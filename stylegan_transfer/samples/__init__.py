"""Draws sample photographs and paintings, so that nothing needs a download to be tried.

Every picture is a function of a coordinate grid and a random generator seeded by its name; all
lengths are fractions of the side, so a picture looks alike at every size.
"""

import functools
import zlib
from collections.abc import Callable

import numpy as np

from stylegan_transfer.samples import paintings, photographs, portraits

_SUPERSAMPLING = 2


def draw_content(name: str, size: int = 256) -> np.ndarray:
    """Returns a sample photograph, drawn by code.

    Args:
        name: one of `CONTENT_NAMES`.
        size: side in pixels, at least 16. Defaults to 256.

    Returns:
        float32 array of shape `(size, size, 3)` in [0, 1], the same at every call.

    Raises:
        ValueError: for an unknown name or a size under 16.
    """
    return _draw(_CONTENTS, name, size).copy()


def draw_style(name: str, size: int = 256) -> np.ndarray:
    """Returns a sample painting, drawn by code.

    Args:
        name: one of `STYLE_NAMES`.
        size: side in pixels, at least 16. Defaults to 256.

    Returns:
        float32 array of shape `(size, size, 3)` in [0, 1], the same at every call.

    Raises:
        ValueError: for an unknown name or a size under 16.
    """
    return _draw(_STYLES, name, size).copy()


def _draw(painters: dict[str, Callable], name: str, size: int) -> np.ndarray:
    if name not in painters:
        raise ValueError(f"Expected a name in {tuple(painters)}. Received: name={name!r}")
    if size < 16:
        raise ValueError(f"Expected a size of at least 16. Received: size={size}")
    return _draw_once(painters[name], name, size)


@functools.lru_cache(maxsize=16)  # a training draws them for its batches, grid and validation
def _draw_once(painter: Callable, name: str, size: int) -> np.ndarray:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    side = size * _SUPERSAMPLING
    image = np.clip(painter(side, rng), 0, 1)
    image = image.reshape(size, _SUPERSAMPLING, size, _SUPERSAMPLING, 3).mean((1, 3))
    return image.astype("float32")


_CONTENTS = {
    "hills": photographs.hills,
    "city": photographs.city,
    "still_life": photographs.still_life,
    "portrait": portraits.portrait,
    "harbour": photographs.harbour,
}
_STYLES = {
    "swirls": paintings.swirls,
    "mosaic": paintings.mosaic,
    "woodcut": paintings.woodcut,
    "cubism": paintings.cubism,
    "pointillism": paintings.pointillism,
    "watercolour": paintings.watercolour,
    "waves": paintings.waves,
}
CONTENT_NAMES = tuple(_CONTENTS)
STYLE_NAMES = tuple(_STYLES)
