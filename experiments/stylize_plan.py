"""What `stylize.py` paints, in which styles, and where each result goes."""

import dataclasses
import itertools
import json
import math
import os
import pathlib

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.pictures.clips import CODECS

CONTACT_SHEET = "contact_sheet.png"
SETTINGS = "stylize.json"
REPORT = "originality.json"
VIDEO_SUFFIXES = (*CODECS, ".avi", ".m4v")  # clips that are read


@dataclasses.dataclass(frozen=True)
class Style:
    """One style: a painting, a mixture of several, or one for each mask.

    Attributes:
        name: What the results' names end in.
        paths: The paintings.
        weights: Their shares, or None: equal ones.
    """

    name: str
    paths: tuple[pathlib.Path, ...]
    weights: tuple[float, ...] | None = None


@dataclasses.dataclass(frozen=True)
class Job:
    """One content in one style, and the file of the result."""

    content: pathlib.Path
    style: Style
    output: pathlib.Path


def read_contents(sources: list[str]) -> list[pathlib.Path]:
    """Returns the pictures and clips that `--content` names, each once."""
    from stylegan_transfer.pictures.files import list_images

    return list(dict.fromkeys(path for source in sources for path in list_images(source)))


def read_styles(sources: list[str], collection: str | None, one_of_all: bool) -> list[Style]:
    """Returns the styles that the flags name.

    Args:
        sources: `--style`: each a file, folder or pattern, and `:WEIGHT` after it or not.
        collection: `--style_collection`: a folder that is one style, or None.
        one_of_all: Whether all of `--style` belong together, for masks.

    Raises:
        ValueError: Some have a weight and some have not, or there is no style at all.
        FileNotFoundError: A source names no picture.
    """
    from stylegan_transfer.pictures.files import list_images

    pairs = [split_weight(source) for source in sources]
    weighted = [weight is not None for _, weight in pairs]
    if any(weighted) and not all(weighted):
        raise ValueError(f"Expected a weight for each --style, or for none. Received: {sources}")
    styles = []
    if any(weighted) or (one_of_all and pairs):
        paths, weights = [], []
        for source, weight in pairs:
            found = list_images(source)
            paths += found
            weights += [(1.0 if weight is None else weight) / len(found)] * len(found)
        name = "+".join(path.stem for path in paths)
        styles.append(Style(name, tuple(paths), tuple(weights) if any(weighted) else None))
    else:
        paths = dict.fromkeys(path for source, _ in pairs for path in list_images(source))
        styles += [Style(path.stem, (path,)) for path in paths]
    if collection is not None:
        name = pathlib.Path(collection).resolve().name
        styles.append(Style(name, tuple(list_images(collection))))
    if not styles:
        raise ValueError("Expected --style or --style_collection. Received: neither")
    return styles


def split_weight(source: str) -> tuple[str, float | None]:
    """Returns `PATH:WEIGHT` in its parts.

    All is path where a file of that very name exists or no number follows the last colon.

    Raises:
        ValueError: The weight is negative or infinite.
    """
    path, _, text = source.rpartition(":")
    if not path or os.path.exists(source):
        return source, None
    try:
        weight = float(text)
    except ValueError:
        return source, None
    if not 0 <= weight < math.inf:
        raise ValueError(f"Expected a finite weight of at least 0. Received: --style={source}")
    return path, weight


def plan_jobs(
    contents: list[pathlib.Path], styles: list[Style], output: str, suffix: str
) -> list[Job]:
    """Returns every content in every style, each with a file of its own.

    Args:
        contents: Pictures and clips.
        styles: Styles.
        output: `--output`: a file for one pair, or a folder.
        suffix: Of the pictures in a folder, such as ".png", or "same": that of the content. Clips
            keep theirs, or become `.mp4` where it cannot be written.

    Raises:
        ValueError: `output` is a file, and there are several pairs.
    """
    from stylegan_transfer.pictures.files import SAVE_FORMATS

    output, pairs = pathlib.Path(output), list(itertools.product(contents, styles))
    if output.suffix.lower() in (*SAVE_FORMATS, *VIDEO_SUFFIXES) and not output.is_dir():
        if len(pairs) > 1:
            raise ValueError(
                f"Expected a folder as --output for {len(contents)} contents and {len(styles)} "
                f"styles. Received: --output={output}"
            )
        return [Job(*pairs[0], output)]
    jobs, taken = [], {CONTACT_SHEET}
    for content, style in pairs:
        end = _suffix_of_result(content, suffix)
        stem = f"{content.stem}_{style.name}"[:200]
        names = (f"{stem}{mark}{end}" for mark in itertools.chain([""], _numbers()))
        name = next(name for name in names if name.casefold() not in taken)
        taken.add(name.casefold())
        jobs.append(Job(content, style, output / name))
    return jobs


def _suffix_of_result(content, suffix):
    from stylegan_transfer.pictures.files import SAVE_FORMATS

    own = content.suffix.lower()
    if own in VIDEO_SUFFIXES:
        return own if own in CODECS else ".mp4"
    if suffix == "same":
        return own if own in SAVE_FORMATS else ".png"
    return suffix


def _numbers():
    return (f"-{number}" for number in itertools.count(2))


def remaining(jobs: list[Job], settings: dict, overwrite: bool, resume: bool) -> list[Job]:
    """Returns the jobs that are to be done; what exists is not touched unasked.

    Args:
        jobs: All of them.
        settings: What determines the results beside the pictures; kept in the output folder.
        overwrite: Whether existing results are replaced.
        resume: Whether existing results are taken as done.

    Raises:
        FileExistsError: A result exists, and neither is true.
        ValueError: The folder that is to be resumed has been made with other settings.
    """
    existing = [job for job in jobs if job.output.exists()]
    if existing and not (overwrite or resume):
        more = f" and {len(existing) - 1} more" if len(existing) > 1 else ""
        raise FileExistsError(
            "Expected --overwrite or --resume for results that exist. "
            f"Received: {existing[0].output}{more}"
        )
    if overwrite or not resume:
        return jobs
    path = jobs[0].output.parent / SETTINGS
    before = json.loads(path.read_text()) if path.exists() else settings
    differing = [name for name in settings if before.get(name) != settings[name]]
    if existing and differing:
        raise ValueError(
            f"Expected the flags that {path} names for --resume. Received: other "
            f"{', '.join(f'--{name}' for name in differing)}"
        )
    return [job for job in jobs if not job.output.exists()]


def plan_report(jobs: list[Job], output: str, overwrite: bool) -> pathlib.Path:
    """Returns the file of the originality report: beside a single result, or in the folder.

    Args:
        jobs: Those that are to be done.
        output: As in `plan_jobs`.
        overwrite: Whether a file beside a single result may be replaced.

    Raises:
        FileExistsError: It may not, and exists.
    """
    output = pathlib.Path(output)
    if jobs[0].output != output:
        return output / REPORT
    path = output.with_suffix(".json")
    if path.exists() and not overwrite:
        raise FileExistsError(f"Expected --overwrite for a report that exists. Received: {path}")
    return path


def save_settings(jobs: list[Job], settings: dict) -> None:
    """Writes what `remaining` compares; for one job there is nothing to compare."""
    if len(jobs) > 1:
        with renamed_when_done(jobs[0].output.parent / SETTINGS) as temporary:
            temporary.write_text(json.dumps(settings, indent=2) + "\n")
