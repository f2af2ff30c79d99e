"""Files that appear at once and whole, or not at all."""

import contextlib
import os
import pathlib
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
