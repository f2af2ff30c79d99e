"""The record of an output folder: which result was made of what."""

import functools
import hashlib
import json
import os
import pathlib

from stylegan_transfer import shipped
from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.commands.pairs import CONTACT_SHEET, Job, Style, is_clip
from stylegan_transfer.commands.stylization.options import LOOK, StylizeOptions

NAME = "stylize.json"
_FORMAT = 1
# What JSON of another kind raises when it is read as a record.
_NO_RECORD = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


class Makings:
    """What results are made of: the contents of files as SHA-256, and options.

    Args:
        options: Of the run.
    """

    def __init__(self, options: StylizeOptions):
        self._options = options
        self._hash = functools.cache(hash_file)

    def of(self, job: Job) -> dict:
        """Returns what determines the result of a job, as JSON holds it.

        Raises:
            OSError: A file cannot be read.
        """
        options = self._options
        fine_style = options.fine_style and self._hash(options.fine_style)
        return {
            "content": self._hash(job.content),
            "style": [self._hash(path) for path in job.style.paths],
            "weights": job.style.weights and list(job.style.weights),
            "mask": [self._hash(path) for path in options.mask],
            "fine_style": fine_style,
            "generator": self._hash(options.generator or shipped.GENERATOR),
            **{name: getattr(options, name) for name in LOOK if name != "lossless"},
            **({"lossless": options.lossless} if is_clip(job.content) else {}),
        }


def hash_file(path: str | os.PathLike) -> str:
    """Returns the SHA-256 of a file's contents; of a folder's, with the names of its files.

    Raises:
        OSError: A file cannot be read.
    """
    if os.path.isdir(path):
        files = sorted(file for file in pathlib.Path(path).iterdir() if file.is_file())
        parts = "".join(f"{file.name}:{hash_file(file)}\n" for file in files)
        return hashlib.sha256(parts.encode()).hexdigest()
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    except OSError as error:
        reason = f"Expected a file that can be read. Received: {path} ({error.strerror})"
        raise type(error)(reason) from error
    return digest.hexdigest()


class Record:
    """What `stylize.json` in an output folder says: one entry a result, by its file's name.

    An entry names the pair, by paths relative to the folder, and what the result was made of. That
    is missing while the result is only planned: so what an interrupted run has not come to is
    never taken for done, whatever the folder held before.

    Args:
        folder: The output folder.
        entries: From `Record.read`. Default: none.
    """

    def __init__(self, folder: pathlib.Path, entries: dict[str, dict] | None = None):
        self._folder, self.path = folder, folder / NAME
        self._entries = dict(entries or {})

    @classmethod
    def read(cls, folder: pathlib.Path) -> "Record":
        """Returns the record of a folder; an empty one where there is none.

        Raises:
            ValueError: It is damaged, or not from this version.
        """
        path = folder / NAME
        if not path.exists():
            return cls(folder)
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            is_ours = record["format"] == _FORMAT and not isinstance(record["format"], bool)
            entries = {n: _check_entry(n, entry) for n, entry in record["results"].items()}
        except _NO_RECORD as error:
            is_ours, entries, cause = False, {}, f" ({type(error).__name__}: {error})"
        else:
            cause = f" (format {record['format']})"
        if not is_ours:
            raise ValueError(
                "Expected the record of an earlier run, or --overwrite to paint all anew. "
                f"Received: {path}{cause}"
            )
        return cls(folder, entries)

    def save(self) -> None:
        """Writes the record into its folder."""
        record = {"format": _FORMAT, "results": dict(sorted(self._entries.items()))}
        with renamed_when_done(self.path) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")

    @property
    def results(self) -> list[pathlib.Path]:
        """The files of all results, finished or planned, and of their contact sheet."""
        return [self._folder / name for name in (*self._entries, CONTACT_SHEET)]

    def names(self, pairs: list[tuple[pathlib.Path, Style]]) -> dict:
        """Returns the names that those of the pairs have which it knows."""
        known = {entry["pair"]: name for name, entry in self._entries.items()}
        found = {pair: known.get(self._key(*pair)) for pair in pairs}
        return {pair: name for pair, name in found.items() if name is not None}

    def knows(self, job: Job) -> bool:
        """Returns whether the file of a job is a result, finished or planned."""
        return job.output.name in self._entries

    def makings(self, job: Job) -> dict | None:
        """Returns what a finished result was made of; None of one that is not finished."""
        return self._entries.get(job.output.name, {}).get("made_of")

    def plan(self, job: Job) -> None:
        """Takes in a result that is yet to be made."""
        self._entries[job.output.name] = {"pair": self._key(job.content, job.style)}

    def finish(self, job: Job, makings: dict) -> None:
        """Takes in a result that has been made, and its file's contents as SHA-256."""
        pair = self._key(job.content, job.style)
        entry = {"pair": pair, "made_of": makings, "result": hash_file(job.output)}
        self._entries[job.output.name] = entry

    def is_changed(self, job: Job) -> bool:
        """Returns whether the file of a finished result is not as it was written."""
        written = self._entries[job.output.name].get("result")
        return written is not None and hash_file(job.output) != written

    def _key(self, content, style):
        """A pair's name: the same from wherever the command is given, and if all moves as one."""
        paintings = os.path.commonpath([os.path.abspath(path) for path in style.paths])
        return (self._relative(content), style.name, self._relative(paintings))

    def _relative(self, path):
        path = pathlib.Path(path)
        real = path.parent.resolve() / path.name
        try:
            return pathlib.Path(os.path.relpath(real, self._folder.resolve())).as_posix()
        except ValueError:  # another drive of Windows
            return real.as_posix()


def _check_entry(name, entry):
    """Returns an entry as it is kept, or raises what `Record.read` catches."""
    content, style, paintings = entry["pair"]
    if pathlib.PurePath(name).name != name or "\0" in name:
        raise ValueError(f"a result outside of the folder: {name}")
    checked = {"pair": (str(content), str(style), str(paintings))}
    if "made_of" in entry:
        checked["made_of"] = dict(entry["made_of"])
        if "result" in entry:
            checked["result"] = str(entry["result"])
    return checked
