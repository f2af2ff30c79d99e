"""Reads, writes, resizes and arranges images: float32 RGB in [0, 1], shape `(height, width, 3)`."""

import contextlib
import glob
import io
import os
import struct
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

MIN_SIZE = 16  # pixels: the encoders divide a side by 8 and need something left to normalise
MAX_PIXELS = 2**28  # 16,384 x 16,384, above the largest phone sensors; 3 GB as float32

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

_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {  # EXIF orientation -> what turns the stored pixels upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def load_image(
    source: str | os.PathLike | bytes | BinaryIO,
    dtype: str = "float32",
    max_short_side: int | None = None,
    name: str | None = None,
) -> np.ndarray:
    """Returns the picture in a file as upright RGB.

    The EXIF orientation is applied, transparency is composited over white, and of an animation
    the first frame is taken. Every source is reduced to 8 bits a channel; colour profiles are
    ignored. Safe to call from several threads.

    Args:
        source: path, or an encoded file as `bytes` or as a seekable binary file object.
        dtype: `"float32"` for [0, 1] or `"uint8"` for [0, 255]. Defaults to `"float32"`.
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
    if isinstance(source, bytes):
        stream, name = io.BytesIO(source), name or f"{len(source)} bytes"
    elif isinstance(source, (str, os.PathLike)):
        stream, name = _open_file(source), name or os.fspath(source)
    else:
        name = name or str(getattr(source, "name", source))
        stream = contextlib.nullcontext(source)  # the caller's to close
    with stream as file:
        pixels = np.array(_decode(file, name, max_short_side))
    return pixels if dtype == "uint8" else _to_float(pixels)


def to_image(image: str | os.PathLike | Image.Image | np.ndarray) -> np.ndarray:
    """Returns a path, a Pillow image or an array as a float32 RGB image.

    Args:
        image: path; Pillow image; or array of shape `(height, width, 3)`, `(height, width, 1)`
            or `(height, width)`, either float in [0, 1] or uint8 in [0, 255].

    Returns:
        float32 array of shape `(height, width, 3)` in [0, 1].

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: for another shape, dtype or range, NaN, or a side under 16 pixels.
    """
    if isinstance(image, (str, os.PathLike)):
        return load_image(image)
    if isinstance(image, Image.Image):
        _check_size(image.size, "a Pillow image")
        return _to_float(np.array(_finish(image, "a Pillow image")))
    image = _to_float(_as_rgb_array(image))
    _check_size(image.shape[1::-1], "an array")
    return image


def save_image(image: np.ndarray, path: str | os.PathLike, quality: int = 95) -> None:
    """Writes an image in the format that the path's suffix names.

    The file appears at once and whole: it is written under a temporary name beside `path` and
    then renamed. Missing folders are created. Floats are clipped to [0, 1] and rounded to 8 bits,
    so uint8 pixels survive a lossless format exactly.

    Args:
        image: array of shape `(height, width, 3)` or `(height, width)`, float in [0, 1] or uint8.
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
    picture = Image.fromarray(_to_uint8(_as_rgb_array(image)))
    options = {"quality": quality} if file_format in ("JPEG", "WEBP") else {}
    if file_format == "JPEG" and quality >= 90:
        options["subsampling"] = 0  # painted edges are coloured: keep the full chroma

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with open(temporary, "xb") as file:
            picture.save(file, format=file_format, **options)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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
    image = _as_rgb_array(image)
    if (short_side is None) == (size is None) or min(size or (short_side,)) < 1:
        raise ValueError(
            "Expected either a positive short_side or a positive size. "
            f"Received: short_side={short_side}, size={size}"
        )
    width, height = size[::-1] if size else _scaled(image.shape[1::-1], short_side)
    if image.dtype == np.uint8:
        resized = Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS)
        return np.array(resized)
    channels = [Image.fromarray(image[..., i].astype("float32")) for i in range(3)]
    resized = [channel.resize((width, height), Image.Resampling.LANCZOS) for channel in channels]
    return np.clip(np.stack(resized, axis=-1), 0, 1)


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


def make_contact_sheet(
    contents: Sequence[np.ndarray],
    styles: Sequence[np.ndarray],
    results: Sequence[Sequence[np.ndarray]],
    cell_size: int = 256,
) -> np.ndarray:
    """Returns one image that shows every content (left) in every style (top).

    Images of any size are fitted into square cells, antialiased, on white.

    Args:
        contents: images, or one array of shape `(num_contents, height, width, 3)`.
        styles: images, or one array of shape `(num_styles, height, width, 3)`.
        results: `results[i][j]` is content `i` in style `j`.
        cell_size: side of a cell in pixels. Defaults to 256.

    Returns:
        float32 array `(height, width, 3)` of `num_contents + 1` by `num_styles + 1` cells with
        gaps of `cell_size // 32` pixels between and around them.

    Raises:
        ValueError: if the results do not match the contents and styles in number.
    """
    shape = [len(row) for row in results]
    if shape != [len(styles)] * len(contents):
        raise ValueError(
            f"Expected {len(contents)} rows of {len(styles)} results. Received: rows of {shape}"
        )
    rows = [[None, *styles]] + [[c, *row] for c, row in zip(contents, results, strict=True)]
    gap = cell_size // 32
    pitch = cell_size + gap
    sheet = np.ones((len(rows) * pitch + gap, len(rows[0]) * pitch + gap, 3), np.float32)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            if image is not None:
                _paste(sheet, image, gap + i * pitch, gap + j * pitch, cell_size)
    return sheet


def _paste(sheet: np.ndarray, image: np.ndarray, top: int, left: int, cell_size: int) -> None:
    image = _to_float(_as_rgb_array(image))
    scale = cell_size / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    top, left = top + (cell_size - height) // 2, left + (cell_size - width) // 2
    sheet[top : top + height, left : left + width] = resize_image(image, size=(height, width))


def _open_file(path: str | os.PathLike) -> BinaryIO:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"Expected an image file. Received: {path}, not found") from None
    except IsADirectoryError:
        raise ValueError(f"Expected an image file. Received: {path}, a folder") from None


def _decode(stream: BinaryIO, name: str, max_short_side: int | None) -> Image.Image:
    try:
        image = _read_header(stream)
    except Exception as error:  # a broken file makes Pillow raise a dozen different kinds
        raise _unreadable(name, error) from error
    _check_size(image.size, name)
    if max_short_side is not None:
        image.draft(None, (2 * max_short_side,) * 2)  # JPEG only: decode at 1/2, 1/4 or 1/8
    return _finish(image, name, max_short_side)


def _read_header(stream: BinaryIO) -> Image.Image:
    # Not `Image.open`: that warns of, or refuses, pictures that MAX_PIXELS allows, and only
    # process-wide settings would stop it.
    Image.init()
    stream.seek(0)
    prefix = stream.read(16)
    if not prefix:
        raise ValueError("the file is empty")
    for factory, accept in list(Image.OPEN.values()):
        with contextlib.suppress(SyntaxError, IndexError, TypeError, struct.error):
            accepted = accept is None or accept(prefix)
            if accepted and not isinstance(accepted, str):  # a str says why not
                stream.seek(0)
                return factory(stream, "")
    raise ValueError("no image format that Pillow knows")


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if min(size) < MIN_SIZE or width * height > MAX_PIXELS:
        raise ValueError(
            f"Expected an image with sides of at least {MIN_SIZE} pixels and at most "
            f"{MAX_PIXELS:,} pixels in all. Received: {name}, {width} x {height} pixels"
        )


def _finish(image: Image.Image, name: str, max_short_side: int | None = None) -> Image.Image:
    """Decodes the pixels: upright 8-bit RGB with a short side of at most `max_short_side`."""
    try:
        image.load()
        rgb = _convert_to_rgb(image)
        if max_short_side is not None and min(rgb.size) > max_short_side:
            size = _scaled(rgb.size, max_short_side)
            rgb = rgb.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        orientation = _orientation(image)
        return rgb.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else rgb
    except Exception as error:
        raise _unreadable(name, error) from error


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:  # broken metadata is no reason to refuse the picture
        return 1


def _convert_to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F" or image.mode.startswith("I"):
        return _grey_to_8_bits(image).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _grey_to_8_bits(image: Image.Image) -> Image.Image:
    grey, top = np.asarray(image), 1.0 if image.mode == "F" else 65535
    if not (grey.min() >= 0 and grey.max() <= top):  # also catches NaN
        raise ValueError(f"grey values from {grey.min()} to {grey.max()}, not in [0, {top}]")
    return Image.fromarray(np.rint(grey * (255 / top)).astype("uint8"))


def _unreadable(name: str, error: Exception) -> ValueError:
    return ValueError(f"Expected an image file that Pillow reads. Received: {name} ({error})")


def _as_rgb_array(image: np.ndarray) -> np.ndarray:
    """Checks shape and dtype; grey becomes RGB."""
    image = np.asarray(image)
    is_number = image.dtype == np.uint8 or np.issubdtype(image.dtype, np.floating)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[-1] not in (1, 3) or 0 in image.shape or not is_number:
        raise ValueError(
            "Expected an image of shape (height, width, 3) or (height, width), float in [0, 1] or "
            f"uint8. Received: shape={image.shape}, dtype={image.dtype}"
        )
    return image if image.shape[-1] == 3 else np.repeat(image, 3, axis=-1)


def _to_float(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint8:
        image = image.astype("float32")
        image /= 255
        return image
    low, high = image.min(), image.max()
    if not (low >= -1e-3 and high <= 1 + 1e-3):  # rounding is forgiven; also catches NaN
        raise ValueError(f"Expected float values in [0, 1]. Received: values in [{low}, {high}]")
    return np.clip(image.astype("float32"), 0, 1)


def _to_uint8(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint8:
        return image
    if not np.isfinite(image).all():
        raise ValueError("Expected finite values. Received: an image with NaN or infinity")
    return np.rint(np.clip(image, 0, 1).astype("float32") * 255).astype("uint8")


def _scaled(size: tuple[int, int], short_side: int) -> tuple[int, int]:
    width, height = size
    scale = short_side / min(size)
    return max(1, round(width * scale)), max(1, round(height * scale))
