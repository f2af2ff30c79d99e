"""What `stylize` is going to paint, in which styles, and where each result goes."""

import dataclasses
import os
import pathlib

from stylegan_transfer.atomic import check_place
from stylegan_transfer.checks import shorten
from stylegan_transfer.commands import pairs
from stylegan_transfer.commands.pairs import Job, Style
from stylegan_transfer.commands.stylization import unfinished
from stylegan_transfer.commands.stylization.notes import note_skipped, note_without_effect
from stylegan_transfer.commands.stylization.options import LOOK, StylizeOptions
from stylegan_transfer.commands.stylization.record import Makings, Record

REPORT = "originality.json"


@dataclasses.dataclass(frozen=True)
class Plan:
    """A whole run, before anything is painted.

    Attributes:
        contents: Pictures and clips.
        styles: Styles.
        jobs: Every content in every style.
        todo: Those that are to be painted.
        record: Of the output folder; None where the output is one file.
        report: File of the originality report, or None.
        notes: What the user should know: what is left out, what is painted again and why.
    """

    contents: list[pathlib.Path]
    styles: list[Style]
    jobs: list[Job]
    todo: list[Job]
    record: Record | None
    report: pathlib.Path | None
    notes: list[str]


def make_plan(options: StylizeOptions, makings: Makings) -> Plan:
    """Returns the plan of a run; reads and compares files, loads no network and writes nothing.

    Raises:
        FileExistsError: A result or the report exists and may not be replaced.
        FileNotFoundError: Something that is named does not exist.
        ValueError: The flags do not fit together or to the files.
    """
    folder = None if pairs.is_file_name(options.output) else pathlib.Path(options.output)
    known = None if folder is None else _read_record(folder, options)
    contents = pairs.read_contents(
        options.content,
        None if folder is None else options.output,
        [] if known is None else known.results,
    )
    styles = pairs.read_styles(options.style, options.style_collection, bool(options.mask))
    _check_masks(options, styles)
    for path in filter(None, (*options.mask, options.fine_style)):
        if not os.path.isfile(path):
            reason = "a folder" if os.path.isdir(path) else "not found"
            raise FileNotFoundError(f"Expected a file. Received: {shorten(path)}, {reason}")
    if options.generator is not None and not os.path.exists(options.generator):
        name = shorten(options.generator)
        raise FileNotFoundError(f"Expected a generator. Received: --generator={name}, not found")
    suffix = options.format if options.format == "same" else f".{options.format}"
    both = [(content, style) for content in contents for style in styles]
    names = {} if known is None else known.names(both)
    jobs = pairs.plan_jobs(contents, styles, options.output, suffix, names, options.lossless)
    notes = [*note_skipped(options, folder), *note_without_effect(options, jobs)]
    if known is None:
        todo = _plan_file(jobs, options)
    else:
        todo, again = _plan_folder(jobs, options, makings, known)
        notes += again
    notes += unfinished.review(todo, options, makings)
    report = _plan_report(options, folder) if options.report and todo else None
    for path in filter(None, (*(job.output for job in todo), report, known and known.path)):
        check_place(path)
    return Plan(contents, styles, jobs, todo, known, report, notes)


def _read_record(folder, options):
    try:
        return Record.read(folder)
    except ValueError:
        if options.overwrite:
            return Record(folder)
        raise


def _check_masks(options, styles):
    if not options.mask:
        return
    (style,) = styles
    if style.weights:
        raise ValueError(
            "Expected either --mask or weights, not both. "
            f"Received: {' '.join(f'--style={source}' for source in options.style)}"
        )
    if len(options.mask) != len(style.paths):
        raise ValueError(
            f"Expected one --mask for each of {len(style.paths)} styles. "
            f"Received: {len(options.mask)} of them"
        )


def _plan_file(jobs, options):
    (job,) = jobs
    if os.path.lexists(job.output) and not options.overwrite:
        hint = " (--resume takes a folder as --output)" if options.resume else ""
        raise FileExistsError(
            f"Expected --overwrite for a result that exists{hint}. Received: {job.output}"
        )
    return jobs


def _plan_folder(jobs, options, makings, known):
    """Returns the jobs that are to be done, and what to say about those done before."""
    existing = [job for job in jobs if os.path.lexists(job.output)]
    if options.overwrite:
        return jobs, []
    if existing and not options.resume:
        raise FileExistsError(
            f"Expected --overwrite or --resume for results that exist. Received: {_count(existing)}"
        )
    strangers = [job for job in existing if not known.knows(job)]
    if strangers:
        raise FileExistsError(
            f"Expected results that {known.path} names for --resume, or --overwrite. "
            f"Received: {_count(strangers)}, which it does not"
        )
    differences = {job: _differences(job, makings, known) for job in existing}
    flags = {name for names in differences.values() for name in names or () if name in LOOK}
    if flags:
        raise ValueError(
            f"Expected the flags that {known.path} names for --resume, or --overwrite. "
            f"Received: other {', '.join(f'--{name}' for name in sorted(flags))}"
        )
    done = {job for job, names in differences.items() if names == []}
    again = {}
    for job, names in differences.items():
        if job not in done:
            why = f"Made of another {' and '.join(names)}" if names else "Not finished"
            again.setdefault(why, []).append(job)
    notes = [f"{why}, painted again: {_count(them)}" for why, them in again.items()]
    changed = [job for job in jobs if job in done and known.is_changed(job)]
    if changed:
        notes.append(
            f"Not as it was written, kept (delete it to have it painted again): {_count(changed)}"
        )
    return [job for job in jobs if job not in done], notes


def _differences(job, makings, known):
    """The names of what a result was made of and is no longer; None if it never was finished."""
    before = known.makings(job)
    if before is None:
        return None
    try:
        now = makings.of(job)
    except OSError:  # said when it is to be painted
        return None
    return [name for name in now if now[name] != before.get(name)]


def _count(jobs):
    more = f" and {len(jobs) - 1} more" if len(jobs) > 1 else ""
    return f"{jobs[0].output}{more}"


def _plan_report(options, folder):
    if folder is not None:
        return folder / REPORT
    path = pathlib.Path(options.output).with_suffix(".json")
    if path.exists() and not options.overwrite:
        raise FileExistsError(f"Expected --overwrite for a report that exists. Received: {path}")
    return path
