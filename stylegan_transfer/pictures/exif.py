"""Reads and writes EXIF blocks and the tags of TIFF files.

Both are built alike: a header and a directory of tags. Pillow would replace the letters beyond
ASCII in what it rewrites, such as the copyright sign.
"""

import contextlib
import io
import struct
from typing import BinaryIO

import numpy as np
from PIL import ExifTags

Tag = ExifTags.Base
# A TIFF file keeps EXIF among the tags that describe its pixels. Those have numbers below 700,
# except for XMP, Photoshop's resources and layers, and the profile.
_METADATA_BELOW_700 = {*range(269, 273), 282, 283, *range(285, 288), 296, 305, 306, 315, 316}
_NO_METADATA = {700, 34377, 37724, Tag.InterColorProfile}
_SUBDIRECTORIES = {34665: {40965: {}}, 34853: {}}  # EXIF, interoperability within it, and GPS
_DTYPES = (None, "u1", "u1", "u2", "u4", "V8", "i1", "u1", "i2", "i4", "V8", "f4", "f8")
SHORT, LONG, UNDEFINED = 3, 4, 7  # indices of these types


def read_metadata(file: BinaryIO, exif: bytes | None) -> bytes | None:
    """Returns what is worth keeping of an EXIF block, or without one of a TIFF file, as a block."""
    try:
        order, tags = read_tags(open_exif(exif) if exif else file)
    except Exception:
        return None
    tags = {
        tag: value
        for tag, value in tags.items()
        if tag not in _NO_METADATA and (tag > 700 or tag in _METADATA_BELOW_700)
    }
    if not tags:
        return None
    return b"Exif\0\0" + tiff_header(order, 8) + encode_directory(tags, order, 8)


def open_exif(exif: bytes) -> BinaryIO:
    return io.BytesIO(exif.removeprefix(b"Exif\0\0"))


def read_tags(file: BinaryIO) -> tuple[str, dict]:
    """Returns the byte order, "<" or ">", and the first directory: `{tag: (type, values)}`."""
    file.seek(0)
    order = {b"II*\0": "<", b"MM\0*": ">"}[file.read(4)]
    (start,) = struct.unpack(order + "I", file.read(4))
    return order, _read_directory(file, order, start, _SUBDIRECTORIES)


def _read_directory(file: BinaryIO, order: str, start: int, subdirectories: dict) -> dict:
    file.seek(start)
    (num_tags,) = struct.unpack(order + "H", file.read(2))
    directory = {}
    for tag, kind, count, field in struct.iter_unpack(order + "HHI4s", file.read(12 * num_tags)):
        with contextlib.suppress(Exception):  # one broken tag is no reason to lose the others
            dtype = np.dtype(order + _DTYPES[kind])
            if count * dtype.itemsize > 4:
                file.seek(struct.unpack(order + "I", field)[0])
                field = file.read(count * dtype.itemsize)
            values = np.frombuffer(field, dtype, count)
            if tag in subdirectories:
                values = _read_directory(file, order, values[0], subdirectories[tag])
            directory[tag] = kind, values
    return directory


def tiff_header(order: str, start: int) -> bytes:
    return {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", start)


def encode_directory(directory: dict, order: str, start: int) -> bytes:
    """Returns the bytes of a directory, to be put at `start` in the file, and of what it holds."""
    entries, rest = struct.pack(order + "H", len(directory)), b""
    for tag, (kind, values) in sorted(directory.items()):
        end = start + 2 + 12 * len(directory) + 4 + len(rest)
        if isinstance(values, dict):
            count, data = 1, encode_directory(values, order, end)
        else:
            values = np.asarray(values, order + _DTYPES[kind])
            count, data = values.size, values.tobytes()
        if len(data) > 4:
            rest += data + b"\0" * (len(data) % 2)
            data = struct.pack(order + "I", end)
        entries += struct.pack(order + "HHI4s", tag, kind, count, data)
    return entries + bytes(4) + rest
