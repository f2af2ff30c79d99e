"""Clips of which an interrupted run has painted segments: whether these still fit."""

import json
import operator
import pathlib
import shutil

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.commands.pairs import Job, is_clip
from stylegan_transfer.commands.stylization.options import LOOK, StylizeOptions
from stylegan_transfer.commands.stylization.record import Makings
from stylegan_transfer.pictures import segments
from stylegan_transfer.stylizing.carrying import STATE

_MADE_OF = "made_of.json"


def segments_of(job: Job) -> pathlib.Path:
    """Returns the folder in which the segments of a job's clip lie until it is finished."""
    return job.output.parent / f".segments-{job.output.name}"


def is_unfinished(job: Job) -> bool:
    """Returns whether an earlier run has painted segments of the job's clip."""
    return is_clip(job.content) and segments.are_in(segments_of(job))


def begin(job: Job, makings: dict, options: StylizeOptions) -> None:
    """Writes what the segments of a job are made of.

    Deletes those of other things and damaged ones; with --overwrite all.
    """
    folder = segments_of(job)
    if folder.exists() and (
        options.overwrite or _read(folder) != makings or _find_damage(folder, options)
    ):
        shutil.rmtree(folder)
    with renamed_when_done(folder / _MADE_OF) as temporary:
        temporary.write_text(json.dumps(makings), encoding="utf-8")


def remove_if_empty(job: Job) -> None:
    """Deletes the folder of a job's segments if there is none in it."""
    if segments_of(job).exists() and not is_unfinished(job):
        shutil.rmtree(segments_of(job))


def review(jobs: list[Job], options: StylizeOptions, makings: Makings) -> list[str]:
    """Returns a line for each clip that goes on, or begins anew, and why.

    With --overwrite all begin anew, and nothing is said. Writes nothing.

    Raises:
        FileExistsError: A clip was begun, and neither --resume nor --overwrite is given.
        ValueError: A clip that is to go on was begun with other flags.
    """
    if options.overwrite:
        return []
    begun = [*filter(is_unfinished, jobs)]
    if begun and not options.resume:
        raise FileExistsError(
            "Expected --resume, or --overwrite to begin anew, for a clip that is painted in part. "
            f"Received: {begun[0].output}"
        )
    return [_review(job, makings.of(job), options) for job in begun]


def _review(job, now, options):
    folder = segments_of(job)
    before = _read(folder)
    others = [name for name in now if before.get(name) != now[name]]
    flags = [name for name in others if name in LOOK]
    if before and flags:
        raise ValueError(
            f"Expected the flags with which {job.output} was begun for --resume, or --overwrite. "
            f"Received: other {', '.join(f'--{name}' for name in sorted(flags))}"
        )
    damage = _find_damage(folder, options)
    if damage:
        return f"Painted again: {job.output}. {damage}"
    if others:
        what = f"another {' and '.join(others)}" if before else "something unknown"
        return f"Made of {what}, painted again: {job.output}"
    return f"Goes on after frame {segments.count_frames(folder)}: {job.output}"


def _find_damage(folder, options):
    """Why painting cannot go on after the segments in a folder; "" if it can, or has none."""
    if not segments.are_in(folder):
        return ""
    try:
        state = segments.load_state(folder)
        if options.steady and options.strength > 0:
            operator.itemgetter(*STATE)(state)
    except ValueError as error:
        return str(error)
    return ""


def _read(folder):
    try:
        return dict(json.loads((folder / _MADE_OF).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}
