"""What a run of `beam` is going to paint, before anything is painted."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Sequence

from stylegan_transfer import hub
from stylegan_transfer.atomic import check_place
from stylegan_transfer.commands import pairs
from stylegan_transfer.commands.beaming import places
from stylegan_transfer.commands.beaming.contents import Entry, find_entries, name_result
from stylegan_transfer.commands.beaming.options import BeamOptions
from stylegan_transfer.commands.beaming.record import NAME, describe_run, join_records
from stylegan_transfer.commands.beaming.records import is_records
from stylegan_transfer.commands.pairs import Style

TODO, FAILURES = "todo.jsonl", "failures.jsonl"


@dataclasses.dataclass(frozen=True)
class Plan:
    """A whole run.

    Attributes:
        styles: The styles.
        entries: What is to be painted.
        num_before: How many results of the entries exist and are kept.
        outdated: The files of results that are to be replaced. They are removed first, so that
            what an interrupted run has not come to is never taken for done.
        record: What the output folder is to tell of its results.
    """

    styles: list[Style]
    entries: list[Entry]
    num_before: int
    outdated: list[str]
    record: dict

    @property
    def has_records(self) -> bool:
        """Whether some of the entries are TFRecord files."""
        return any(is_records(entry.path) for entry in self.entries)


def make_plan(options: BeamOptions) -> Plan:
    """Returns the plan of a run; lists files, loads no network and writes nothing.

    Raises:
        FileExistsError: There are results, which may not be replaced.
        FileNotFoundError: Something that is named does not exist.
        ValueError: The flags do not fit together, to the files or to the earlier run.
    """
    styles = _find_styles(options)
    names = tuple(style.name for style in styles)
    sources = options.content, options.output, names, options.image_feature, options.data_dir
    entries = find_entries(*sources)
    if not places.is_remote(options.output):
        check_place(os.path.join(options.output, NAME))
    existing = _list_results(options.output)
    record = describe_run(options, styles)
    todo, done = _leave_out(entries, existing, options.format)
    if options.overwrite:
        outdated = [places.join(options.output, name) for name in done]
        return Plan(styles, entries, 0, outdated, record)
    if done and not options.resume:
        raise FileExistsError(
            "Expected --overwrite or --resume for results that exist. "
            f"Received: {places.join(options.output, done[0])}, and {len(done)} in all"
        )
    if done:
        record = join_records(options.output, record)
    return Plan(styles, todo, len(done), [], record)


def save_todo(path: str, entries: Sequence[Entry]) -> None:
    """Writes the entries to a file, one a line as JSON: too many for the pipeline itself."""
    with places.written_whole(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        for entry in entries:
            file.write(json.dumps(dataclasses.asdict(entry)) + "\n")


def _find_styles(options):
    styles = pairs.read_styles(options.style, options.style_collection, one_of_all=False)
    names = [style.name for style in styles]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"Expected styles of different names. Received: {twice[0]} twice")
    if options.fine_style is not None and not os.path.isfile(options.fine_style):
        raise FileNotFoundError(f"Expected a file. Received: --fine_style={options.fine_style}")
    if options.generator is not None and not os.path.exists(hub.find(options.generator)):
        raise FileNotFoundError(
            f"Expected a generator. Received: --generator={options.generator}, not found"
        )
    return styles


def _list_results(output):
    """The files in the output folder, by names relative to it, with slashes."""
    start = len(output.rstrip("/" + os.sep)) + 1
    found = (path[start:] for path in places.list_files(output))
    return {path if places.is_remote(output) else pathlib.Path(path).as_posix() for path in found}


def _leave_out(entries, existing, suffix):
    """The entries without the styles in which they are painted, and the results that there are."""
    todo, done, by_folder = [], [], {}
    for name in existing:
        by_folder.setdefault(name.rpartition("/")[0], []).append(name)
    for entry in entries:
        if is_records(entry.path):
            found = by_folder.get(entry.name, [])
            todo.append(dataclasses.replace(entry, done=tuple(sorted(found))))
            done += found
            continue
        names = {s: name_result(entry.name, entry.path, s, suffix) for s in entry.styles}
        missing = tuple(style for style, name in names.items() if name not in existing)
        done += [name for name in names.values() if name in existing]
        if missing:
            todo.append(dataclasses.replace(entry, styles=missing))
    return todo, done
