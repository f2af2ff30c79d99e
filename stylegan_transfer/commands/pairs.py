"""Contents and styles as flags name them, and a file for the result of each pair."""

import dataclasses
import glob
import itertools
import math
import os
import pathlib
from collections.abc import Collection, Mapping, Sequence

from stylegan_transfer.pictures.clip_streams import CODECS, LOSSLESS
from stylegan_transfer.pictures.files import SAVE_FORMATS, list_images

CLIP_SUFFIXES = (*CODECS, ".avi", ".m4v")  # clips that are read
CONTACT_SHEET = "contact_sheet.png"  # never a result's name


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


def is_clip(path: pathlib.Path) -> bool:
    """Returns whether the path has the suffix of a clip."""
    return path.suffix.lower() in CLIP_SUFFIXES


def read_contents(
    sources: Sequence[str], output: str | None = None, results: Collection[pathlib.Path] = ()
) -> list[pathlib.Path]:
    """Returns the pictures and clips that `--content` names, each once.

    What is named as a file is always taken. In folders and patterns, a picture is left out that is
    a result itself: it lies in the output folder, where that is a subfolder, or is one of
    `results`.

    Args:
        sources: Files, folders and patterns.
        output: The output folder. Default: none.
        results: Files that an earlier run has written.

    Raises:
        FileNotFoundError: A source names no picture, or none but results.
    """
    found = {}  # by where a path really is: a folder may be linked from several places
    known = {_real(path) for path in results}
    for source in sources:
        paths = list_images(source)
        if not os.path.isfile(source):
            folder = None if output is None else pathlib.Path(output).resolve()
            if folder is not None and _root(source) not in folder.parents:
                folder = None
            paths = [p for p in paths if _real(p) not in known and folder not in _real(p).parents]
        if not paths:
            raise FileNotFoundError(
                f"Expected pictures outside of the output folder {output}. "
                f"Received: --content={source}"
            )
        for path in paths:
            shortest = min(path, found.get(_real(path), path), key=lambda p: len(p.parts))
            found[_real(path)] = shortest
    return list(found.values())


def _real(path):
    return path.parent.resolve() / path.name


def _root(source):
    """The folder in which a folder or pattern is searched."""
    path = pathlib.Path(source)
    if not path.is_dir():
        fixed = itertools.takewhile(lambda part: not glob.has_magic(part), path.parts)
        path = pathlib.Path(*fixed)
    return path.resolve()


def read_styles(sources: Sequence[str], collection: str | None, one_of_all: bool) -> list[Style]:
    """Returns the styles that the flags name.

    Args:
        sources: `--style`: each a file, folder or pattern, and `:WEIGHT` after it or not.
        collection: `--style_collection`: a folder that is one style, or None.
        one_of_all: Whether all of `--style` belong together, for masks.

    Raises:
        ValueError: Some have a weight and some have not, or there is no style at all.
        FileNotFoundError: A source names no picture.
    """
    pairs = [split_weight(source) for source in sources]
    weighted = [weight is not None for _, weight in pairs]
    if any(weighted) and not all(weighted):
        raise ValueError(
            f"Expected a weight for each --style, or for none. Received: {' '.join(sources)}"
        )
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
        paths = {_real(path): path for source, _ in pairs for path in list_images(source)}
        styles += [Style(path.stem, (path,)) for path in paths.values()]
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


def is_file_name(output: str) -> bool:
    """Returns whether `--output` is the file of one result; otherwise it is a folder.

    What exists as a folder, ends in a slash or has no suffix is a folder.

    Raises:
        ValueError: It is empty, or has the suffix of a file that cannot be written.
        NotADirectoryError: It is meant as a folder, and a file of that name exists.
    """
    path, suffix = pathlib.Path(output), pathlib.Path(output).suffix.lower()
    if not output:
        raise ValueError("Expected a file or a folder as --output. Received: --output=")
    is_folder = path.is_dir() or output.endswith(("/", os.sep))
    if not is_folder and (suffix in SAVE_FORMATS or suffix in CODECS):
        return True
    if not is_folder and suffix[1:2].isalpha():
        formats = ", ".join((*SAVE_FORMATS, *CODECS))
        raise ValueError(
            f"Expected an --output that ends in one of {formats}, or a folder: without a suffix, "
            f"or with / at its end. Received: --output={output}"
        )
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(
            f"Expected a folder as --output. Received: --output={output}, a file"
        )
    return False


def plan_jobs(
    contents: Sequence[pathlib.Path],
    styles: Sequence[Style],
    output: str,
    suffix: str,
    names: Mapping[tuple[pathlib.Path, Style], str] = {},
    is_lossless: bool = False,
) -> list[Job]:
    """Returns every content in every style, each with a file of its own.

    Args:
        contents: Pictures and clips.
        styles: Styles.
        output: `--output`: a file for one pair, or a folder.
        suffix: Of the pictures in a folder, such as ".png", or "same": that of the content. Clips
            keep theirs, or become `.mp4` where it cannot be written.
        names: Files in the folder that pairs had in an earlier run. They keep them unless the
            suffix is another. Default: none.
        is_lossless: Whether clips are written without loss, which not every suffix can be.

    Raises:
        ValueError: `output` is a file, and there are several pairs, or it is a picture's for a
            clip, or the other way round. Or as `is_file_name`.
    """
    pairs = list(itertools.product(contents, styles))
    if is_file_name(output):
        counts = f"{len(contents)} contents and {len(styles)} styles"
        return [_plan_one(pairs, output, counts, is_lossless)]
    taken = {name.casefold() for name in (CONTACT_SHEET, *names.values())}
    given = {}
    for content, style in pairs:
        end = _suffix_of_result(content, suffix, is_lossless)
        given[content, style] = names.get((content, style), "")
        if given[content, style].endswith(end):
            continue
        stem = f"{content.stem}_{style.name}"[:200]
        marks = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
        name = next(n for n in (stem + mark + end for mark in marks) if n.casefold() not in taken)
        taken.add(name.casefold())
        given[content, style] = name
    return [Job(*pair, pathlib.Path(output) / name) for pair, name in given.items()]


def _plan_one(pairs, output, counts, is_lossless):
    if len(pairs) > 1:
        raise ValueError(f"Expected a folder as --output for {counts}. Received: --output={output}")
    content, style = pairs[0]
    kinds = {False: SAVE_FORMATS, True: [LOSSLESS] if is_lossless else CODECS}
    if pathlib.Path(output).suffix.lower() not in kinds[is_clip(content)]:
        raise ValueError(
            f"Expected an --output that ends in one of {', '.join(kinds[is_clip(content)])} for "
            f"{content}{', --lossless' if is_lossless else ''}. Received: --output={output}"
        )
    return Job(content, style, pathlib.Path(output))


def _suffix_of_result(content, suffix, is_lossless):
    own = content.suffix.lower()
    if is_clip(content):
        if is_lossless:
            return LOSSLESS
        return own if own in CODECS else ".mp4"
    if suffix == "same":
        return own if own in SAVE_FORMATS else ".png"
    return suffix
