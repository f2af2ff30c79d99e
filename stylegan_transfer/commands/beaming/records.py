"""Pictures in TFRecord files, read without TensorFlow."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from stylegan_transfer.checks import shorten

MAX_RECORD_BYTES = 2**28
IMAGE_FEATURES = ("image/encoded", "image")
_LENGTH_DELIMITED = 2  # the kind of fields that messages and bytes have in protocol buffers


def is_records(path: str) -> bool:
    """Returns whether a path or a pattern has the name of TFRecord files."""
    return ".tfrecord" in path.rpartition("/")[2]


def read_records(file: BinaryIO, name: str) -> Iterator[bytes]:
    """Yields the records of a TFRecord file: each has its length before it, and checksums.

    Checksums are not compared: a damaged picture cannot be decoded either.

    Raises:
        ValueError: The file ends within a record, or a length is no length.
    """
    while header := file.read(12):
        (length,) = struct.unpack("<Q", header[:8].ljust(8, b"\0"))
        is_whole = len(header) == 12 and length <= MAX_RECORD_BYTES
        record = file.read(length + 4) if is_whole else b""
        if len(record) != length + 4:
            raise ValueError(f"Expected whole records. Received: {name}, damaged")
        yield record[:length]


def find_picture(record: bytes, feature: str | None) -> bytes:
    """Returns the encoded picture of a record: a feature of a `tf.train.Example`, or the record.

    Args:
        record: What the file holds.
        feature: The feature's name. Default: one of `IMAGE_FEATURES`.

    Raises:
        ValueError: It is an Example without such a feature.
    """
    try:
        features = _read_example(record)
    except (ValueError, LookupError):
        features = None
    if not features and feature is None:
        return record
    names = IMAGE_FEATURES if feature is None else (feature,)
    found = [features[name] for name in names if features and name in features]
    if not found:
        has = "no Example" if not features else shorten(", ".join(sorted(features)))
        raise ValueError(f"Expected a feature {' or '.join(names)} of bytes. Received: {has}")
    return found[0]


def _read_example(record):
    """The features of an Example by name, as bytes; those without bytes are empty.

    Example { Features = 1 }, Features { map<string, Feature> = 1 }, Feature { BytesList = 1 },
    BytesList { repeated bytes = 1 }; a map has entries { key = 1, value = 2 }.
    """
    found = {}
    for _, features in _fields(record, {1}):
        for _, entry in _fields(features, {1}):
            parts = dict(_fields(entry, {1, 2}))
            values = [
                value
                for kind, values in _fields(parts.get(2, b""), {1, 2, 3})
                if kind == 1
                for _, value in _fields(values, {1})
            ]
            found[parts[1].decode()] = values[0] if values else b""
    return found


def _fields(message, known):
    """Yields `(number, bytes)` of the fields of a message that has no other kinds of them."""
    position = 0
    while position < len(message):
        tag, position = _number(message, position)
        length, position = _number(message, position)
        end = position + length
        if tag & 7 != _LENGTH_DELIMITED or tag >> 3 not in known or end > len(message):
            raise ValueError("no such message")
        yield tag >> 3, message[position:end]
        position = end


def _number(message, position):
    """A number of seven bits a byte, the lowest first, and the position after it."""
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position
        if shift > 63:
            raise ValueError("no number")
