"""Checks and converts arrays of pixels."""

import numpy as np
from PIL import Image

from stylegan_transfer.checks import describe

MIN_SIZE = 16  # pixels: the encoders divide a side by 8 and need something left to normalise
MAX_PIXELS = 2**28  # 16,384 x 16,384, above the largest phone sensors; 3 GB as float32


def check_size(size: tuple[int, int], name: str, max_pixels: int = MAX_PIXELS) -> None:
    """Raises a `ValueError`, which calls the image by its name, unless `(width, height)` fits."""
    width, height = size
    if min(size) < MIN_SIZE or width * height > max_pixels:
        raise ValueError(
            f"Expected an image with sides of at least {MIN_SIZE} pixels and at most "
            f"{max_pixels:,} pixels in all. Received: {name}, {width} x {height} pixels"
        )


def as_rgb_array(image: np.ndarray) -> np.ndarray:
    """Returns the image with three channels; a `ValueError` for another shape or dtype."""
    image = _as_array(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[-1] not in (1, 3) or 0 in image.shape:
        _refuse(f"shape={image.shape}, dtype={image.dtype}")
    return image if image.shape[-1] == 3 else np.repeat(image, 3, axis=-1)


def split_image(image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns an image as `as_rgb_array` does, and its alpha `(height, width)`, if there is any."""
    image = _as_array(image)
    if image.ndim == 3 and image.shape[-1] in (2, 4):
        return as_rgb_array(image[..., :-1]), image[..., -1]
    return as_rgb_array(image), None


def _as_array(image):
    try:
        array = np.asarray(image)
    except (ValueError, TypeError):  # lists of unequal lengths
        _refuse(describe(image))
    if array.dtype != np.uint8 and not np.issubdtype(array.dtype, np.floating):
        is_array = isinstance(image, np.ndarray)
        _refuse(f"shape={array.shape}, dtype={array.dtype}" if is_array else describe(image))
    return array


def _refuse(received):
    raise ValueError(
        "Expected an image of shape (height, width, 3) or (height, width), float in [0, 1] or "
        f"uint8. Received: {received}"
    )


def to_float(image: np.ndarray) -> np.ndarray:
    """Returns uint8 pixels, or floats that are nearly in [0, 1], as float32 in [0, 1]."""
    if image.dtype == np.uint8:
        image = image.astype("float32")
        image /= 255
        return image
    check_range(image)
    return np.clip(image.astype("float32"), 0, 1)


def check_range(image: np.ndarray) -> None:
    """Raises a `ValueError` for floats outside of [0, 1], but for rounding; NaN is outside."""
    if image.dtype == np.uint8:
        return
    low, high = image.min(), image.max()
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise ValueError(f"Expected float values in [0, 1]. Received: values in [{low}, {high}]")


def to_unit(pixels: np.ndarray) -> np.ndarray:
    """Returns pixels of 16 bits as float32 in [0, 1]."""
    return pixels.astype("float32") / np.float32(65535)


def quantize(image: np.ndarray, dtype: str) -> np.ndarray:
    """Returns floats in [0, 1], clipped and rounded, as "uint8" or "uint16" of the full range."""
    if image.dtype == dtype:
        return image
    if not np.isfinite(image).all():
        raise ValueError("Expected finite values. Received: an image with NaN or infinity")
    return np.rint(np.clip(image, 0, 1).astype("float32") * np.iinfo(dtype).max).astype(dtype)


def split_alpha(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns views of the 1 or 3 channels of colour, and of the 0 or 1 of alpha."""
    num_colors = 1 if pixels.shape[-1] < 3 else 3
    return pixels[..., :num_colors], pixels[..., num_colors:]


def over_white(pixels: np.ndarray) -> np.ndarray:
    """Returns the RGB image that pixels `(height, width, 1 to 4)` give on white paper."""
    color, alpha = split_alpha(pixels)
    if alpha.size and pixels.dtype == np.uint8:  # in floats this takes longer than decoding
        color = 255 - ((255 - color) * alpha.astype("uint16") + 127) // 255
        color = color.astype("uint8")
    elif alpha.size:
        color = 1 - alpha * (1 - color)
    return as_rgb_array(color)


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns an RGB image in the size `(height, width)`; see `inputs.resize_image`."""
    if image.dtype == np.uint8:
        return np.array(Image.fromarray(image).resize(size[::-1], Image.Resampling.LANCZOS))
    return np.clip(resize_channels(image, size), 0, 1)


def resize_channels(
    maps: np.ndarray,
    size: tuple[int, int],
    resampling: Image.Resampling = Image.Resampling.LANCZOS,
) -> np.ndarray:
    """Returns float maps `(height, width, channels)` in the size `(height, width)`, antialiased.

    Nothing is clipped: Lanczos overshoots at edges.
    """
    channels = (Image.fromarray(maps[..., i].astype("float32")) for i in range(maps.shape[-1]))
    return np.stack([channel.resize(size[::-1], resampling) for channel in channels], axis=-1)


def scaled_size(size: tuple[int, int], short_side: int) -> tuple[int, int]:
    """Returns both sides, in their order, in proportion to that short side."""
    scale = short_side / min(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
