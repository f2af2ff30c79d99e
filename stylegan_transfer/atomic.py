"""Files that appear at once and whole, or not at all."""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def renamed_when_done(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Gives a temporary path of the same name in a hidden folder beside `path`, to write to.

    When the block ends, the file is renamed to `path`; when it fails, it is removed. Missing
    folders are created.

    Raises:
        OSError: The file cannot be written, such as on a full disk; the message names it.
    """
    path, folder = pathlib.Path(path), None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".saving-") as folder:
            temporary = pathlib.Path(folder) / path.name
            yield temporary
            os.replace(temporary, path)
    except OSError as error:
        if error.errno is None or not _is_about(error, folder):
            raise
        named = type(error)(
            f"Expected a file that can be written. Received: {path} ({error.strerror})"
        )
        named.errno = error.errno
        raise named from error


def _is_about(error, folder):
    """Whether an error is one of writing: the block may as well fail at what it reads."""
    name = error.filename
    if name is None or folder is None:
        return True
    return pathlib.Path(folder).name in pathlib.Path(os.fsdecode(name)).parts


def check_place(path: str | os.PathLike) -> None:
    """Raises an `OSError` unless a file can come here, as far as one can tell without writing.

    For long work whose result would have no place in the end.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"Expected a file to write to. Received: {path}, a folder")
    parent = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise PermissionError(f"Expected a folder to write {path.name} to. Received: {path.parent}")


def remove_leftovers(folder: pathlib.Path) -> None:
    """Removes what killed processes left half written in a folder."""
    for leftover in filter(pathlib.Path.is_dir, folder.glob(".saving-*")):
        shutil.rmtree(leftover)
