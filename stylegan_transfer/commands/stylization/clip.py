"""How `stylize` paints one clip."""

import pathlib
import time
from collections.abc import Callable, Sequence

import numpy as np
import tqdm

from stylegan_transfer.commands.pairs import Job, is_clip
from stylegan_transfer.commands.stylization import unfinished
from stylegan_transfer.commands.stylization.options import StylizeOptions
from stylegan_transfer.pictures.clips import read_frames
from stylegan_transfer.stylizing.video import stylize_video


def paint_clip(
    generator,
    job: Job,
    codes: Sequence[np.ndarray],
    options: StylizeOptions,
    refiner: Callable[..., np.ndarray] | None,
    makings: dict,
    bar,
) -> None:
    """Paints and writes a clip; goes on after the segments that an earlier run has left.

    Args:
        generator: From `load_generator`.
        job: The clip, and the file of the result.
        codes: Of the style; with masks one for each painting.
        options: Of the run.
        refiner: From `load_refiner`.
        makings: What the clip is made of. Segments of anything else, and damaged ones, are deleted.
        bar: A `Bar`, which shows the frames done, their speed and the time left.

    Raises:
        ImportError: PyAV or OpenCV is missing.
        ValueError: The clip cannot be read.
    """
    unfinished.begin(job, makings, options)
    try:
        stylize_video(
            generator,
            job.content,
            codes if options.mask else codes[0],
            job.output,
            masks=[_read_mask(path) for path in options.mask] or None,
            strength=options.strength,
            style_size=options.style_size,
            preserve_color="luminance" if options.preserve_color == "luminance" else None,
            seed=options.seed,
            tile_size=options.tile_size,
            refiner=refiner,
            steady=options.steady,
            lossless=options.lossless,
            segments=unfinished.segments_of(job),
            progress=_show_frames(bar),
        )
    finally:
        unfinished.remove_if_empty(job)


def _read_mask(path):
    return read_frames(path) if is_clip(pathlib.Path(path)) else path


def _show_frames(bar):
    started, before = time.monotonic(), None

    def show(done, total):
        nonlocal before
        before = done - 1 if before is None else before  # of an earlier run
        speed = (done - before) / (time.monotonic() - started)
        left = f", {tqdm.tqdm.format_interval(max(total - done, 0) / speed)} left" if total else ""
        bar.note(f"frame {done} of {total or '?'}, {speed:.2f} frames/s{left}")

    return show
