"""Converts and resizes images: float32 RGB in [0, 1], shape `(height, width, 3)`."""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from stylegan_transfer.checks import describe, expect, is_whole
from stylegan_transfer.pictures.arrays import (
    MAX_PIXELS,
    as_rgb_array,
    check_range,
    check_size,
    over_white,
    resize,
    resize_channels,
    scaled_size,
    split_image,
    to_float,
)
from stylegan_transfer.pictures.colors import luminance
from stylegan_transfer.pictures.decoding import decode_image, naming_errors
from stylegan_transfer.pictures.files import load_image, load_picture
from stylegan_transfer.pictures.picture import ImageLike, Picture

MAX_STYLE_RATIO = 16  # long to short side
MAX_STYLE_PIXELS = 2**24


def to_image(
    image: ImageLike, keep_alpha: bool = False, max_short_side: int | None = None
) -> np.ndarray:
    """Returns a path, a Pillow image, an array or a `Picture` as a float32 RGB image.

    Args:
        image: A path; a Pillow image; a `Picture`; or an array `(height, width, 3)`,
            `(height, width, 1)` or `(height, width)`, or with alpha `(height, width, 4)`, either
            float in [0, 1] or uint8.
        keep_alpha: Whether transparency is kept as a fourth channel. Default: it is composited
            over white.
        max_short_side: A larger file may come smaller, as `load_image` reads it. Not with alpha.

    Returns:
        float32 `(height, width, 3)` in [0, 1]; `(height, width, 4)` if there is transparency and
        it is kept.

    Raises:
        FileNotFoundError: A path does not exist.
        ValueError: The shape, the dtype or the range is another, a value is NaN, or a side is
            under 16 pixels.
    """
    if isinstance(image, (str, os.PathLike)) and not keep_alpha:
        return load_image(image, max_short_side=max_short_side)
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
    color, alpha = split_image(image.pixels if isinstance(image, Picture) else image)
    check_size(color.shape[1::-1], "an array")
    return color if alpha is None else np.dstack([color, alpha])


def to_images(images: ImageLike | Sequence[ImageLike], name: str) -> list:
    """Returns one image, or several in whatever sequence, as a list of them.

    An array of two axes, or of three of which the last one holds up to 4 channels, is one image.

    Args:
        images: As `to_image` takes them.
        name: What the message calls them.

    Raises:
        ValueError: It is neither, or there is none.
    """
    if isinstance(images, np.ndarray):
        is_one = images.ndim == 2 or (images.ndim == 3 and images.shape[-1] <= 4)
    else:
        is_one = isinstance(images, ImageLike)
    if is_one:
        return [images]
    is_several = isinstance(images, (Sequence, np.ndarray)) and not isinstance(images, bytes)
    if not is_several or len(images) == 0:
        raise ValueError(
            f"Expected {name}: an image (a path, a PIL image, a Picture or an array) or several. "
            f"Received: {name}={describe(images)}"
        )
    return list(images)


def to_mask(mask: ImageLike) -> np.ndarray:
    """Returns how much of each pixel a mask covers: its luma times its opacity.

    Args:
        mask: As `to_image` takes it, or an array of booleans.

    Returns:
        float32 `(height, width)` in [0, 1].
    """
    if isinstance(mask, np.ndarray) and mask.dtype == bool:
        mask = mask.astype("float32")
    pixels = to_image(mask, keep_alpha=True)
    color, alpha = split_image(pixels)
    return luminance(color) if alpha is None else luminance(color) * alpha


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
    check_range(image)
    return resize(image, _target_size(image.shape[:2], short_side, size))


def resize_style(image: np.ndarray, short_side: int) -> np.ndarray:
    """Returns an image in the size at which its style is looked at.

    As `resize_image`, within bounds: of a picture of more than 16 to 1 the middle is taken, and
    one of more than 16 megapixels is made smaller. Networks would take minutes, or all memory.

    Args:
        image: `(height, width, 3)`, float in [0, 1] or uint8.
        short_side: Pixels of the shorter side.
    """
    length = MAX_STYLE_RATIO * min(image.shape[:2])
    top, left = (max(0, side - length) // 2 for side in image.shape[:2])
    image = image[top : top + length, left : left + length]
    ratio = max(image.shape[:2]) / min(image.shape[:2])
    return resize_image(image, short_side=min(short_side, int((MAX_STYLE_PIXELS / ratio) ** 0.5)))


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
    given = {"short_side": short_side, "size": size}
    sides = (short_side,) if size is None else size
    expect(
        (short_side is None) != (size is None)
        and isinstance(sides, (tuple, list))
        and len(sides) == (1 if size is None else 2)
        and all(is_whole(side, 1) for side in sides),
        "either a positive short_side or a positive size, in whole pixels",
        **given,
    )
    height, width = size or scaled_size(shape, short_side)
    expect(height * width <= MAX_PIXELS, f"at most {MAX_PIXELS:,} pixels in all", **given)
    return int(height), int(width)
