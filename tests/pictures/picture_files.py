"""Pictures, and files of them, as several tests need them."""

import struct
import zlib

import numpy as np

from stylegan_transfer.pictures import files

HEIGHT, WIDTH = 20, 33

# Stored orientation: what a viewer does to the stored pixels, in NumPy.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


def write(picture, path, **options):
    picture.save(path, **options)
    return path


def smooth_picture(height, width):
    y, x = np.mgrid[:height, :width] / max(height, width)
    return np.stack([x, y, 0.5 + 0.3 * np.sin(6 * x)], -1).astype(np.float32)


def png_chunk(kind, body):
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def random_numbers(bits, channels):
    numbers = np.random.default_rng(bits + channels).integers(0, 2**bits, (HEIGHT, WIDTH, channels))
    return numbers.astype(f"uint{bits}")


def as_picture(numbers, **metadata):
    """The picture of such numbers, the last of 2 or 4 of which is alpha."""
    bits, channels = 8 * numbers.itemsize, numbers.shape[-1]
    values = (numbers / (2**bits - 1)).astype(np.float32)
    return files.Picture(
        image=np.repeat(values[..., :1], 3, -1) if channels < 3 else values[..., :3],
        alpha=values[..., -1] if channels in (2, 4) else None,
        is_grey=channels < 3,
        bits=bits,
        **metadata,
    )


def assert_same_picture(actual, expected):
    np.testing.assert_array_equal(actual.image, expected.image)
    assert actual.image.dtype == np.float32
    assert (actual.alpha is None) == (expected.alpha is None)
    if expected.alpha is not None:
        np.testing.assert_array_equal(actual.alpha, expected.alpha)
        assert actual.alpha.dtype == np.float32
    assert (actual.is_grey, actual.bits) == (expected.is_grey, expected.bits)


def exif_block(entries, rest=b""):
    """A big-endian block of `(tag, type, count, field)`; `rest` begins at 10 + 12 entries."""
    packed = b"".join(struct.pack(">HHI4s", *entry) for entry in entries)
    return b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", len(entries)) + packed + rest
