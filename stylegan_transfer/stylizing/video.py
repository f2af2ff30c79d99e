"""Stylises video: a clip in, a clip out, sound kept.

`stylize_video` needs PyAV: `pip install "stylegan_transfer[video]"`.
"""

import os
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from stylegan_transfer.checks import expect, is_number
from stylegan_transfer.pictures.clips import repaint_clip
from stylegan_transfer.pictures.inputs import to_image
from stylegan_transfer.stylizing.arguments import (
    MIN_SIZE,
    as_code,
    check_generator,
    check_strength,
    check_style_size,
)
from stylegan_transfer.stylizing.codes import STYLE_SIZE, encode_style
from stylegan_transfer.stylizing.painting import (
    Generator,
    expect_style_generator,
    synthesize,
    to_numpy,
)

SMOOTHING = 0.9
SCENE_CUT = 0.35


def stylize_video(
    generator: Generator,
    source: str | os.PathLike,
    code: np.ndarray,
    output: str | os.PathLike,
    *,
    strength: float = 1.0,
    smoothing: float = SMOOTHING,
    style_size: int = STYLE_SIZE,
    crf: int = 18,
    progress: Callable[[int, int | None], None] | None = None,
) -> int:
    """Paints a clip as `stylize_frames` does; returns the number of frames written.

    Time stamps and sound are kept; `clips.repaint_clip` says how, and what becomes of odd sides,
    colour spaces and damaged frames. Frames are streamed: memory does not grow with the clip
    (0.4 GB for full HD). The output appears at once and whole.

    Args:
        generator: A `StyleGenerator`.
        source: The clip.
        code: From `encode_style` or `join_codes`: one style for all frames.
        output: Where to write: `.mp4`, `.mov` or `.mkv` for H.264, `.webm` for VP9. Missing
            folders are created.
        strength: From 0, the clip itself, to 1, the full style.
        smoothing: From 0, each frame on its own, to below 1: statistics are averaged over about
            `1 / (1 - smoothing)` frames.
        style_size: Short side in pixels at which the frames' own codes are taken, for a strength
            in between.
        crf: The encoder's constant rate factor: from 0, the best, to 51 (VP9: 63).
        progress: Called as `progress(frames_done, num_frames)` after each frame; `num_frames` is
            None where the clip does not tell.

    Returns:
        The number of frames.

    Raises:
        FileNotFoundError: There is no such clip.
        ImportError: PyAV is missing.
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
    options = {"strength": strength, "smoothing": smoothing, "style_size": style_size}

    def paint(frames):
        return stylize_frames(generator, frames, code, **options)

    return repaint_clip(source, output, paint, crf=crf, progress=progress)


def stylize_frames(
    generator: Generator,
    frames: Iterable[np.ndarray],
    code: np.ndarray,
    *,
    strength: float = 1.0,
    smoothing: float = SMOOTHING,
    style_size: int = STYLE_SIZE,
) -> Iterator[np.ndarray]:
    """Returns an iterator over the frames, painted in the style of a code.

    Each normalization takes its statistics m from all of the frame. So a frame that is painted
    by itself changes its tone when something enters it. Here each normalization takes an
    exponential moving average instead: m_t <- s m_(t-1) + (1 - s) m, where m are the statistics
    of the frame painted by itself. They must be known before the painting. So every frame but
    the first goes through the network twice, at half the speed of single pictures.

    A single pass would average each layer's statistics after those of the layers before it. That
    undoes itself: every layer normalizes away what the average below it kept. It steadies about
    a third as much.

    Frames get no noise: its strokes would stand still while the picture moves.

    A change of the whole frame, such as its exposure, shows in the painting. Frames painted one
    by one hide it.

    A scene cut starts the average anew. It is a cut if more than 35 % of the pixels have another
    colour, in 4 steps a channel, than in the frame before. Histograms count this; motion leaves
    them alone. (Cuts between unrelated photographs: mostly 41 to 92 %; a pan by a sixth of the
    width: up to 10 %; exposure changed by a tenth: 8 to 29 %.)

    Args:
        generator: A `StyleGenerator`.
        frames: float32 `(height, width, 3)` in [0, 1] each, sides of at least 32 pixels.
        code: From `encode_style` or `join_codes`: one style for all frames.
        strength: From 0, the frames themselves, to 1, the full style. In between, the code is
            mixed with the frames' own, which is averaged, too.
        smoothing: s, from 0, each frame on its own, to below 1: it reaches back about
            `1 / (1 - s)` frames.
        style_size: Short side in pixels at which the frames' own codes are taken. At least 32.

    Returns:
        An iterator over float32 `(height, width, 3)` in [0, 1], one for each frame.

    Raises:
        ValueError: An argument is out of its range, or the generator is no `StyleGenerator`.

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
    expect_style_generator(generator, "video")
    check_generator(generator)
    code = as_code(generator, code)
    expect(len(code) == 1, "the code of one style", code=code.shape)
    check_strength(strength)
    is_below_one = is_number(smoothing, 0, 1) and smoothing < 1
    expect(is_below_one, "smoothing in [0, 1)", smoothing=smoothing)
    check_style_size(style_size)
    is_several = isinstance(frames, Iterable) and not isinstance(frames, (str, bytes))
    expect(is_several, "frames: several images", frames=frames)
    frames = map(_check_frame, frames)
    if strength == 0.0:
        return frames
    return _stylize_frames(generator, frames, code, strength, smoothing, style_size)


def _check_frame(frame):
    image = to_image(frame)
    fits = min(image.shape[:2]) >= MIN_SIZE
    expect(fits, f"frames with sides of at least {MIN_SIZE} pixels", shape=image.shape)
    return image


def _stylize_frames(generator, frames, code, strength, smoothing, style_size):
    previous = None
    for frame in frames:
        histogram = _histogram(frame)
        if previous is None or np.abs(histogram - previous).sum() / 2 > SCENE_CUT:
            scene = _Scene(generator, smoothing)
        previous = histogram
        if strength == 1.0:
            yield scene.paint("stylized", frame, code)
            continue
        # As `stylize_with_code` does it for one picture.
        own = scene.average("code", [encode_style(generator, frame, style_size=style_size)])[0]
        missed = frame - scene.paint("repainted", frame, own)
        painted = scene.paint("stylized", frame, own + strength * (code - own))
        yield np.clip(painted + (1.0 - strength) * missed, 0.0, 1.0)


class _Scene:
    """Paints the frames of one scene with averaged statistics."""

    def __init__(self, generator, smoothing):
        self._generator, self._smoothing = generator, smoothing
        self._averages = {}

    def average(self, name, values):
        """Returns the moving averages of a list of arrays, which their first values start."""
        if name in self._averages:
            values = [
                self._smoothing * average + (1.0 - self._smoothing) * value
                for average, value in zip(self._averages[name], values, strict=True)
            ]
        self._averages[name] = values
        return values

    def paint(self, name, frame, code):
        contents = frame[None]
        images, own = synthesize(self._generator, contents, code, return_moments=True)
        is_first = name not in self._averages
        moments = self.average(name, own)
        if self._smoothing and not is_first:
            images = synthesize(self._generator, contents, code, moments=moments)
        return to_numpy(images)[0]


def _histogram(frame):
    """The share of pixels of each of 64 colours."""
    colors = np.minimum(frame * 4, 3).astype(int) @ [16, 4, 1]
    return np.bincount(colors.ravel(), minlength=64) / colors.size
