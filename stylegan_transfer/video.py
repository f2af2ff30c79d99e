"""Stylises video: a clip in, a clip out, sound kept.

`stylize_video` needs PyAV: `pip install "stylegan_transfer[video]"`.
"""

import contextlib
import heapq
import itertools
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import keras
import numpy as np
from keras import ops

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.checks import expect
from stylegan_transfer.painting import expect_style_generator, synthesize
from stylegan_transfer.stylization import STYLE_SIZE, encode_style

SMOOTHING = 0.9
SCENE_CUT = 0.35
CODECS = {  # suffix -> for pictures, and for sound that cannot be copied
    ".mp4": ("libx264", "aac"),
    ".mov": ("libx264", "aac"),
    ".mkv": ("libx264", "aac"),
    ".webm": ("libvpx-vp9", "libopus"),
}
# FFmpeg's numbers for the colour matrix and the range of YUV
_BT709, _UNSPECIFIED, _LIMITED = 1, 2, 1


def stylize_video(
    generator: keras.Model,
    source: str | os.PathLike,
    code,
    output: str | os.PathLike,
    *,
    strength: float = 1.0,
    smoothing: float = SMOOTHING,
    style_size: int = STYLE_SIZE,
    crf: int = 18,
    progress: Callable[[int, int | None], None] | None = None,
) -> int:
    """Returns the number of frames written: all of the clip's, as `stylize_frames` paints them.

    Frames keep their time stamps, also at a variable rate. They are turned upright; an odd side
    loses its last row or column, because 4:2:0 halves both. Colours are read as tagged or, where
    untagged, as players do it (BT.709 from 720 lines on, else BT.601), and written with 8 bits as
    BT.709 in limited range; tags of primaries and transfer curve stay. The first sound track is
    copied or, where the output cannot hold its codec, encoded anew in one or two channels.

    Frames are streamed: memory does not grow with the clip (0.4 GB for full HD). Of a damaged
    clip, what can be decoded is kept. The output appears at once and whole.

    Args:
        generator: A `StyleGenerator`.
        source: The clip.
        code: As in `stylize_frames`.
        output: Where to write: `.mp4`, `.mov` or `.mkv` for H.264, `.webm` for VP9. Missing
            folders are created.
        strength: As in `stylize_frames`.
        smoothing: As in `stylize_frames`.
        style_size: As in `stylize_frames`.
        crf: The encoder's constant rate factor: from 0, the best, to 51 (VP9: 63).
        progress: Called as `progress(frames_done, num_frames)` after each frame; `num_frames` is
            None where the clip does not tell.

    Raises:
        FileNotFoundError: There is no such clip.
        ImportError: PyAV is missing.
        ValueError: The clip cannot be read, `output` has another suffix, or an argument is out
            of its range.
    """
    av = _import_av()
    output = pathlib.Path(output).absolute()
    suffix = output.suffix.lower()
    expect(suffix in CODECS, f"a path that ends in one of {[*CODECS]}", output=str(output))
    expect(0 <= crf <= 63, "crf of 0 to 63", crf=crf)
    video_codec, audio_codec = CODECS[suffix]
    options = {"strength": strength, "smoothing": smoothing, "style_size": style_size}
    num_frames = 0
    with (
        _open(av, source) as clip,
        _open(av, source) as sound_clip,  # apart, so that sound can be read in its own time
        renamed_when_done(output) as temporary,
        av.open(temporary, "w") as target,
    ):
        pictures = _first(av, clip.streams.video)
        expect(pictures, "a video file that PyAV reads", source=str(source))
        originals, frames = itertools.tee(_decode(av, pictures))
        stylized = stylize_frames(generator, map(_to_array, frames), code, **options)
        encoder = _add_encoder(av, target, video_codec, pictures, crf)

        def encode():
            nonlocal num_frames
            pairs = zip(originals, stylized, strict=True)
            for num_frames, (original, image) in enumerate(pairs, start=1):
                if num_frames == 1:
                    encoder.height, encoder.width = image.shape[:2]
                yield from encoder.encode(_to_video_frame(av, image, original, encoder))
                if progress is not None:
                    progress(num_frames, pictures.frames or None)
            yield from encoder.encode(None)

        sound = _add_sound(av, target, audio_codec, _first(av, sound_clip.streams.audio))
        for packet in heapq.merge(encode(), sound, key=lambda p: p.dts * p.time_base):
            target.mux(packet)
        expect(num_frames, "a video file that PyAV reads", source=str(source))
    return num_frames


def stylize_frames(
    generator: keras.Model,
    frames: Iterable[np.ndarray],
    code,
    *,
    strength: float = 1.0,
    smoothing: float = SMOOTHING,
    style_size: int = STYLE_SIZE,
) -> Iterator[np.ndarray]:
    """Returns an iterator over the frames, painted in the style of a code.

    Painted one by one, a whole frame changes its tone when something enters it, because each
    normalization takes its statistics m from all of the frame. Here it takes their exponential
    moving average, m_t <- s m_(t-1) + (1 - s) m, of the statistics that each frame painted by
    itself has. These have to be known before the painting, and in full size they are those of
    the picture, so every frame but the first goes through the network twice: half the speed of
    single pictures. (Averaging in a single pass, each layer's own statistics after those before
    it were averaged, undoes itself: every layer normalizes away what the average below it had
    kept. It steadies about a third as much.)

    What changes all of a frame, such as its exposure, shows in the painting as in the frame;
    frames painted one by one hide it.

    A scene cut starts the average anew: more than 35 % of the pixels have another colour, in 4
    steps a channel, than in the frame before, counted by histograms, which motion leaves alone.
    (Cuts between unrelated photographs: mostly 41 to 92 %; a pan by a sixth of the width: up to
    10 %; exposure changed by a tenth: 8 to 29 %.)

    Args:
        generator: A `StyleGenerator`.
        frames: float32 `(height, width, 3)` in [0, 1] each, sides of at least 32 pixels.
        code: From `encode_style` or `join_codes`: one style for all frames.
        strength: As in `stylize`. In between 0 and 1, the content's own code is averaged, too.
        smoothing: s, from 0, each frame on its own, to below 1: it reaches back about
            `1 / (1 - s)` frames.
        style_size: As in `stylize`; the size at which the frames' own codes are taken.

    Raises:
        ValueError: An argument is out of its range, or the generator is no `StyleGenerator`.
    """
    expect_style_generator(generator, "video")
    code = np.asarray(code)
    expect(len(code) == 1, "the code of one style", code=code.shape)
    expect(0.0 <= strength <= 1.0, "strength in [0, 1]", strength=strength)
    expect(0.0 <= smoothing < 1.0, "smoothing in [0, 1)", smoothing=smoothing)
    expect(style_size >= 32, "style_size of at least 32", style_size=style_size)
    if strength == 0.0:
        return iter(frames)
    return _stylize_frames(generator, frames, code, strength, smoothing, style_size)


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
        return ops.convert_to_numpy(images)[0]


def _histogram(frame):
    """The share of pixels of each of 64 colours."""
    colors = np.minimum(frame * 4, 3).astype(int) @ [16, 4, 1]
    return np.bincount(colors.ravel(), minlength=64) / colors.size


def flicker(frames: Sequence[np.ndarray], shifts: Sequence) -> float:
    """Returns the mean absolute difference of each frame and the one before, moved along.

    `mean |frame_t[y + dy, x + dx] - frame_(t-1)[y, x]|` over frames, channels and all positions
    that both show: the warping error for a motion that is known exactly, without occlusions.

    Args:
        frames: At least two, `(height, width, channels)`.
        shifts: `(dy, dx)` in whole pixels: how the content moves from each frame to the next,
            down and to the right; or one such pair for each frame after the first.

    Reference:
        Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018, section 3.3.
    """
    shifts = np.broadcast_to(shifts, (len(frames) - 1, 2))
    differences = [
        np.abs(_overlap(frame, dy, dx) - _overlap(previous, -dy, -dx)).mean()
        for previous, frame, (dy, dx) in zip(frames, frames[1:], shifts, strict=False)
    ]
    return float(np.mean(differences))


def _overlap(frame, dy, dx):
    """The part of a frame, which has moved by so much, that was in sight before."""
    height, width = frame.shape[:2]
    return frame[max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)]


def _import_av():
    try:
        import av
    except ImportError as error:
        raise ImportError(
            f'Expected PyAV for video: pip install "stylegan_transfer[video]". Received: {error}'
        ) from error
    return av


def _open(av, source):
    try:
        return av.open(os.path.abspath(source))
    except OSError:  # it is missing, or a folder
        raise
    except av.FFmpegError as error:
        raise ValueError(
            f"Expected a video file that PyAV reads. Received: source={str(source)!r} ({error})"
        ) from error


def _first(av, streams):
    """The first stream that can be decoded and is no cover picture; None if there is none."""
    cover = av.stream.Disposition.attached_pic
    return next((s for s in streams if s.codec_context and not s.disposition & cover), None)


def _decode(av, stream):
    """Yields the frames of a stream, without those that are damaged."""
    for packet in stream.container.demux(stream):
        with contextlib.suppress(av.InvalidDataError):
            yield from packet.decode()


def _to_array(frame):
    """A decoded frame as float32, upright, with even sides."""
    is_hd_untagged = frame.colorspace == _UNSPECIFIED and frame.height >= 720
    pixels = frame.to_ndarray(format="rgb24", src_colorspace="ITU709" if is_hd_untagged else None)
    pixels = np.rot90(pixels, round(frame.rotation / 90))
    height, width = (side // 2 * 2 for side in pixels.shape[:2])
    return pixels[:height, :width].astype("float32", order="C") / 255


def _add_encoder(av, target, codec, like, crf):
    encoder = target.add_stream(codec, rate=like.average_rate, options={"crf": str(crf)})
    context = encoder.codec_context
    context.time_base = like.time_base
    context.flags |= av.codec.context.Flags.frame_duration
    context.sample_aspect_ratio = like.sample_aspect_ratio or 1
    context.colorspace, context.color_range = _BT709, _LIMITED
    context.color_primaries = like.codec_context.color_primaries
    context.color_trc = like.codec_context.color_trc
    return encoder


def _to_video_frame(av, image, original, encoder):
    pixels = np.round(255 * image).astype("uint8")
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
        encoder.width,
        encoder.height,
        format="yuv420p",
        dst_colorspace="ITU709",
        dst_color_range="MPEG",
    )
    frame.pts = original.dts if original.pts is None else original.pts
    expect(frame.pts is not None, "a clip with time stamps", pts=None)
    frame.time_base, frame.duration = original.time_base, original.duration
    return frame


def _add_sound(av, target, codec, sound):
    """Returns an iterator over packets for a new stream of the target, copied or encoded anew."""
    if sound is None:
        return iter(())
    try:
        # Few players find PCM in an MP4.
        is_pcm = sound.codec_context.name.startswith("pcm_") and target.format.name == "mp4"
        stream = None if is_pcm else target.add_stream_from_template(sound)
    except ValueError:  # the container cannot hold this codec
        stream = None
    if stream is None:
        layout = "mono" if sound.channels == 1 else "stereo"
        encoder = target.add_stream(codec, rate=48_000, layout=layout)
        frames = itertools.chain(_decode(av, sound), [None])
        return itertools.chain.from_iterable(map(encoder.encode, frames))
    return _redirect(sound, stream)


def _redirect(sound, stream):
    for packet in sound.container.demux(sound):
        if packet.dts is not None:  # not the empty one at the end
            packet.stream = stream
            yield packet
