"""Clips that `evaluate` paints and measures: files, or rendered from photographs."""

import dataclasses
import functools
import itertools
import pathlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from stylegan_transfer.checks import shorten
from stylegan_transfer.commands.evaluation.inputs import list_pictures
from stylegan_transfer.commands.evaluation.options import EvaluateOptions
from stylegan_transfer.commands.pairs import is_clip
from stylegan_transfer.measuring.footage import render_footage
from stylegan_transfer.pictures.clips import read_frames
from stylegan_transfer.pictures.files import load_image
from stylegan_transfer.pictures.inputs import resize_image


@dataclasses.dataclass(frozen=True)
class Clip:
    """A clip before it is painted.

    Attributes:
        read: Returns a new iterator over its frames, float32 `(height, width, 3)` in [0, 1].
        motion: As `warped_difference` takes it, where it is known; or None.
    """

    read: Callable[[], Iterator[np.ndarray]]
    motion: Callable[[int, int], tuple[np.ndarray, np.ndarray]] | None = None


def list_clips(
    options: EvaluateOptions,
) -> tuple[list[pathlib.Path], dict[str, list[Callable[[], Clip]]]]:
    """Returns the files that are read, and functions that open the clips of each group.

    A group is one file, or one motion over all photographs.

    Raises:
        FileNotFoundError: A file or folder is not there, or a folder holds no clip.
    """
    if options.clip:
        paths = [path for source in options.clip for path in _list_files(source)]
        paths = [*dict.fromkeys(paths)]
        names = [path.name for path in paths]
        return paths, {
            str(path) if names.count(path.name) > 1 else path.name: [
                functools.partial(_open, path, options)
            ]
            for path in paths
        }
    photographs = list_pictures(options.content)
    others = photographs[1:] + photographs[:1]
    return photographs, {
        kind: [
            functools.partial(_render, kind, *pair, options)
            for pair in zip(photographs, others, strict=True)
        ]
        for kind in options.motions
    }


def _list_files(source) -> Sequence[pathlib.Path]:
    path = pathlib.Path(source)
    if path.is_file():
        return [path]
    found = sorted(filter(is_clip, path.iterdir())) if path.is_dir() else []
    if not found:
        reason = ", no clip in it" if path.is_dir() else ", not found"
        raise FileNotFoundError(
            f"Expected a clip or a folder of clips. Received: {shorten(source)}{reason}"
        )
    return found


def _open(path, options):
    def read():
        for frame in itertools.islice(read_frames(path), options.num_frames):
            is_large = min(frame.shape[:2]) > options.paint_size
            yield resize_image(frame, short_side=options.paint_size) if is_large else frame

    return Clip(read)


def _render(kind, photograph, other, options):
    size = options.paint_size, round(1.5 * options.paint_size)
    pictures = [
        _cover(path, [int(np.ceil(1.5 * side)) for side in size]) for path in (photograph, other)
    ]
    if photograph == other:
        pictures[1] = pictures[1][:, ::-1].copy()
    footage = render_footage(pictures[0], kind, size, options.num_frames, pictures[1])
    return Clip(lambda: iter(footage.frames), footage.motion)


def _cover(path, size):
    """The middle of a picture, of this size, with as much of it as there is room for."""
    image = load_image(path)
    scale = max(new / old for new, old in zip(size, image.shape, strict=False))
    whole = [max(new, round(scale * old)) for new, old in zip(size, image.shape, strict=False)]
    image = resize_image(image, size=tuple(whole))
    top, left = ((old - new) // 2 for new, old in zip(size, image.shape, strict=False))
    return image[top : top + size[0], left : left + size[1]]
