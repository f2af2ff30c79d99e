"""Reads and writes PNG and TIFF files with 16 bits a channel, which Pillow cannot hold."""

import struct
import zlib
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from stylegan_transfer.pictures.arrays import to_unit
from stylegan_transfer.pictures.exif import (
    LONG,
    SHORT,
    UNDEFINED,
    Tag,
    encode_directory,
    open_exif,
    read_tags,
    tiff_header,
)


def is_deep_png(file: BinaryIO) -> bool:
    """Whether this is a PNG file with 16 bits a channel."""
    file.seek(0)
    header = file.read(25)
    return header.startswith(b"\x89PNG") and header[24] == 16


def decode_deep_png(file: BinaryIO, image: Image.Image) -> np.ndarray:
    """Returns float32 `(height, width, 1 to 4)`; `image` is the same file as Pillow opened it.

    Pillow drops the lower 8 bits. imagecodecs, of the extra `tiff`, is taken where it is there:
    TensorFlow takes seconds to import.
    """
    file.seek(0)
    encoded = file.read()
    try:
        import imagecodecs
    except ImportError:
        return to_unit(_decode_png_with_tensorflow(encoded, image))
    return to_unit(np.atleast_3d(imagecodecs.png_decode(encoded)))


def _decode_png_with_tensorflow(encoded, image):
    import tensorflow as tf

    has_color_key = "transparency" in image.info
    pixels = tf.io.decode_png(encoded, 4 if has_color_key else 0, tf.uint16).numpy()
    if has_color_key and image.mode.startswith("I"):
        pixels = pixels[..., ::3]  # one of three equal channels, and alpha
    return pixels


def encode_deep_png(pixels: np.ndarray, icc_profile: bytes = b"", exif: bytes = b"") -> bytes:
    """Returns a PNG file of uint16 `(height, width, 1 to 4)`, which Pillow writes only of grey.

    Each byte is stored as the difference to that of the pixel on its left (filter 1). Files of
    photographs become as small as with a filter chosen for each row.

    Reference:
        W3C, "Portable Network Graphics (PNG) Specification", third edition, sections 9 and 11.
    """
    height, width, num_channels = pixels.shape
    color_type = (0, 4, 2, 6)[num_channels - 1]
    chunks = _png_chunk(b"IHDR", struct.pack(">IIBB3x", width, height, 16, color_type))
    if icc_profile:
        chunks += _png_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile))
    if exif:
        chunks += _png_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    stored = pixels.astype(">u2").view("u1").reshape(height, width, 2 * num_channels)
    differences = np.diff(stored, axis=1, prepend=np.zeros_like(stored[:, :1]))
    rows = np.insert(differences.reshape(height, -1), 0, 1, axis=1)  # each begins with its filter
    chunks += _png_chunk(b"IDAT", zlib.compress(rows)) + _png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))


def read_deep_tiff_tags(file: BinaryIO) -> dict[int, Any] | None:
    """Returns the tags of a TIFF file whose 16 bits in several channels Pillow cannot hold.

    `{number: value}` with an array for the value, or an item if there is only one.
    """
    try:
        _, directory = read_tags(file)
    except Exception:  # no TIFF, or BigTIFF
        return None
    tags = {
        tag: values[0] if len(values) == 1 else values
        for tag, (_, values) in directory.items()
        if not isinstance(values, dict)
    }
    is_deep = np.array_equal(np.unique(tags.get(Tag.BitsPerSample, 1)), [16])
    is_unsigned = np.array_equal(np.unique(tags.get(Tag.SampleFormat, 1)), [1])
    is_grey_or_rgb = tags.get(Tag.PhotometricInterpretation) in (1, 2)
    has_channels = tags.get(Tag.SamplesPerPixel, 1) > 1
    return tags if is_deep and is_unsigned and is_grey_or_rgb and has_channels else None


def decode_deep_tiff(file: BinaryIO, tags: dict[int, Any]) -> np.ndarray:
    """Returns float32 `(height, width, 1 to 4)`; `tags` from `read_deep_tiff_tags`."""
    try:
        import tifffile
    except ImportError:
        raise ValueError(
            "TIFF with 16 bits in several channels needs tifffile: "
            "pip install 'stylegan_transfer[tiff]'"
        ) from None
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        pixels = to_unit(tiff.pages[0].asarray())
    if tags.get(Tag.PlanarConfiguration) == 2:
        pixels = np.moveaxis(pixels, 0, -1)
    num_colors = 3 if tags[Tag.PhotometricInterpretation] == 2 else 1
    extra = np.ravel(tags.get(Tag.ExtraSamples, 0))[0]
    if extra == 1:  # premultiplied
        alpha = pixels[..., num_colors : num_colors + 1]
        pixels[..., :num_colors] /= np.maximum(alpha, 1 / 65535)
    return pixels[..., : num_colors + (extra in (1, 2))].clip(0, 1)


def encode_tiff(pixels: np.ndarray, icc_profile: bytes = b"", exif: bytes = b"") -> bytes:
    """Returns a TIFF file of uint8 or uint16 `(height, width, 1 to 4)`, with the tags of EXIF.

    Pillow writes no deep colours, and tifffile no EXIF.
    """
    order, tags = read_tags(open_exif(exif)) if exif else ("<", {})
    height, width, num_channels = pixels.shape
    differences = np.diff(pixels, axis=1, prepend=np.zeros_like(pixels[:, :1]))
    data = zlib.compress(differences.astype(pixels.dtype.newbyteorder(order)))
    data += b"\0" * (len(data) % 2)
    tags |= {
        Tag.ImageWidth: (LONG, [width]),
        Tag.ImageLength: (LONG, [height]),
        Tag.BitsPerSample: (SHORT, [8 * pixels.itemsize] * num_channels),
        Tag.Compression: (SHORT, [8]),  # zlib
        Tag.PhotometricInterpretation: (SHORT, [1 if num_channels < 3 else 2]),
        Tag.StripOffsets: (LONG, [8]),
        Tag.SamplesPerPixel: (SHORT, [num_channels]),
        Tag.RowsPerStrip: (LONG, [height]),
        Tag.StripByteCounts: (LONG, [len(data)]),
        Tag.Predictor: (SHORT, [2]),  # differences
    }
    if num_channels in (2, 4):
        tags[Tag.ExtraSamples] = SHORT, [2]  # alpha that is not multiplied in
    if icc_profile:
        tags[Tag.InterColorProfile] = UNDEFINED, [*icc_profile]
    start = 8 + len(data)
    return tiff_header(order, start) + data + encode_directory(tags, order, start)
