"""Reads and writes image files: as plain arrays, or as pictures with all that belongs to them."""

import contextlib
import dataclasses
import glob
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.pictures.arrays import (
    MIN_SIZE,
    as_rgb_array,
    over_white,
    quantize,
    resize,
    scaled_size,
    split_alpha,
    to_float,
)
from stylegan_transfer.pictures.colors import luminance
from stylegan_transfer.pictures.decoding import decode_file
from stylegan_transfer.pictures.exif import read_metadata
from stylegan_transfer.pictures.profiles import srgb_profile
from stylegan_transfer.pictures.sixteen_bit import encode_deep_png, encode_tiff

IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
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


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """An image with what else its file holds, so that it can be saved as the same kind of file.

    Attributes:
        image: float32 sRGB in [0, 1], shape `(height, width, 3)`, upright.
        alpha: opacity, float32 in [0, 1], shape `(height, width)`. `None` in a file without.
        is_grey: whether the file has one channel of grey instead of three of colour.
        bits: 8 or 16, of each channel in the file.
        icc_profile: sRGB profile if the file had any profile. `None`, the default, writes none.
        exif: EXIF block with date, camera, place, copyright and so on, but without orientation
            and thumbnail. `None` if there is nothing else.
    """

    image: np.ndarray
    alpha: np.ndarray | None = None
    is_grey: bool = False
    bits: int = 8
    icc_profile: bytes | None = None
    exif: bytes | None = None


def load_picture(path: str | os.PathLike) -> Picture:
    """Returns the picture in a file with its transparency, bit depth and metadata.

    The EXIF orientation is applied, colours are converted to sRGB if a profile is embedded, and of
    several frames or pages the first is taken. 16 bits are kept of grey and RGB, with or without
    alpha, in PNG and TIFF; other deep files (CMYK, RGB in PPM) come as 8 bits. A 16-bit profile
    that is a table instead of primaries and curves converts with a precision of 8 bits. TIFF with
    16 bits in several channels needs `tifffile`, the extra `tiff`.

    Args:
        path: the file.

    Returns:
        A `Picture`; colours under full transparency are kept.

    Raises:
        FileNotFoundError: if the path does not exist.
        ValueError: as `load_image`.
    """
    with _open(path) as (file, name):
        pixels, info = decode_file(file, name)
        exif = read_metadata(file, info.get("exif"))
    color, alpha = split_alpha(to_float(pixels))
    return Picture(
        image=as_rgb_array(color),
        alpha=alpha[..., 0] if alpha.size else None,
        is_grey=color.shape[-1] == 1,
        bits=8 if pixels.dtype == np.uint8 else 16,
        icc_profile=srgb_profile() if info.get("icc_profile") else None,
        exif=exif,
    )


def load_image(
    source: str | os.PathLike | bytes | BinaryIO,
    dtype: str = "float32",
    max_short_side: int | None = None,
    name: str | None = None,
) -> np.ndarray:
    """Returns the picture in a file as upright sRGB.

    As `load_picture`, but transparency is composited over white, and everything else is dropped.
    Safe to call from several threads.

    Args:
        source: path, or an encoded file as `bytes` or as a seekable binary file object.
        dtype: `"float32"` for [0, 1], in the file's precision, or `"uint8"` for [0, 255]. Defaults
            to `"float32"`.
        max_short_side: a larger picture is downsized (antialiased) until its short side has this
            many pixels, at least 16. Much faster than resizing afterwards, because a JPEG is
            then decoded at a fraction of its size. Defaults to `None`, the full size.
        name: what error messages call the source. Defaults to the path.

    Returns:
        Array of shape `(height, width, 3)`.

    Raises:
        FileNotFoundError: if the path does not exist.
        ValueError: if the source is no complete picture with sides of at least 16 pixels and at
            most `MAX_PIXELS` pixels.
    """
    if dtype not in ("float32", "uint8"):
        raise ValueError(f'Expected dtype "float32" or "uint8". Received: dtype={dtype!r}')
    if max_short_side is not None and max_short_side < MIN_SIZE:
        raise ValueError(
            f"Expected max_short_side to be None or at least {MIN_SIZE}. "
            f"Received: max_short_side={max_short_side}"
        )
    with _open(source, name) as (file, name):
        image = over_white(decode_file(file, name, max_short_side)[0])
    if max_short_side is not None and min(image.shape[:2]) > max_short_side:
        image = resize(image, scaled_size(image.shape[:2], max_short_side))
    return quantize(image, "uint8") if dtype == "uint8" else to_float(image)


def save_picture(picture: Picture, path: str | os.PathLike, quality: int = 95) -> None:
    """Writes a picture in the format that the path's suffix names.

    The file appears at once and whole: it is written under a temporary name and then renamed.
    Missing folders are created. Values are clipped to [0, 1] and rounded. What a format cannot
    hold is given up: 16 bits except in PNG and TIFF; transparency in JPEG and BMP, which is
    composited over white; one channel in WebP; EXIF and the profile in BMP, and in JPEG EXIF of
    more than 64 KB.

    Args:
        picture: what to write. If it is grey, the luma of its image is.
        path: where to write; one of the suffixes in `SAVE_FORMATS`.
        quality: 1 to 100, for JPEG and WebP. Defaults to 95.

    Raises:
        ValueError: for an unknown suffix, or an image or a quality out of these bounds.
    """
    path = Path(path)
    file_format = SAVE_FORMATS.get(path.suffix.lower())
    if file_format is None:
        known = ", ".join(SAVE_FORMATS)
        raise ValueError(f"Expected a path that ends in one of {known}. Received: path={path}")
    if not 1 <= quality <= 100:
        raise ValueError(f"Expected quality to be 1 to 100. Received: quality={quality}")
    pixels = _stored_pixels(picture, file_format)
    metadata = {"icc_profile": picture.icc_profile, "exif": picture.exif}
    if file_format == "JPEG" and len(picture.exif or b"") > _MAX_JPEG_EXIF:
        del metadata["exif"]

    with renamed_when_done(path) as temporary, open(temporary, "xb") as file:
        _write(file, pixels, file_format, quality, {k: v for k, v in metadata.items() if v})


def save_image(image: np.ndarray, path: str | os.PathLike, quality: int = 95) -> None:
    """Writes an image with 8 bits a channel, as `save_picture` does.

    uint8 pixels survive a lossless format exactly.

    Args:
        image: array of shape `(height, width, 3)` or `(height, width)`, float in [0, 1] or uint8.
        path: where to write; one of the suffixes in `SAVE_FORMATS`.
        quality: 1 to 100, for JPEG and WebP. Defaults to 95.

    Raises:
        ValueError: for an unknown suffix, or an image or a quality out of these bounds.
    """
    save_picture(Picture(as_rgb_array(image)), path, quality)


def list_images(source: str | os.PathLike) -> list[Path]:
    """Returns the image files that a file, a folder or a glob pattern stands for.

    Args:
        source: a file (taken whatever its suffix); a folder, searched with all below it; or a
            pattern such as `"photos/**/*.jpg"`. Hidden files and folders are skipped, and of a
            folder or a pattern only files with a suffix in `IMAGE_SUFFIXES` are taken.

    Returns:
        Sorted list of paths, never empty.

    Raises:
        FileNotFoundError: if there is no such image file.
    """
    source = os.fspath(source)
    if os.path.isfile(source):
        return [Path(source)]
    is_folder = os.path.isdir(source)
    pattern = os.path.join(glob.escape(source), "**", "*") if is_folder else source
    found = (Path(path) for path in glob.glob(pattern, recursive=True))
    paths = sorted(p for p in found if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
    if not paths:
        raise FileNotFoundError(
            "Expected an image file, a folder with images or a pattern that matches images "
            f"({', '.join(IMAGE_SUFFIXES)}). Received: {source}"
        )
    return paths


@contextlib.contextmanager
def _open(
    source: str | os.PathLike | bytes | BinaryIO, name: str | None = None
) -> Iterator[tuple[BinaryIO, str]]:
    if isinstance(source, bytes):
        yield io.BytesIO(source), name or f"{len(source)} bytes"
    elif isinstance(source, (str, os.PathLike)):
        with _open_path(source) as file:
            yield file, name or os.fspath(source)
    else:
        yield source, name or str(getattr(source, "name", source))


def _open_path(path: str | os.PathLike) -> BinaryIO:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"Expected an image file. Received: {path}, not found") from None
    except IsADirectoryError:
        raise ValueError(f"Expected an image file. Received: {path}, a folder") from None


def _stored_pixels(picture: Picture, file_format: str) -> np.ndarray:
    """Returns uint8 or uint16 pixels `(height, width, 1 to 4)`."""
    pixels = picture.image
    if picture.alpha is not None:
        pixels = np.dstack([pixels, picture.alpha])
    if file_format in ("BMP", "JPEG"):
        pixels = over_white(pixels)
    if picture.is_grey:
        color, alpha = split_alpha(pixels)
        pixels = np.dstack([luminance(color), alpha])
    is_deep = picture.bits == 16 and file_format in ("PNG", "TIFF")
    return quantize(pixels, "uint16" if is_deep else "uint8")


def _write(file: BinaryIO, pixels: np.ndarray, file_format: str, quality: int, metadata: dict):
    if file_format == "TIFF":
        file.write(encode_tiff(pixels, **metadata))
        return
    if pixels.dtype == np.uint16:
        file.write(encode_deep_png(pixels, **metadata))
        return
    options = {"quality": quality} if file_format in ("JPEG", "WEBP") else {}
    if file_format == "JPEG" and quality >= 90:
        options["subsampling"] = 0  # painted edges are coloured: keep the full chroma
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.save(file, format=file_format, **options, **metadata)
