"""Clips of which an interrupted run has painted segments: whether these still fit."""

import json
import pathlib
import shutil

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.commands.pairs import Job, is_clip
from stylegan_transfer.commands.stylization.options import LOOK, StylizeOptions
from stylegan_transfer.commands.stylization.record import Makings
from stylegan_transfer.pictures.segments import count_frames

_MADE_OF = "made_of.json"


def segments_of(job: Job) -> pathlib.Path:
    """Returns the folder in which the segments of a job's clip lie until it is finished."""
    return job.output.parent / f".segments-{job.output.name}"


def is_unfinished(job: Job) -> bool:
    """Returns whether an earlier run has painted segments of the job's clip."""
    return is_clip(job.content) and count_frames(segments_of(job)) > 0


def begin(job: Job, makings: dict, anew: bool) -> None:
    """Writes what the segments of a job are made of; deletes those of other things, or all."""
    folder = segments_of(job)
    if folder.exists() and (anew or _read(folder) != makings):
        shutil.rmtree(folder)
    with renamed_when_done(folder / _MADE_OF) as temporary:
        temporary.write_text(json.dumps(makings), encoding="utf-8")


def remove_if_empty(job: Job) -> None:
    """Deletes the folder of a job's segments if there is none in it."""
    if segments_of(job).exists() and not is_unfinished(job):
        shutil.rmtree(segments_of(job))


def review(jobs: list[Job], options: StylizeOptions, makings: Makings) -> list[str]:
    """Returns a line for each clip that goes on, or begins anew since something has changed.

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
    return [_compare(_read(segments_of(job)), makings.of(job), job) for job in begun]


def _compare(before, now, job):
    others = [name for name in now if before.get(name) != now[name]]
    flags = [name for name in others if name in LOOK]
    if before and flags:
        raise ValueError(
            f"Expected the flags with which {job.output} was begun for --resume, or --overwrite. "
            f"Received: other {', '.join(f'--{name}' for name in sorted(flags))}"
        )
    if others:
        return f"Made of another {' and '.join(others)}, painted again: {job.output}"
    return f"Goes on after frame {count_frames(segments_of(job))}: {job.output}"


def _read(folder):
    try:
        return dict(json.loads((folder / _MADE_OF).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}
