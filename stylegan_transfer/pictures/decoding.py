"""Decodes image files to upright sRGB pixels."""

import contextlib
import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image

from stylegan_transfer.pictures.arrays import MAX_PIXELS, check_size, scaled_size
from stylegan_transfer.pictures.exif import Tag
from stylegan_transfer.pictures.profiles import floats_to_srgb, to_eight_bit_srgb
from stylegan_transfer.pictures.sixteen_bit import (
    decode_deep_png,
    decode_deep_tiff,
    is_deep_png,
    read_deep_tiff_tags,
)

# What Pillow is trusted with. It knows some 40 more, and would run Ghostscript for EPS.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_UPRIGHT = {  # EXIF orientation -> what turns the stored pixels upright
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels),
}


def decode_file(
    file: BinaryIO,
    name: str,
    max_short_side: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> tuple[np.ndarray, dict[str, bytes]]:
    """Returns pixels as `decode_image` does, and `icc_profile` and `exif` if there are such.

    Deep files of which Pillow would keep 8 bits come as float32.

    Args:
        file: The encoded file, seekable.
        name: What error messages call it.
        max_short_side: As in `decode_image`.
        max_pixels: Of the file. More are refused before they are decoded.

    Raises:
        ValueError: It is no complete picture, or its size is out of bounds.
    """
    with naming_errors(name):
        is_deep, tags = is_deep_png(file), read_deep_tiff_tags(file)
        image = None if tags else _read_header(file)
        size = (tags[Tag.ImageWidth], tags[Tag.ImageLength]) if tags else image.size
    check_size(tuple(map(int, size)), name, max_pixels)
    with naming_errors(name):
        if not tags and not is_deep:
            return decode_image(image, max_short_side), image.info
        if tags:
            pixels, orientation = decode_deep_tiff(file, tags), tags.get(Tag.Orientation)
            info = {"icc_profile": bytes(tags.get(Tag.InterColorProfile, b""))}
        else:
            pixels, orientation = decode_deep_png(file, image), _read_orientation(image)
            info = image.info
        return _turn_upright(floats_to_srgb(pixels, info.get("icc_profile")), orientation), info


def _read_header(file: BinaryIO) -> Image.Image:
    # Not `Image.open`: that warns of, or refuses, pictures that MAX_PIXELS allows, and only
    # process-wide settings would stop it.
    Image.preinit()  # BMP, GIF, JPEG, PNG and PPM; `init` would import some 40 more
    import PIL.TiffImagePlugin
    import PIL.WebPImagePlugin  # noqa: F401

    file.seek(0)
    prefix = file.read(16)
    if not prefix:
        raise ValueError("the file is empty")
    for factory, accept in (Image.OPEN[name] for name in FORMATS if name in Image.OPEN):
        with contextlib.suppress(SyntaxError, IndexError, TypeError, struct.error):
            accepted = accept is None or accept(prefix)
            if accepted and not isinstance(accepted, str):  # a str says why not
                file.seek(0)
                return factory(file, "")
    raise ValueError(f"none of the formats that are read: {', '.join(FORMATS)}")


def decode_image(image: Image.Image, max_short_side: int | None = None) -> np.ndarray:
    """Returns the upright sRGB or grey pixels of a Pillow image; the last of 2 or 4 is alpha.

    Args:
        image: The image, perhaps not decoded yet.
        max_short_side: A larger image may be downsized to this, before the rest has to be done
            for each pixel. Default: None, the full size.

    Returns:
        `(height, width, 1 to 4)`, uint8 or, where Pillow has more, float32.
    """
    icc_profile = image.info.get("icc_profile")
    if max_short_side is not None:
        image.draft(None, (2 * max_short_side,) * 2)  # JPEG only: decodes at 1/2, 1/4 or 1/8
    image.load()
    orientation = _read_orientation(image)
    if min(image.size) > (max_short_side or np.inf) and _is_continuous(image):
        size = scaled_size(image.size, max_short_side)
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if image.mode == "F" or image.mode.startswith("I"):
        pixels = floats_to_srgb(_deep_grey(image), icc_profile)
    else:
        pixels = np.array(to_eight_bit_srgb(image, icc_profile))
    return _turn_upright(np.atleast_3d(pixels), orientation)


def _is_continuous(image: Image.Image) -> bool:
    """Whether means of pixels are meaningful: not with a palette or one colour for transparency."""
    modes = ("L", "LA", "RGB", "RGBA", "CMYK")
    return image.mode in modes and "transparency" not in image.info


def _deep_grey(image: Image.Image) -> np.ndarray:
    grey, top = np.array(image, np.float32), 1.0 if image.mode == "F" else 65535
    if not (grey.min() >= 0 and grey.max() <= top):  # also catches NaN
        raise ValueError(f"grey values from {grey.min()} to {grey.max()}, not in [0, {top}]")
    return grey[..., None] / np.float32(top)


def _turn_upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    turn = _UPRIGHT.get(orientation)
    return np.ascontiguousarray(turn(pixels)) if turn else pixels


def _read_orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(Tag.Orientation, 1)
    except Exception:  # broken metadata is no reason to refuse the picture
        return 1


@contextlib.contextmanager
def naming_errors(name: str) -> Iterator[None]:
    """Turns every error into one that names the image; broken files raise a dozen kinds."""
    try:
        yield
    except Exception as error:
        raise ValueError(
            f"Expected an image file that can be read. Received: {name} ({error})"
        ) from error
