"""Reads and writes image files: as plain arrays, or as pictures with all that belongs to them."""

import contextlib
import glob
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.checks import describe, expect, is_path, is_whole, shorten
from stylegan_transfer.pictures.arrays import (
    MAX_PIXELS,
    MIN_SIZE,
    as_rgb_array,
    check_range,
    over_white,
    quantize,
    resize,
    scaled_size,
    split_alpha,
    split_image,
    to_float,
)
from stylegan_transfer.pictures.decoding import decode_file
from stylegan_transfer.pictures.encoding import SAVE_FORMATS, stored_pixels, write_picture
from stylegan_transfer.pictures.exif import read_metadata
from stylegan_transfer.pictures.picture import Picture
from stylegan_transfer.pictures.profiles import srgb_profile

IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")


def load_picture(
    source: str | os.PathLike | bytes | BinaryIO,
    name: str | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Picture:
    """Returns the picture in a file with its transparency, bit depth and metadata.

    The EXIF orientation is applied, colours are converted to sRGB if a profile is embedded, and of
    several frames or pages the first is taken. 16 bits are kept of grey and RGB, with or without
    alpha, in PNG and TIFF; other deep files (CMYK, RGB in PPM) come as 8 bits. A 16-bit profile
    that is a table instead of primaries and curves converts with a precision of 8 bits. TIFF with
    16 bits in several channels needs `tifffile`, the extra `tiff`.

    Args:
        source: A path, or an encoded file as `bytes` or as a seekable binary file object.
        name: What error messages call the source. Default: the path.
        max_pixels: A picture of more is refused by its header, before it is decoded.

    Returns:
        A `Picture`; colours under full transparency are kept.

    Raises:
        FileNotFoundError: The path does not exist.
        ValueError: It is no complete picture with sides of at least 16 pixels and at most
            `max_pixels` pixels.

    Example:
        >>> import numpy as np
        >>> import stylegan_transfer
        >>> grey = np.full((32, 48, 3), 0.5)
        >>> stylegan_transfer.save_picture(stylegan_transfer.Picture(grey, bits=16), "deep.png")
        >>> picture = stylegan_transfer.load_picture("deep.png")
        >>> picture.image.shape, picture.bits
        ((32, 48, 3), 16)
    """
    with _open(source, name) as (file, name):
        pixels, info = decode_file(file, name, max_pixels=max_pixels)
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
        source: A path, or an encoded file as `bytes` or as a seekable binary file object.
        dtype: `"float32"` for [0, 1], in the file's precision, or `"uint8"` for [0, 255].
        max_short_side: A larger picture is downsized (antialiased) until its short side has this
            many pixels, at least 16. Much faster than resizing afterwards, because a JPEG is
            then decoded at a fraction of its size. Default: None, the full size.
        name: What error messages call the source. Default: the path.

    Returns:
        float32 or uint8 `(height, width, 3)`.

    Raises:
        FileNotFoundError: The path does not exist.
        ValueError: The source is no complete picture with sides of at least 16 pixels and at
            most `MAX_PIXELS` pixels.

    Example:
        >>> import numpy as np
        >>> import stylegan_transfer
        >>> stylegan_transfer.save_image(np.ones((32, 48, 3)), "white.png")
        >>> image = stylegan_transfer.load_image("white.png", max_short_side=16)
        >>> image.shape, float(image.min())
        ((16, 24, 3), 1.0)
    """
    is_known = isinstance(dtype, str) and dtype in ("float32", "uint8")
    expect(is_known, "float32 or uint8", dtype=dtype)
    is_large = max_short_side is None or is_whole(max_short_side, MIN_SIZE)
    expect(is_large, f"None or at least {MIN_SIZE} pixels", max_short_side=max_short_side)
    with _open(source, name) as (file, name):
        image = over_white(decode_file(file, name, max_short_side)[0])
    if max_short_side is not None and min(image.shape[:2]) > max_short_side:
        image = resize(image, scaled_size(image.shape[:2], max_short_side))
    return quantize(image, "uint8") if dtype == "uint8" else to_float(image)


def save_picture(picture: Picture, path: str | os.PathLike, quality: int = 95) -> None:
    """Writes a picture in the format that the path's suffix names.

    The file appears at once and whole: it is written under a temporary name and then renamed.
    Missing folders are created. Values are rounded, and clipped to [0, 1] where they are not
    further outside than rounding brings them. What a format cannot
    hold is given up: 16 bits except in PNG and TIFF; transparency in JPEG and BMP, which is
    composited over white; one channel in WebP; EXIF and the profile in BMP, and in JPEG EXIF of
    more than 64 KB.

    Args:
        picture: What to write. If it is grey, the luma of its image is.
        path: Where to write; one of the suffixes in `SAVE_FORMATS`.
        quality: 1 to 100, for JPEG and WebP.

    Raises:
        ValueError: The suffix is unknown, or the image or the quality is out of these bounds.

    Example:
        >>> import numpy as np
        >>> import stylegan_transfer
        >>> half = stylegan_transfer.Picture(np.ones((32, 48, 3)), alpha=np.full((32, 48), 0.5))
        >>> stylegan_transfer.save_picture(half, "new_folder/half.png")
        >>> print(f"{stylegan_transfer.load_picture('new_folder/half.png').alpha.max():.2f}")
        0.50
    """
    expect(isinstance(picture, Picture), "a Picture", picture=picture)
    suffix, known = Path(path).suffix.lower() if is_path(path) else "", ", ".join(SAVE_FORMATS)
    expect(suffix in SAVE_FORMATS, f"a path that ends in one of {known}", path=path)
    expect(is_whole(quality, 1, 100), "quality of 1 to 100", quality=quality)
    check_range(picture.pixels)
    pixels = stored_pixels(picture, SAVE_FORMATS[suffix])
    with renamed_when_done(path) as temporary, open(temporary, "xb") as file:
        write_picture(file, picture, pixels, SAVE_FORMATS[suffix], quality)


def save_image(image: np.ndarray, path: str | os.PathLike, quality: int = 95) -> None:
    """Writes an image with 8 bits a channel, as `save_picture` does.

    uint8 pixels survive a lossless format exactly.

    Args:
        image: `(height, width, 3)` or `(height, width)`, or with alpha `(height, width, 4)`, float
            in [0, 1] or uint8.
        path: Where to write; one of the suffixes in `SAVE_FORMATS`.
        quality: 1 to 100, for JPEG and WebP.

    Raises:
        ValueError: The suffix is unknown, or the image or the quality is out of these bounds.

    Example:
        >>> import numpy as np
        >>> import stylegan_transfer
        >>> stylegan_transfer.save_image(np.zeros((32, 48, 3)), "black.png")
        >>> stylegan_transfer.load_image("black.png").shape
        (32, 48, 3)
    """
    save_picture(Picture(*split_image(image)), path, quality)


def list_images(source: str | os.PathLike) -> list[Path]:
    """Returns the image files that a file, a folder or a glob pattern stands for.

    Args:
        source: A file, taken whatever its suffix; a folder, searched with all below it; or a
            pattern such as `"photos/**/*.jpg"`. Hidden files and folders are skipped, and of a
            folder or a pattern only files with a suffix in `IMAGE_SUFFIXES` are taken. Below a
            folder, one that is linked from several places is searched once.

    Returns:
        Sorted list of paths, never empty.

    Raises:
        FileNotFoundError: There is no such image file.

    Example:
        >>> import pathlib
        >>> import stylegan_transfer
        >>> pathlib.Path("photos").mkdir()
        >>> for name in ("b.png", "a.jpg", "notes.txt"):
        ...     pathlib.Path("photos", name).touch()
        >>> [path.name for path in stylegan_transfer.list_images("photos")]
        ['a.jpg', 'b.png']
    """
    expect(is_path(source), "a file, a folder or a pattern", source=source)
    source = os.fspath(source)
    if os.path.isfile(source):
        return [Path(source)]
    is_folder = os.path.isdir(source)
    found = _walk(source) if is_folder else map(Path, glob.glob(source, recursive=True))
    paths = sorted(p for p in found if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
    if not paths:
        raise FileNotFoundError(
            "Expected an image file, a folder with images or a pattern that matches images "
            f"({', '.join(IMAGE_SUFFIXES)}). Received: {shorten(source)}"
        )
    return paths


def _walk(folder: str) -> Iterator[Path]:
    """Yields the files below a folder that are not hidden; loops of links end."""
    seen = {os.path.realpath(folder)}
    for path, folders, names in os.walk(folder, followlinks=True):
        yield from (Path(path, name) for name in names if not name.startswith("."))
        below = {name: os.path.realpath(os.path.join(path, name)) for name in sorted(folders)}
        folders.clear()
        for name, real in below.items():
            if not name.startswith(".") and real not in seen:
                seen.add(real)
                folders.append(name)


@contextlib.contextmanager
def _open(
    source: str | os.PathLike | bytes | BinaryIO, name: str | None = None
) -> Iterator[tuple[BinaryIO, str]]:
    if isinstance(source, bytes):
        yield io.BytesIO(source), name or f"{len(source)} bytes"
    elif hasattr(source, "read") and hasattr(source, "seek"):
        yield source, name or str(getattr(source, "name", source))
    else:
        with _open_path(source) as file:
            yield file, name or os.fspath(source)


def _open_path(path: str | os.PathLike) -> BinaryIO:
    if not is_path(path):
        raise ValueError(f"Expected an image file. Received: {describe(path)}")
    text, kind = shorten(os.fspath(path)), OSError
    try:
        if stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for its writer
            return open(path, "rb")
        kind, reason = ValueError, "a folder" if os.path.isdir(path) else "no file"
    except FileNotFoundError:
        kind, reason = FileNotFoundError, "not found"
    except OSError as error:
        reason = error.strerror
    raise kind(f"Expected an image file. Received: {text}, {reason}")
