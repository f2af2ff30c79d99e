"""Encodes pictures in the formats of image files."""

from typing import BinaryIO

import numpy as np
from PIL import Image

from stylegan_transfer.pictures.arrays import over_white, quantize, split_alpha
from stylegan_transfer.pictures.colors import luminance
from stylegan_transfer.pictures.picture import Picture
from stylegan_transfer.pictures.sixteen_bit import encode_deep_png, encode_tiff

SAVE_FORMATS = {
    ".bmp": "BMP",
    ".jpeg": "JPEG",
    ".jpg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
_MAX_JPEG_EXIF = 65533  # bytes
_PNG_LEVEL = 4  # of zlib: paintings take 2 % more bytes than with Pillow's 6, and 0.6 of the time


def write_picture(
    file: BinaryIO, picture: Picture, pixels: np.ndarray, file_format: str, quality: int
) -> None:
    """Writes pixels from `stored_pixels`, and the profile and EXIF of their picture.

    Args:
        file: Where to write.
        picture: Its metadata are written, not its image.
        pixels: uint8 or uint16 `(height, width, 1 to 4)`.
        file_format: One of the values of `SAVE_FORMATS`.
        quality: 1 to 100, for JPEG and WebP.
    """
    metadata = {"icc_profile": picture.icc_profile, "exif": picture.exif}
    metadata = {name: data for name, data in metadata.items() if data}
    if file_format == "JPEG" and len(picture.exif or b"") > _MAX_JPEG_EXIF:
        del metadata["exif"]
    if file_format == "TIFF":
        file.write(encode_tiff(pixels, **metadata))
        return
    if pixels.dtype == np.uint16:
        file.write(encode_deep_png(pixels, **metadata))
        return
    options = {"quality": quality} if file_format in ("JPEG", "WEBP") else {}
    if file_format == "PNG":
        options["compress_level"] = _PNG_LEVEL
    if file_format == "JPEG" and quality >= 90:
        options["subsampling"] = 0  # painted edges are coloured: keep the full chroma
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.save(file, format=file_format, **options, **metadata)


def stored_pixels(picture: Picture, file_format: str) -> np.ndarray:
    """Returns what a file of that format stores: uint8 or uint16 `(height, width, 1 to 4)`."""
    pixels = picture.pixels
    if file_format in ("BMP", "JPEG"):
        pixels = over_white(pixels)
    if picture.is_grey:
        color, alpha = split_alpha(pixels)
        pixels = np.dstack([luminance(color), alpha])
    is_deep = picture.bits == 16 and file_format in ("PNG", "TIFF")
    return quantize(pixels, "uint16" if is_deep else "uint8")
