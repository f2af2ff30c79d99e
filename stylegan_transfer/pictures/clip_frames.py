"""The frames of clips: opened, decoded, upright, with their times. Needs PyAV."""

import contextlib
import errno
import os
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from stylegan_transfer.checks import expect, shorten
from stylegan_transfer.pictures.tone_mapping import HLG, PQ, tone_map

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # errors of writing, not of the clip
_UNSPECIFIED = 2  # FFmpeg's number for the colour matrix
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # FFmpeg's own ones drop alpha


class Time(NamedTuple):
    """When a frame is shown and for how long, in units of `base` seconds."""

    start: int
    duration: int
    base: Fraction


def import_av():
    """Returns the module; an `ImportError` that names the extra where it is missing."""
    try:
        import av
    except ImportError as error:
        raise ImportError(
            f'Expected PyAV for video: pip install "stylegan_transfer[video]". Received: {error}'
        ) from error
    return av


def open_clip(source: str | os.PathLike):
    """Returns the container of a clip, to be closed.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if not os.path.isfile(source):
        reason = "a folder" if os.path.isdir(source) else "not found"
        name = shorten(os.fspath(source))
        raise FileNotFoundError(f"Expected a video file. Received: {name}, {reason}")
    return import_av().open(os.path.abspath(source), metadata_errors="replace")


@contextlib.contextmanager
def naming_errors(source: str | os.PathLike):
    """Makes `ValueError`s that name the clip of the many kinds that damaged ones raise."""
    try:
        yield
    except (import_av().FFmpegError, ArithmeticError, LookupError, ValueError) as error:
        is_full = isinstance(error, OSError) and error.errno in _FULL
        if is_full or str(error).startswith("Expected"):
            raise
        raise ValueError(
            f"Expected a video file that PyAV reads. Received: source={str(source)!r} ({error})"
        ) from error


def first_stream(streams):
    """Returns the first stream that can be decoded and is no cover picture; None without one."""
    cover = import_av().stream.Disposition.attached_pic
    return next((s for s in streams if s.codec_context and not s.disposition & cover), None)


def decode(stream, on_broken: Callable | None = None) -> Iterator:
    """Yields the frames of a stream; packets that are broken go to `on_broken`."""
    av = import_av()
    broken, decoder = av.InvalidDataError, stream.codec_context
    if _is_tagged(stream):
        decoder = av.CodecContext.create(_ALPHA_DECODERS[decoder.codec.canonical_name], "r")
    for packet in stream.container.demux(stream):
        try:
            yield from decoder.decode(packet)
        except broken:
            if on_broken is not None and packet.pts is not None:
                on_broken(packet)


def decode_pictures(stream) -> Iterator[tuple]:
    """Yields when each frame is shown, and the frame; the one before for a broken one.

    A frame without a duration, as in WebM, stays as long as the one before.
    """
    broken, num_broken = [], 0
    time = before = None
    for frame in decode(stream, broken.append):
        start = frame.dts if frame.pts is None else frame.pts
        expect(start is not None, "a clip with time stamps", pts=None)
        missed = [
            packet for packet in broken if time is not None and time.start < packet.pts < start
        ]
        for packet in sorted(missed, key=lambda packet: packet.pts):
            yield Time(packet.pts, packet.duration or 0, frame.time_base), before
        num_broken += len(missed)
        broken[:] = [packet for packet in broken if packet.pts > start]
        duration = frame.duration or (start - time.start if time else 0)
        time, before = Time(start, duration, frame.time_base), frame
        yield time, frame
    if num_broken:
        warn(stream, f"{num_broken} broken frames, which repeat the one before")
    if stream.codec_context.color_trc in (PQ, HLG):
        warn(stream, "HDR, which is written as BT.709 in standard range (tone-mapped)")


def warn(stream, what: str) -> None:
    """Warns of something that a stream's clip has."""
    warnings.warn(f"{shorten(stream.container.name)} has {what}", stacklevel=2)


def to_array(frame) -> np.ndarray:
    """Returns a decoded frame as float32 in [0, 1], upright, with even sides."""
    is_hd_untagged = frame.colorspace == _UNSPECIFIED and frame.height >= 720
    is_hdr = frame.color_trc in (PQ, HLG)
    pixels = frame.to_ndarray(
        format="rgb48le" if is_hdr else "rgb24",
        src_colorspace="ITU709" if is_hd_untagged else None,
    )
    pixels = _turn(pixels, frame.rotation)
    if is_hdr:
        return tone_map(pixels / 65535, frame.color_trc)
    return pixels.astype("float32", order="C") / 255


def has_alpha(stream) -> bool:
    """Returns whether the frames of a stream have alpha."""
    is_in_format = stream.format is not None and any(c.is_alpha for c in stream.format.components)
    return is_in_format or _is_tagged(stream)


def _is_tagged(stream):
    """Whether it has alpha beside its pictures, as WebM does; their format does not tell."""
    tags = {name.lower(): value for name, value in stream.metadata.items()}
    name = stream.codec_context.codec.canonical_name
    return tags.get("alpha_mode") == "1" and name in _ALPHA_DECODERS


def to_alpha(frame) -> np.ndarray:
    """Returns the alpha of a decoded frame, `(height, width)`, otherwise as `to_array`."""
    pixels = _turn(frame.to_ndarray(format="rgba"), frame.rotation)
    return pixels[..., 3].astype("float32") / 255


def _turn(pixels, rotation):
    pixels = np.rot90(pixels, round(rotation / 90))
    height, width = (side // 2 * 2 for side in pixels.shape[:2])
    return pixels[:height, :width]
