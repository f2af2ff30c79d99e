"""Converts and resizes images: float32 RGB in [0, 1], shape `(height, width, 3)`."""

import os

import numpy as np
from PIL import Image

from stylegan_transfer.pictures.arrays import (
    as_rgb_array,
    check_size,
    over_white,
    resize,
    scaled_size,
    to_float,
)
from stylegan_transfer.pictures.decoding import decode_image, naming_errors
from stylegan_transfer.pictures.files import load_image, load_picture


def to_image(
    image: str | os.PathLike | Image.Image | np.ndarray, keep_alpha: bool = False
) -> np.ndarray:
    """Returns a path, a Pillow image or an array as a float32 RGB image.

    Args:
        image: path; Pillow image; or array of shape `(height, width, 3)`, `(height, width, 1)`
            or `(height, width)`, or with alpha `(height, width, 4)`, either float in [0, 1] or
            uint8 in [0, 255].
        keep_alpha: whether transparency is kept as a fourth channel. Defaults to `False`: it is
            composited over white.

    Returns:
        float32 array of shape `(height, width, 3)` in [0, 1]; of shape `(height, width, 4)` if
        there is transparency and it is kept.

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: for another shape, dtype or range, NaN, or a side under 16 pixels.
    """
    if isinstance(image, (str, os.PathLike)) and not keep_alpha:
        return load_image(image)
    pixels = to_float(_to_pixels(image))
    return pixels if keep_alpha else over_white(pixels)


def _to_pixels(image):
    """The colours, and alpha if there is any, in one array of 3 or 4 channels."""
    if isinstance(image, (str, os.PathLike)):
        picture = load_picture(image)
        color, alpha = picture.image, picture.alpha
    else:
        if isinstance(image, Image.Image):
            check_size(image.size, "a Pillow image")
            with naming_errors("a Pillow image"):
                color, alpha = decode_image(image), None
        else:
            color, alpha = np.asarray(image), None
        if color.ndim == 3 and color.shape[-1] in (2, 4):
            color, alpha = color[..., :-1], color[..., -1]
        color = as_rgb_array(color)
        check_size(color.shape[1::-1], "an array")
    return color if alpha is None else np.dstack([color, alpha])


def resize_image(
    image: np.ndarray, short_side: int | None = None, size: tuple[int, int] | None = None
) -> np.ndarray:
    """Returns the image resized with an antialiased Lanczos filter, in its own dtype.

    uint8 is resized as one RGB picture, which is fast. Floats go through Pillow's float mode, one
    channel at a time, so that nothing is rounded to 8 bits; the filter's overshoot is clipped.

    Args:
        image: array of shape `(height, width, 3)`, float in [0, 1] or uint8.
        short_side: pixels of the shorter side; the other one keeps the proportions.
        size: `(height, width)` in pixels. Give either this or `short_side`.

    Returns:
        Array of shape `(new_height, new_width, 3)`, uint8 or float32.

    Raises:
        ValueError: if not exactly one of `short_side` and `size` is given, or one is not positive.
    """
    image = as_rgb_array(image)
    if (short_side is None) == (size is None) or min(size or (short_side,)) < 1:
        raise ValueError(
            "Expected either a positive short_side or a positive size. "
            f"Received: short_side={short_side}, size={size}"
        )
    return resize(image, size or scaled_size(image.shape[:2], short_side))
