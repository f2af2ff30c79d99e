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
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".saving-") as folder:
        temporary = pathlib.Path(folder) / path.name
        yield temporary
        os.replace(temporary, path)
