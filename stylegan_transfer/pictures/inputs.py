"""Converts and resizes images: float32 RGB in [0, 1], shape `(height, width, 3)`."""

import dataclasses
import os

import numpy as np
from PIL import Image

from stylegan_transfer.checks import expect
from stylegan_transfer.pictures.arrays import (
    as_rgb_array,
    check_size,
    over_white,
    resize,
    resize_channels,
    scaled_size,
    to_float,
)
from stylegan_transfer.pictures.decoding import decode_image, naming_errors
from stylegan_transfer.pictures.files import load_image, load_picture
from stylegan_transfer.pictures.picture import ImageLike, Picture


def to_image(image: ImageLike, keep_alpha: bool = False) -> np.ndarray:
    """Returns a path, a Pillow image, an array or a `Picture` as a float32 RGB image.

    Args:
        image: A path; a Pillow image; a `Picture`; or an array `(height, width, 3)`,
            `(height, width, 1)` or `(height, width)`, or with alpha `(height, width, 4)`, either
            float in [0, 1] or uint8.
        keep_alpha: Whether transparency is kept as a fourth channel. Default: it is composited
            over white.

    Returns:
        float32 `(height, width, 3)` in [0, 1]; `(height, width, 4)` if there is transparency and
        it is kept.

    Raises:
        FileNotFoundError: A path does not exist.
        ValueError: The shape, the dtype or the range is another, a value is NaN, or a side is
            under 16 pixels.
    """
    if isinstance(image, (str, os.PathLike)) and not keep_alpha:
        return load_image(image)
    pixels = to_float(_to_pixels(image))
    return pixels if keep_alpha else over_white(pixels)


def _to_pixels(image):
    """The colours, and alpha if there is any, in one array of 3 or 4 channels."""
    if isinstance(image, (str, os.PathLike)):
        return load_picture(image).pixels
    if isinstance(image, Image.Image):
        check_size(image.size, "a Pillow image")
        with naming_errors("a Pillow image"):
            image = decode_image(image)
    pixels = image.pixels if isinstance(image, Picture) else np.asarray(image)
    has_alpha = pixels.ndim == 3 and pixels.shape[-1] in (2, 4)
    color = as_rgb_array(pixels[..., :-1] if has_alpha else pixels)
    check_size(color.shape[1::-1], "an array")
    return np.dstack([color, pixels[..., -1]]) if has_alpha else color


def resize_image(
    image: np.ndarray, short_side: int | None = None, size: tuple[int, int] | None = None
) -> np.ndarray:
    """Returns the image resized with an antialiased Lanczos filter, in its own dtype.

    uint8 is resized as one RGB picture, which is fast. Floats go through Pillow's float mode, one
    channel at a time, so that nothing is rounded to 8 bits; the filter's overshoot is clipped.

    Args:
        image: `(height, width, 3)`, float in [0, 1] or uint8.
        short_side: Pixels of the shorter side; the other one keeps the proportions.
        size: `(height, width)` in pixels. Give either this or `short_side`.

    Returns:
        uint8 or float32 `(new_height, new_width, 3)`.

    Raises:
        ValueError: Not exactly one of `short_side` and `size` is given, or one is not positive.

    Example:
        >>> import numpy as np
        >>> import stylegan_transfer
        >>> image = np.zeros((64, 96, 3), "float32")
        >>> stylegan_transfer.resize_image(image, short_side=32).shape
        (32, 48, 3)
    """
    image = as_rgb_array(image)
    return resize(image, _target_size(image.shape[:2], short_side, size))


def resize_picture(
    picture: Picture, short_side: int | None = None, size: tuple[int, int] | None = None
) -> Picture:
    """Returns the picture resized as `resize_image` does it, with its alpha and all else kept.

    Each pixel counts as much as it is opaque: colours are resized times alpha and divided by the
    resized alpha. So nothing of the colours under transparent pixels bleeds into the visible
    ones, and a picture put over a background and then resized looks the same as one resized and
    then put there.

    Args:
        picture: Of any size.
        short_side: Pixels of the shorter side; the other one keeps the proportions.
        size: `(height, width)` in pixels. Give either this or `short_side`.

    Returns:
        A `Picture` of that size. What stays transparent keeps its own colours, resized.

    Raises:
        ValueError: Not exactly one of `short_side` and `size` is given, or one is not positive.

    Reference:
        Porter & Duff, "Compositing Digital Images", SIGGRAPH 1984, section 2 (premultiplied
        colours).
    """
    size = _target_size(picture.image.shape[:2], short_side, size)
    image = resize_image(picture.image, size=size)
    if picture.alpha is None:
        return dataclasses.replace(picture, image=image)
    # Nothing is clipped before the division: the filter overshoots alike above and below it.
    alpha = picture.alpha[..., None]
    premultiplied = resize_channels(np.dstack([to_float(picture.image) * alpha, alpha]), size)
    color, alpha = premultiplied[..., :3], premultiplied[..., 3:]
    is_visible = alpha > 1 / 65535  # the least that a file can hold
    visible = np.clip(color / np.where(is_visible, alpha, 1.0), 0.0, 1.0)
    image = np.where(is_visible, visible, image)
    return dataclasses.replace(picture, image=image, alpha=np.clip(alpha[..., 0], 0.0, 1.0))


def _target_size(shape, short_side, size):
    is_one_given = (short_side is None) != (size is None)
    expect(
        is_one_given and min(size or (short_side,)) >= 1,
        "either a positive short_side or a positive size",
        short_side=short_side,
        size=size,
    )
    return size or scaled_size(shape, short_side)
