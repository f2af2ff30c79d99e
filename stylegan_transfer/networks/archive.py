"""Checks of files that are zip archives, before anything of them is unpacked into memory."""

import pathlib
import zipfile

import h5py

from stylegan_transfer import hub
from stylegan_transfer.checks import expect

MAX_RATIO = 4  # unpacked to packed: weights are hardly compressible, and Keras stores them as is
_MARGIN = 2**24  # bytes: texts may well be packed tighter
_WEIGHTS = "model.weights.h5"


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
        missing = [name for name in hub.FILES if name not in archive.namelist()]
        expect(not missing, f"an archive with {', '.join(hub.FILES)}", missing=missing)
        with archive.open(_WEIGHTS) as file:
            _check_weights(file, archive.getinfo(_WEIGHTS).file_size)


def check_keras_folder(path: pathlib.Path) -> None:
    """Raises a `ValueError` unless this is an unpacked `.keras` file whose sizes are plausible."""
    missing = [name for name in hub.FILES if not (path / name).is_file()]
    expect(not missing, f"a folder with {', '.join(hub.FILES)}", missing=missing)
    _check_weights(path / _WEIGHTS, (path / _WEIGHTS).stat().st_size)


def _check_weights(file, size):
    """A data set may claim any shape, whatever the file holds of it, or point to another file."""
    claimed = 0

    def add(name, item):
        nonlocal claimed
        if isinstance(item, h5py.Dataset):
            claimed += item.size * item.dtype.itemsize
            expect(not item.external, "weights within the file", external=name)

    with h5py.File(file) as weights:
        weights.visititems(add)
    expect(claimed <= MAX_RATIO * size, f"at most {MAX_RATIO * size:,} bytes", weights=claimed)
