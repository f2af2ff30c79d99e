"""Clips that `evaluate` paints and measures: files, or rendered from photographs."""

import dataclasses
import functools
import itertools
import pathlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from stylegan_transfer.checks import shorten
from stylegan_transfer.commands import pairs
from stylegan_transfer.commands.evaluation.inputs import find_results, list_pictures
from stylegan_transfer.commands.evaluation.options import EvaluateOptions
from stylegan_transfer.measuring.footage import render_footage
from stylegan_transfer.pictures.arrays import scaled_size
from stylegan_transfer.pictures.clip_streams import LOSSLESS
from stylegan_transfer.pictures.clips import count_frames, read_frames, save_frames
from stylegan_transfer.pictures.files import load_image
from stylegan_transfer.pictures.inputs import resize_image


@dataclasses.dataclass(frozen=True)
class Clip:
    """A clip before it is painted.

    Attributes:
        path: Its file; of a rendered one, that which `--keep_clips` writes.
        read: Returns a new iterator over its frames, float32 `(height, width, 3)` in [0, 1].
        motion: As `warped_difference` takes it, where it is known; or None.
    """

    path: pathlib.Path
    read: Callable[[], Iterator[np.ndarray]]
    motion: Callable[[int, int], tuple[np.ndarray, np.ndarray]] | None = None


def list_clips(
    options: EvaluateOptions,
) -> tuple[list[pathlib.Path], dict[str, dict[pathlib.Path, Callable[[], Clip]]]]:
    """Returns the files that are read, and functions that open the clips of each group, by path.

    A group is one file, or one motion over all photographs.

    Raises:
        FileNotFoundError: A file or folder is not there, or a folder holds no clip.
        ValueError: A clip cannot be read, or has a single frame.
    """
    if options.clip:
        paths = [path for source in options.clip for path in _list_files(source)]
        paths = [*dict.fromkeys(paths)]
        for path in paths:
            if len([*itertools.islice(read_frames(path), 2)]) < 2:
                raise ValueError(f"Expected a clip of at least two frames. Received: {path}")
        names = [path.name for path in paths]
        return paths, {
            str(path) if names.count(path.name) > 1 else path.name: {
                path: functools.partial(_open, path, options)
            }
            for path in paths
        }
    photographs = list_pictures(options.content)
    others = dict(zip(photographs, photographs[1:] + photographs[:1], strict=True))
    kinds = [pairs.Style(kind, ()) for kind in options.motions]
    folder = pathlib.Path(options.output) / "clips"
    groups = {kind: {} for kind in options.motions}
    for job in pairs.plan_jobs(photographs, kinds, str(folder), LOSSLESS):
        kind, photograph = job.style.name, job.content
        groups[kind][job.output] = functools.partial(
            _render, job.output, kind, photograph, others[photograph], options
        )
    return photographs, groups


def list_results(
    options: EvaluateOptions, clips: Sequence[pathlib.Path], styles: Sequence[pathlib.Path]
) -> dict[str, dict[tuple[pathlib.Path, pathlib.Path], pathlib.Path]]:
    """Returns the files of finished clips by the names of `--results`, as `find_results` does.

    Each has all frames of its clip, or those that are measured, in its size or in that in which
    it is measured.

    Raises:
        FileNotFoundError: One is not there.
        ValueError: One cannot be read, or has another number of frames or size.
    """
    results = {
        name: find_results(place, clips, styles, of_clips=True)
        for name, place in options.named_results.items()
    }
    if options.motions:
        expected = {clip: (options.num_frames, _rendered_size(options)) for clip in clips}
    else:
        expected = {clip: _look(clip) for clip in clips if results}
    for (clip, _), path in itertools.chain(*(files.items() for files in results.values())):
        (count, size), (found, of_size) = expected[clip], _look(path)
        counts = dict.fromkeys([count, min(count, options.num_frames)])
        sizes = dict.fromkeys([size, _reduced(size, options)])
        if found not in counts or of_size not in sizes:
            raise ValueError(
                f"Expected {' or '.join(map(str, counts))} frames of "
                f"{' or '.join(map(_describe_size, sizes))} pixels, as {clip} has. "
                f"Received: {path}, {found} of {_describe_size(of_size)}"
            )
    return results


def read_clip(path: pathlib.Path, options: EvaluateOptions) -> Iterator[np.ndarray]:
    """Yields the frames of a clip that are measured, reduced to the size of painting."""
    for frame in itertools.islice(read_frames(path), options.num_frames):
        size = _reduced(frame.shape[:2], options)
        yield frame if size == frame.shape[:2] else resize_image(frame, size=size)


def _look(path):
    """The number of frames of a clip, and the height and width of the first one."""
    return count_frames(path), next(read_frames(path)).shape[:2]


def _reduced(size, options):
    """The size in which a clip is painted and measured."""
    return size if min(size) <= options.paint_size else scaled_size(size, options.paint_size)


def _rendered_size(options):
    """Even sides: what is read of files has these."""
    return tuple(2 * int(half * options.paint_size) for half in (0.5, 0.75))


def _describe_size(size):
    height, width = size
    return f"{width}x{height}"


def _list_files(source) -> Sequence[pathlib.Path]:
    path = pathlib.Path(source)
    if path.is_file():
        return [path]
    found = sorted(filter(pairs.is_clip, path.iterdir())) if path.is_dir() else []
    if not found:
        reason = ", no clip in it" if path.is_dir() else ", not found"
        raise FileNotFoundError(
            f"Expected a clip or a folder of clips. Received: {shorten(source)}{reason}"
        )
    return found


def _open(path, options):
    return Clip(path, functools.partial(read_clip, path, options))


def _render(path, kind, photograph, other, options):
    size = _rendered_size(options)
    pictures = [
        _cover(file, [int(np.ceil(1.5 * side)) for side in size]) for file in (photograph, other)
    ]
    if photograph == other:
        pictures[1] = pictures[1][:, ::-1].copy()
    footage = render_footage(pictures[0], kind, size, options.num_frames, pictures[1])
    if options.keep_clips:
        save_frames(footage.frames, path)
    return Clip(path, lambda: iter(footage.frames), footage.motion)


def _cover(path, size):
    """The middle of a picture, of this size, with as much of it as there is room for."""
    image = load_image(path)
    scale = max(new / old for new, old in zip(size, image.shape, strict=False))
    whole = [max(new, round(scale * old)) for new, old in zip(size, image.shape, strict=False)]
    image = resize_image(image, size=tuple(whole))
    top, left = ((old - new) // 2 for new, old in zip(size, image.shape, strict=False))
    return image[top : top + size[0], left : left + size[1]]
