"""Files on this machine's disks, or wherever Beam's file systems reach: `gs://`, `hdfs://`, ..."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.checks import shorten


def is_remote(path: str) -> bool:
    """Returns whether a path is one of Beam's file systems, not of this machine."""
    return "://" in path


def join(folder: str, name: str) -> str:
    """Returns the path of a file in a folder; the name may hold slashes."""
    return f"{folder.rstrip('/')}/{name}" if is_remote(folder) else os.path.join(folder, name)


def list_files(folder: str) -> list[str]:
    """Returns the paths of all files below a folder; none where there is no such folder."""
    if is_remote(folder):
        return match(join(folder, "**"))
    found = os.walk(folder)
    return [os.path.join(parent, name) for parent, _, names in found for name in names]


def match(pattern: str) -> list[str]:
    """Returns the paths of a remote pattern's files, sorted; maybe none.

    Raises:
        OSError: The file system is unknown or does not answer.
    """
    with _naming(pattern):
        (result,) = FileSystems.match([pattern])
        return sorted(metadata.path for metadata in result.metadata_list)


def read_bytes(path: str) -> bytes:
    """Returns what a file holds.

    Raises:
        OSError: It cannot be read.
    """
    with (
        _naming(path),
        FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file,
    ):
        return file.read()


@contextlib.contextmanager
def open_file(path: str) -> Iterator[BinaryIO]:
    """Opens a file for reading, unpacked as its suffix says (`.gz`).

    Raises:
        OSError: It cannot be opened.
    """
    with _naming(path):
        file = FileSystems.open(path)
    with file:
        yield file


@contextlib.contextmanager
def written_whole(path: str) -> Iterator[pathlib.Path]:
    """Gives a temporary path on this machine to write to; the file then appears at once.

    Object stores show a file when it is complete; elsewhere it is renamed.
    """
    if not is_remote(path):
        with renamed_when_done(path) as temporary:
            yield temporary
        return
    with tempfile.TemporaryDirectory() as folder:
        temporary = pathlib.Path(folder) / path.rpartition("/")[2]
        yield temporary
        encoded = temporary.read_bytes()
    with (
        _naming(path, "written"),
        FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as file,
    ):
        file.write(encoded)


def remove(paths: Sequence[str]) -> None:
    """Removes files, if they are there."""
    remote = [path for path in paths if is_remote(path)]
    for path in paths:
        if not is_remote(path):
            pathlib.Path(path).unlink(missing_ok=True)
    if remote:
        with _naming(remote[0], "removed"):
            FileSystems.delete([path for path in remote if FileSystems.exists(path)])


@contextlib.contextmanager
def _naming(path, done="read"):
    """Makes one line of what file systems raise: errors of many kinds, some of several lines."""
    try:
        yield
    except Exception as error:
        reason = shorten(" ".join(str(error).split()))
        raise OSError(f"Expected a file that can be {done}. Received: {path} ({reason})") from error
