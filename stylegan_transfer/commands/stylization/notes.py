"""What the user should know before a run: what is left out, and which flags change nothing."""

import dataclasses
import glob
import os
import pathlib

from stylegan_transfer.commands import pairs
from stylegan_transfer.commands.pairs import Job, is_clip
from stylegan_transfer.commands.stylization.options import StylizeOptions
from stylegan_transfer.pictures.encoding import SAVE_FORMATS
from stylegan_transfer.pictures.files import IMAGE_SUFFIXES

_OF_PICTURES = (
    *("report", "content_size", "batch_size"),
    *("keep_depth", "compression_quality", "format"),
)
_OF_CLIPS = ("steady", "lossless")
_WITH_QUALITY = ("JPEG", "WEBP")


def note_skipped(options: StylizeOptions, output: pathlib.Path | None) -> list[str]:
    """Returns a line about what folders and patterns hold and is no picture that can be read.

    Args:
        options: Of the run.
        output: The output folder, whose files count as none of the contents; or None.
    """
    named = [pairs.split_weight(source)[0] for source in options.style]
    if options.style_collection is not None:
        named.append(options.style_collection)
    others = [path for source in options.content for path in _others(source, output)]
    others += [path for source in named for path in _others(source, None)]
    if not others:
        return []
    others = sorted(set(others))
    names = ", ".join(map(str, others[:3]))
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    hint = ""
    if any(map(is_clip, others)):
        hint = " (a clip is painted where --content names it itself)"
    return [f"Skipped what is no picture that can be read: {names}{more}{hint}"]


def _others(source, output):
    """The files of a folder or pattern, not hidden, that are no pictures by their names."""
    if os.path.isfile(source):
        return []
    real = None if output is None else output.resolve()
    paths = [path for path in _files(source) if not path.name.startswith(".")]
    return [
        path
        for path in paths
        if (path.suffix.lower() not in IMAGE_SUFFIXES or not path.exists())
        and (real is None or real not in (path.parent.resolve() / path.name).parents)
    ]


def _files(source):
    if not os.path.isdir(source):
        matches = map(pathlib.Path, glob.glob(source, recursive=True))
        return [path for path in matches if not path.is_dir()]
    return [pathlib.Path(folder, name) for folder, _, names in os.walk(source) for name in names]


def note_without_effect(options: StylizeOptions, jobs: list[Job]) -> list[str]:
    """Returns a line for each flag that is given and changes nothing about some of the jobs."""
    given = {
        field.name
        for field in dataclasses.fields(options)
        if getattr(options, field.name) != field.default
    }
    clips = [job for job in jobs if is_clip(job.content)]
    notes = [f"Without effect on clips: {_flag(n)}" for n in _OF_PICTURES if clips and n in given]
    if len(clips) == len(jobs):
        return notes
    if not clips:
        notes += [
            f"Without effect on pictures: {_flag(name)}" for name in _OF_CLIPS if name in given
        ]
    formats = {SAVE_FORMATS.get(job.output.suffix.lower()) for job in jobs}
    if "compression_quality" in given and not formats & {*_WITH_QUALITY}:
        notes.append("Without effect but on JPEG and WebP: --compression_quality")
    if "format" in given and pairs.is_file_name(options.output):
        notes.append("Without effect where --output names a file: --format")
    return notes


def _flag(name):
    return f"--no{name}" if name in ("keep_depth", "steady") else f"--{name}"
