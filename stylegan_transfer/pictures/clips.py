"""Reads and writes clips: other pictures, the same times and sound. Needs PyAV."""

import collections
import contextlib
import errno
import heapq
import itertools
import os
import pathlib
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.checks import expect, is_path, is_whole, shorten
from stylegan_transfer.pictures.tone_mapping import HLG, PQ, tone_map

CODECS = {  # suffix -> for pictures, and for sound that cannot be copied
    ".mp4": ("libx264", "aac"),
    ".mov": ("libx264", "aac"),
    ".mkv": ("libx264", "aac"),
    ".webm": ("libvpx-vp9", "libopus"),
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # errors of writing, not of the clip
# FFmpeg's numbers for the colour matrix and the range of YUV
_BT709, _UNSPECIFIED, _LIMITED = 1, 2, 1


def repaint_clip(
    source: str | os.PathLike,
    output: str | os.PathLike,
    paint: Callable[[Iterator[np.ndarray]], Iterator[np.ndarray]],
    *,
    crf: int = 18,
    progress: Callable[[int, int | None], None] | None = None,
) -> int:
    """Writes a clip with its frames painted over; returns their number.

    Frames keep their time stamps, also at a variable rate. They are turned upright; an odd side
    loses its last row or column, because 4:2:0 halves both. Colours are read as tagged or, where
    untagged, as players do it (BT.709 from 720 lines on, else BT.601), and written with 8 bits as
    BT.709 in limited range; tags of primaries and transfer curve stay. The first sound track is
    copied or, where the output cannot hold its codec, encoded anew in one or two channels.

    HDR (PQ or HLG) is tone-mapped to BT.709, and a broken frame repeats the one before; warnings
    say so. Frames are streamed: memory does not grow with the clip. Of a clip that breaks off, what
    can be decoded is kept. The output appears at once and whole.

    Args:
        source: The clip.
        output: Where to write: `.mp4`, `.mov` or `.mkv` for H.264, `.webm` for VP9. Missing
            folders are created.
        paint: Is given an iterator over all frames, float32 `(height, width, 3)` in [0, 1], and
            returns one over as many, of one size, in the same order.
        crf: The encoder's constant rate factor: from 0, the best, to 51 (VP9: 63).
        progress: Called as `progress(frames_done, num_frames)` after each frame; `num_frames` is
            None where the clip does not tell.

    Raises:
        FileNotFoundError: There is no such clip.
        ImportError: PyAV is missing.
        ValueError: The clip cannot be read, `output` has another suffix, or `crf` is out of its
            range.
    """
    av = _import_av()
    expect(is_path(source), "the path of a clip", source=source)
    suffix = pathlib.Path(output).suffix.lower() if is_path(output) else ""
    expect(suffix in CODECS, f"a path that ends in one of {', '.join(CODECS)}", output=output)
    worst = 63 if suffix == ".webm" else 51
    expect(is_whole(crf, 0, worst), f"crf of 0 to {worst}", crf=crf)
    output = pathlib.Path(output).absolute()
    video_codec, audio_codec = CODECS[suffix]
    num_frames = 0
    with (
        _naming_errors(av, source),
        _open(av, source) as clip,
        _open(av, source) as sound_clip,  # apart, so that sound can be read in its own time
        renamed_when_done(output) as temporary,
        av.open(temporary, "w") as target,
    ):
        pictures = _first(av, clip.streams.video)
        expect(pictures, "a video file that PyAV reads", source=str(source))
        times = collections.deque()  # of the frames that are not written yet
        painted = paint(_note(_decode_pictures(av, pictures), times))
        encoder = _add_encoder(av, target, video_codec, pictures, crf)

        def encode():
            nonlocal num_frames
            for num_frames, image in enumerate(painted, start=1):
                if num_frames == 1:
                    encoder.height, encoder.width = image.shape[:2]
                yield from encoder.encode(_to_video_frame(av, image, times.popleft(), encoder))
                if progress is not None:
                    progress(num_frames, pictures.frames or None)
            yield from encoder.encode(None)

        sound = _add_sound(av, target, audio_codec, _first(av, sound_clip.streams.audio))
        for packet in heapq.merge(encode(), sound, key=lambda p: p.dts * p.time_base):
            target.mux(packet)
        expect(num_frames, "a video file that PyAV reads", source=str(source))
    return num_frames


def read_frames(source: str | os.PathLike) -> Iterator[np.ndarray]:
    """Yields the frames of a clip as `repaint_clip` gives them to `paint`.

    Raises:
        FileNotFoundError: There is no such clip.
        ImportError: PyAV is missing.
        ValueError: The clip cannot be read.
    """
    av = _import_av()
    expect(is_path(source), "the path of a clip", source=source)
    with _naming_errors(av, source), _open(av, source) as clip:
        pictures = _first(av, clip.streams.video)
        expect(pictures, "a video file that PyAV reads", source=str(source))
        for _, pixels in _decode_pictures(av, pictures):
            yield pixels


def _import_av():
    try:
        import av
    except ImportError as error:
        raise ImportError(
            f'Expected PyAV for video: pip install "stylegan_transfer[video]". Received: {error}'
        ) from error
    return av


def _open(av, source):
    if not os.path.isfile(source):
        reason = "a folder" if os.path.isdir(source) else "not found"
        name = shorten(os.fspath(source))
        raise FileNotFoundError(f"Expected a video file. Received: {name}, {reason}")
    return av.open(os.path.abspath(source), metadata_errors="replace")


@contextlib.contextmanager
def _naming_errors(av, source):
    """Damaged clips raise errors of many kinds, at any frame."""
    try:
        yield
    except (av.FFmpegError, ArithmeticError, LookupError, ValueError) as error:
        is_full = isinstance(error, OSError) and error.errno in _FULL
        if is_full or str(error).startswith("Expected"):
            raise
        raise ValueError(
            f"Expected a video file that PyAV reads. Received: source={str(source)!r} ({error})"
        ) from error


def _first(av, streams):
    """The first stream that can be decoded and is no cover picture; None if there is none."""
    cover = av.stream.Disposition.attached_pic
    return next((s for s in streams if s.codec_context and not s.disposition & cover), None)


def _decode(av, stream, on_broken=None):
    """Yields the frames of a stream; packets that are broken go to `on_broken`."""
    for packet in stream.container.demux(stream):
        try:
            yield from packet.decode()
        except av.InvalidDataError:
            if on_broken is not None and packet.pts is not None:
                on_broken(packet)


def _decode_pictures(av, stream):
    """Yields when each frame is shown, and its pixels; the frame before for a broken one."""
    broken, num_broken = [], 0
    time = pixels = None
    for frame in _decode(av, stream, broken.append):
        start = frame.dts if frame.pts is None else frame.pts
        expect(start is not None, "a clip with time stamps", pts=None)
        missed = [
            packet for packet in broken if time is not None and time.start < packet.pts < start
        ]
        for packet in sorted(missed, key=lambda packet: packet.pts):
            yield _Time(packet.pts, packet.duration or 0, frame.time_base), pixels
        num_broken += len(missed)
        broken[:] = [packet for packet in broken if packet.pts > start]
        time = _Time(start, frame.duration, frame.time_base)
        pixels = _to_array(frame)
        yield time, pixels
    if num_broken:
        _warn(stream, f"{num_broken} broken frames, which repeat the one before")
    if stream.codec_context.color_trc in (PQ, HLG):
        _warn(stream, "HDR, which is written as BT.709 in standard range (tone-mapped)")


def _warn(stream, what):
    warnings.warn(f"{shorten(stream.container.name)} has {what}", stacklevel=2)


class _Time(NamedTuple):
    """When a frame is shown and for how long, in units of `base` seconds."""

    start: int
    duration: int
    base: Fraction


def _note(frames, times):
    """Yields the pixels of frames, and appends their times."""
    for time, pixels in frames:
        times.append(time)
        yield pixels


def _to_array(frame):
    """A decoded frame as float32, upright, with even sides."""
    is_hd_untagged = frame.colorspace == _UNSPECIFIED and frame.height >= 720
    is_hdr = frame.color_trc in (PQ, HLG)
    pixels = frame.to_ndarray(
        format="rgb48le" if is_hdr else "rgb24",
        src_colorspace="ITU709" if is_hd_untagged else None,
    )
    pixels = np.rot90(pixels, round(frame.rotation / 90))
    height, width = (side // 2 * 2 for side in pixels.shape[:2])
    pixels = pixels[:height, :width]
    if is_hdr:
        return tone_map(pixels / 65535, frame.color_trc)
    return pixels.astype("float32", order="C") / 255


def _add_encoder(av, target, codec, like, crf):
    encoder = target.add_stream(codec, rate=like.average_rate, options={"crf": str(crf)})
    context = encoder.codec_context
    context.time_base = like.time_base
    context.flags |= av.codec.context.Flags.frame_duration
    context.sample_aspect_ratio = like.sample_aspect_ratio or 1
    context.colorspace, context.color_range = _BT709, _LIMITED
    is_hdr = like.codec_context.color_trc in (PQ, HLG)
    context.color_primaries = _BT709 if is_hdr else like.codec_context.color_primaries
    context.color_trc = _BT709 if is_hdr else like.codec_context.color_trc
    return encoder


def _to_video_frame(av, image, time, encoder):
    pixels = np.round(255 * image).astype("uint8")
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
        encoder.width,
        encoder.height,
        format="yuv420p",
        dst_colorspace="ITU709",
        dst_color_range="MPEG",
    )
    frame.pts, frame.duration, frame.time_base = time
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
