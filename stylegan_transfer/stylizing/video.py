"""Stylises video: a clip in, a clip out, sound kept.

`stylize_video` needs PyAV and OpenCV: `pip install "stylegan_transfer[video]"`.
"""

import collections
import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, repeat

import numpy as np

from stylegan_transfer.checks import expect
from stylegan_transfer.pictures.clips import repaint_clip
from stylegan_transfer.pictures.inputs import to_image, to_mask
from stylegan_transfer.pictures.motion import import_opencv
from stylegan_transfer.pictures.picture import ImageLike
from stylegan_transfer.stylizing.arguments import MIN_SIZE, check_strength
from stylegan_transfer.stylizing.carrying import Carrier, follow_motion
from stylegan_transfer.stylizing.painting import Generator, resize_mask
from stylegan_transfer.stylizing.with_code import stylize_with_code

_FRAMES_AHEAD = 2


def stylize_video(
    generator: Generator,
    source: str | os.PathLike,
    code: np.ndarray | Sequence[np.ndarray],
    output: str | os.PathLike,
    *,
    crf: int = 18,
    lossless: bool = False,
    segments: str | os.PathLike | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    **options,
) -> int:
    """Paints a clip as `stylize_frames` does; returns the number of frames written.

    Time stamps and sound are kept; `clips.repaint_clip` says how, and what becomes of odd sides,
    colour spaces, alpha and damaged frames. Frames are streamed, and reading, painting and writing
    run side by side: memory does not grow with the clip. The output appears at once and whole.

    Args:
        generator: From `load_generator`.
        source: The clip.
        code: From `encode_style` or `join_codes`: one style for all frames; with masks a list.
        output: Where to write: `.mp4`, `.mov` or `.mkv` for H.264, `.webm` for VP9. Missing
            folders are created.
        crf: The encoder's constant rate factor: from 0, the best, to 51 (VP9: 63). 0 is lossless
            but for the colours' 4:2:0.
        lossless: Whether the 8-bit pictures are written without loss, as FFV1 in `.mkv`.
        segments: Folder for segments of the painted clip. They stay if the run ends early, and the
            same call goes on after them, to frames equal to those of an uninterrupted run; in the
            end the folder is deleted. Default: nothing is kept.
        progress: Called as `progress(frames_done, num_frames)` after each frame; `num_frames` is
            None where the clip does not tell.
        options: As `stylize_frames` takes them.

    Returns:
        The number of frames.

    Raises:
        FileNotFoundError: There is no such clip.
        ImportError: PyAV or OpenCV is missing.
        ValueError: The clip cannot be read, `output` has another suffix, or an argument is out
            of its range.

    Example:
        >>> import av
        >>> import numpy as np
        >>> import stylegan_transfer
        >>> from stylegan_transfer import samples
        >>> generator = stylegan_transfer.StyleGenerator(width=4, num_blocks=1)  # untrained
        >>> style = samples.draw_style("swirls", 64)
        >>> code = stylegan_transfer.encode_style(generator, style, style_size=64)
        >>> with av.open("clip.mp4", "w") as clip:
        ...     stream = clip.add_stream("libx264", rate=25)
        ...     stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        ...     frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 200, "uint8"))
        ...     clip.mux([*stream.encode(frame), *stream.encode(None)])
        >>> stylegan_transfer.stylize_video(generator, "clip.mp4", code, "painted.mp4")
        1
    """

    def paint(frames, num_before, state):
        return _ahead(paint_frames(generator, frames, code, num_before, state, **options))

    return repaint_clip(
        source, output, paint, crf=crf, lossless=lossless, segments=segments, progress=progress
    )


def stylize_frames(
    generator: Generator,
    frames: Iterable[np.ndarray],
    code: np.ndarray | Sequence[np.ndarray],
    *,
    masks: Sequence[ImageLike | Iterator[ImageLike]] | None = None,
    strength: float = 1.0,
    steady: bool = True,
    **options,
) -> Iterator[np.ndarray]:
    """Returns an iterator over the frames, painted in the style of a code.

    The painting of each frame is carried to the next one along the optical flow. Only what comes
    into sight, or changes, is painted anew: `carrying.Carrier` says how. So strokes move with what
    they show, and what stands still stays equal to the bit. A scene cut starts anew.

    Args:
        generator: From `load_generator`.
        frames: float32 `(height, width, 3)` in [0, 1] each, sides of at least 32 pixels.
        code: From `encode_style` or `join_codes`: one style for all frames. With masks a list of
            them, one for each mask.
        masks: As `stylize_with_code` takes them; each a picture for all frames, or an iterator
            over one for each frame. The last one of an iterator serves all frames after it.
        strength: From 0, the frames themselves, to 1, the full style.
        steady: Whether paintings are carried; else each frame is painted by itself.
        options: `style_size`, `preserve_color`, `seed`, `tile_size` and `refiner`, as
            `stylize_with_code` takes them.

    Returns:
        An iterator over float32 `(height, width, 3)` in [0, 1], one for each frame.

    Raises:
        ImportError: OpenCV is missing.
        ValueError: An argument is out of its range.

    Example:
        >>> import stylegan_transfer
        >>> from stylegan_transfer import samples
        >>> generator = stylegan_transfer.StyleGenerator(width=4, num_blocks=1)  # untrained
        >>> style = samples.draw_style("swirls", 64)
        >>> code = stylegan_transfer.encode_style(generator, style, style_size=64)
        >>> picture = samples.draw_content("harbour", 64)
        >>> pan = [picture[:, t : t + 48] for t in range(3)]
        >>> [frame.shape for frame in stylegan_transfer.stylize_frames(generator, pan, code)]
        [(64, 48, 3), (64, 48, 3), (64, 48, 3)]
    """
    options |= {"masks": masks, "strength": strength, "steady": steady}
    return _images(paint_frames(generator, frames, code, **options))


def _images(pairs):
    with contextlib.closing(pairs):
        for image, _ in pairs:
            yield image


def paint_frames(
    generator: Generator,
    frames: Iterable[np.ndarray],
    code: np.ndarray | Sequence[np.ndarray],
    num_before: int = 0,
    state: Mapping[str, np.ndarray] | None = None,
    *,
    masks: Sequence[ImageLike | Iterator[ImageLike]] | None = None,
    strength: float = 1.0,
    steady: bool = True,
    **options,
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Returns an iterator over the paintings of `stylize_frames`, each with the state after it.

    Args:
        generator: As `stylize_frames` takes it, like all that is not named here.
        frames: The frames that are to be painted.
        code: See there.
        num_before: How many frames of the clip were painted before. Their masks are left out.
        state: What came with the painting of the last one of these; None at the start.
        masks: See there.
        strength: See there.
        steady: See there.
        options: See there.
    """
    check_strength(strength)
    is_several = isinstance(frames, Iterable) and not isinstance(frames, (str, bytes))
    expect(is_several, "frames: several images", frames=frames)
    expect(isinstance(steady, bool), "steady: True or False", steady=steady)
    stylize = functools.partial(stylize_with_code, generator, code=code, **options)
    blank = np.zeros((MIN_SIZE, MIN_SIZE, 3), "float32")
    stylize(blank, masks=masks and [blank] * len(masks), strength=0.0)  # checks, paints nothing
    if masks is None:
        expect(len(code) == 1, "the code of one style", code=np.shape(code))
    frames = map(_check_frame, frames)
    if strength == 0.0:
        return ((frame, {}) for frame in frames)
    if steady:
        import_opencv()
    masks_of_frames = zip(*map(_one_for_each, masks), strict=True) if masks else repeat(None)
    masks_of_frames = islice(masks_of_frames, num_before, None)

    def paint(frame, masks):
        return stylize(frame, masks=masks, strength=strength)

    if not steady:
        return ((image, {}) for image in map(paint, frames, masks_of_frames))
    return _carry(paint, frames, masks_of_frames, state)


def _check_frame(frame):
    image = to_image(frame)
    fits = min(image.shape[:2]) >= MIN_SIZE
    expect(fits, f"frames with sides of at least {MIN_SIZE} pixels", shape=image.shape)
    return image


def _one_for_each(mask):
    """Yields the mask of each frame, without end."""
    if not isinstance(mask, Iterator):
        yield from repeat(to_mask(mask))
    for latest in mask:
        mask = to_mask(latest)
        yield mask
    expect(not isinstance(mask, Iterator), "at least one frame of a mask", mask=mask)
    yield from repeat(mask)


def _carry(paint, frames, masks_of_frames, state):
    before = None if state is None else state["frame"]
    carrier = Carrier(paint, state)
    with contextlib.closing(_ahead(follow_motion(frames, before))) as moving:
        for (frame, flow, is_seen), masks in zip(moving, masks_of_frames, strict=False):
            if masks is not None:
                masks = [resize_mask(mask, frame.shape[:2]) for mask in masks]
            yield carrier(frame, flow, is_seen, masks), {"frame": frame, **carrier.state}


def _ahead(generator, count=_FRAMES_AHEAD):
    """Yields what a generator yields, which a thread takes up to `count` before it is needed.

    At its end, also an early one, the thread has ended and the generator is closed: whatever that
    reads may then be closed, too.
    """
    end = object()
    with ThreadPoolExecutor(1) as thread:
        pending = collections.deque(thread.submit(next, generator, end) for _ in range(count))
        try:
            while (item := pending.popleft().result()) is not end:
                pending.append(thread.submit(next, generator, end))
                yield item
        finally:
            thread.shutdown(wait=True, cancel_futures=True)
            generator.close()
