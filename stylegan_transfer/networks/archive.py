"""Checks of files that are zip archives, before anything of them is unpacked into memory."""

import pathlib
import zipfile

import h5py

from stylegan_transfer.checks import expect

MAX_RATIO = 4  # unpacked to packed: weights are hardly compressible, and Keras stores them as is
_MARGIN = 2**24  # bytes: texts may well be packed tighter
MEMBERS = ("config.json", "metadata.json", "model.weights.h5")  # of a `.keras` file


def check_archive(path: pathlib.Path) -> None:
    """Raises a `ValueError` unless this is a whole zip archive that unpacks to what it may.

    A file of a few megabytes can unpack to terabytes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        raise ValueError(f"not a whole zip archive: {error}") from error
    limit = MAX_RATIO * path.stat().st_size + _MARGIN
    if unpacked > limit:
        raise ValueError(f"it unpacks to {unpacked:,} bytes, where {limit:,} are expected at most")


def check_keras_file(path: pathlib.Path) -> None:
    """Raises a `ValueError` unless this is a whole `.keras` file whose sizes are plausible."""
    check_archive(path)
    with zipfile.ZipFile(path) as archive:
        missing = [name for name in MEMBERS if name not in archive.namelist()]
        expect(not missing, f"an archive with {', '.join(MEMBERS)}", missing=missing)
        size = archive.getinfo("model.weights.h5").file_size
        with archive.open("model.weights.h5") as file, h5py.File(file) as weights:
            _check_weights(weights, size)


def _check_weights(weights, size):
    """A data set may claim any shape, whatever the file holds of it, or point to another file."""
    claimed = 0

    def add(name, item):
        nonlocal claimed
        if isinstance(item, h5py.Dataset):
            claimed += item.size * item.dtype.itemsize
            expect(not item.external, "weights within the file", external=name)

    weights.visititems(add)
    expect(claimed <= MAX_RATIO * size, f"at most {MAX_RATIO * size:,} bytes", weights=claimed)
