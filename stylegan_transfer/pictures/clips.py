"""Reads and writes clips: other pictures, the same times and sound. Needs PyAV."""

import contextlib
import errno
import heapq
import itertools
import os
import pathlib
from collections.abc import Callable, Iterator

import numpy as np

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.checks import expect, is_path, is_whole, shorten

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

    Frames are streamed: memory does not grow with the clip. Of a damaged clip, what can be decoded
    is kept. The output appears at once and whole.

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
        originals, frames = itertools.tee(_decode(av, pictures))
        painted = paint(map(_to_array, frames))
        encoder = _add_encoder(av, target, video_codec, pictures, crf)

        def encode():
            nonlocal num_frames
            pairs = zip(originals, painted, strict=True)
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
