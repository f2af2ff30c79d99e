"""What `beam` is to paint, as entries that are written to a list: a picture, or records.

The name of a result follows from its content alone, so a later run with more contents finds it.
"""

import collections
import dataclasses
import glob
import itertools
import os
import pathlib
from collections.abc import Iterable, Sequence

from stylegan_transfer.checks import shorten
from stylegan_transfer.commands.beaming import places
from stylegan_transfer.commands.beaming.records import is_records
from stylegan_transfer.pictures.encoding import SAVE_FORMATS
from stylegan_transfer.pictures.files import IMAGE_SUFFIXES, list_images


@dataclasses.dataclass(frozen=True)
class Entry:
    """A picture file, or a part of a TFRecord file.

    Attributes:
        path: The file.
        name: Of its results, without style and suffix; of records, their folder. With slashes.
        styles: Names of the styles that it is to be painted in.
        feature: Of records: the feature of the pictures, or None.
        first: Of records: the first one.
        last: Of records: the one after the last; None: to the end.
        done: Of records: the names of the results in their folder.
    """

    path: str
    name: str
    styles: tuple[str, ...]
    feature: str | None = None
    first: int = 0
    last: int | None = None
    done: tuple[str, ...] = ()


def name_result(name: str, path: str, style: str, suffix: str) -> str:
    """Returns the file of a result, relative to the output folder.

    Args:
        name: Of an `Entry`.
        path: Of the content.
        style: The style's name.
        suffix: `--format`: such as "png", or "same": that of the content.
    """
    end = f".{suffix}"
    if suffix == "same":
        own = pathlib.PurePosixPath(path).suffix.lower()
        end = own if own in SAVE_FORMATS else ".png"
    return f"{name}_{style}{end}"


def find_entries(
    sources: Sequence[str],
    output: str,
    styles: tuple[str, ...],
    feature: str | None = None,
    data_dir: str | None = None,
) -> list[Entry]:
    """Returns an entry for each file that `--content` names, each file once.

    Raises:
        FileNotFoundError: A source names no picture outside of the output folder.
        OSError: A list or a remote folder cannot be read.
        ValueError: Two contents would have one result, or a data set cannot be used.
    """
    entries = {}
    for source in sources:
        if source.startswith("tfds:"):
            found = _read_tfds(source, styles, data_dir)
        else:
            found = [
                Entry(path, name, styles, feature if is_records(path) else None)
                for path, name in _find_files(source, output)
            ]
        for entry in found:
            entries.setdefault((entry.path, entry.first), entry)
    return _with_names_apart([*entries.values()])


def _find_files(source, output):
    """The files of a source as `(path, name)`."""
    if source.lower().endswith(".txt"):
        paths, root = _read_list(source)
    elif places.is_remote(source):
        paths, root = _find_remote(source)
    elif is_records(source):
        paths, root = sorted(glob.glob(source, recursive=True)), _root(source)
    else:
        paths, root = map(os.fspath, list_images(source)), _root(source)
    paths = list(_outside(paths, output))
    if not paths:
        raise FileNotFoundError(
            f"Expected pictures or TFRecord files outside of the output folder {output}. "
            f"Received: --content={shorten(source)}"
        )
    return [(path, _name(path, root)) for path in paths]


def _name(path, root):
    """A file's name below the root, without the suffix of a picture."""
    name = pathlib.PurePath(path if places.is_remote(path) else os.path.abspath(path)).as_posix()
    root = pathlib.PurePath(root).as_posix().rstrip("/") + "/"
    name = name.removeprefix(root) if name.startswith(root) else name.rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    return stem if f"{dot}{suffix}".lower() in IMAGE_SUFFIXES else name


def _root(source):
    """The folder below which a folder, pattern or file keeps its subfolders."""
    if os.path.isdir(source):
        return os.path.abspath(source)
    if os.path.isfile(source):
        return os.path.dirname(os.path.abspath(source))
    return os.path.abspath(_fixed_part(source))


def _fixed_part(pattern):
    return "/".join(itertools.takewhile(lambda p: not glob.has_magic(p), pattern.split("/")))


def _read_list(source):
    try:
        lines = places.read_bytes(source).decode().splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"Expected a list of paths. Received: {source}, no text") from None
    paths = [line.strip() for line in lines if line.strip()]
    return paths, _common_folder(paths)


def _common_folder(paths):
    """The folder that holds all of the paths; "" where there is none."""
    parts = [
        (path if places.is_remote(path) else os.path.abspath(path)).split("/")[:-1]
        for path in paths
    ]
    same = itertools.takewhile(lambda row: len({*row}) == 1, zip(*parts, strict=False))
    return "/".join(row[0] for row in same)


def _find_remote(source):
    is_folder = not glob.has_magic(source) and not is_records(source)
    if is_folder and not source.lower().endswith(IMAGE_SUFFIXES):
        pattern, root = places.join(source, "**"), source.rstrip("/")
    else:
        pattern, root = source, _fixed_part(source)
    if root == pattern:
        root = root.rpartition("/")[0]
    paths = places.match(pattern)
    return [p for p in paths if p.lower().endswith(IMAGE_SUFFIXES) or is_records(p)], root


def _outside(paths: Iterable[str], output):
    """Those of the paths that are no results."""
    if places.is_remote(output):
        return (path for path in paths if not path.startswith(f"{output.rstrip('/')}/"))
    folder = os.path.join(os.path.realpath(output), "")
    real = {}  # folders are resolved once each
    return (
        path
        for path in paths
        if places.is_remote(path)
        or not os.path.join(
            real.setdefault(os.path.dirname(path), os.path.realpath(os.path.dirname(path))), ""
        ).startswith(folder)
    )


def _with_names_apart(entries):
    """The entries; those of one name, such as a.jpg and a.png, get their suffixes back."""
    counts = collections.Counter(entry.name.casefold() for entry in entries)
    apart = [
        entry
        if counts[entry.name.casefold()] == 1
        else dataclasses.replace(entry, name=f"{entry.name}{pathlib.PurePath(entry.path).suffix}")
        for entry in entries
    ]
    taken = {}
    for entry in apart:
        other = taken.setdefault((entry.name.casefold(), entry.first), entry)
        if other is not entry:
            raise ValueError(
                "Expected contents of different names, or in different folders of one --content. "
                f"Received: {shorten(other.path)} and {shorten(entry.path)}"
            )
    return apart


def _read_tfds(source, styles, data_dir):
    """An entry for each part of a data set's files, in the folder NAME/FILE."""
    from stylegan_transfer.training.sources import open_tfds

    builder, split, key = open_tfds(source, data_dir)
    kind = getattr(builder.info.file_format, "value", "tfrecord")
    if kind != "tfrecord":
        raise ValueError(f"Expected a data set of TFRecord files. Received: {source}, {kind}")
    try:
        parts = builder.info.splits[split].file_instructions
    except (KeyError, ValueError, AssertionError) as error:
        reason = shorten(" ".join(str(error).split()))
        raise ValueError(f"Expected a split. Received: {source} ({reason})") from None
    for part in parts:
        end = part.skip + part.take if part.take >= 0 else None
        name = f"{builder.name}/{os.path.basename(part.filename)}"
        yield Entry(str(part.filename), name, styles, key, part.skip, end)
