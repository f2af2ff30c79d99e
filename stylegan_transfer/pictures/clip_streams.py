"""The streams of a clip that is written: pictures that are encoded, sound that is copied."""

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np

from stylegan_transfer.pictures.clip_frames import Time, decode, import_av
from stylegan_transfer.pictures.tone_mapping import HLG, PQ

CODECS = {  # suffix -> for pictures, and for sound that cannot be copied
    ".mp4": ("libx264", "aac"),
    ".mov": ("libx264", "aac"),
    ".mkv": ("libx264", "aac"),
    ".webm": ("libvpx-vp9", "libopus"),
}
LOSSLESS = ".mkv"
# FFmpeg's numbers for the colour matrix and the range of YUV
_RGB, _BT709, _LIMITED, _FULL = 0, 1, 1, 2


@dataclasses.dataclass(frozen=True)
class Coding:
    """How pictures are encoded.

    Attributes:
        codec: FFmpeg's name of the encoder.
        pixels: FFmpeg's name of the pixels' format.
        options: Of the encoder.
    """

    codec: str
    pixels: str
    options: dict[str, str]

    @property
    def has_alpha(self) -> bool:
        """Whether the pixels have alpha."""
        return self.pixels in ("bgra", "yuva420p", "yuva444p10le")


def choose_coding(suffix: str, crf: int, is_lossless: bool, has_alpha: bool) -> Coding:
    """Returns how the pictures of a clip are encoded, with alpha where there is a place for it.

    No frame needs a later one: so each packet is shown when it is decoded, and segments of a clip
    can be joined as they are.
    """
    if is_lossless:
        options = {"level": "3", "slices": "4", "g": "1"}
        return Coding("ffv1", "bgra" if has_alpha else "bgr0", options)
    if has_alpha and suffix == ".mov":
        return Coding("prores_ks", "yuva444p10le", {"profile": "4444"})
    if has_alpha and suffix == ".webm":  # hidden frames would not be in step with their alpha
        return Coding("libvpx-vp9", "yuva420p", {"crf": str(crf), "auto-alt-ref": "0"})
    codec = CODECS[suffix][0]
    options = {"crf": str(crf)} | ({"bf": "0"} if codec == "libx264" else {})
    return Coding(codec, "yuv420p", options)


def add_encoder(target, coding: Coding, size: tuple[int, int], like):
    """Returns a new stream of pictures, with the rate and the colours' tags of another."""
    av = import_av()
    encoder = target.add_stream(coding.codec, rate=like.average_rate, options=coding.options)
    encoder.height, encoder.width = size
    encoder.pix_fmt = coding.pixels
    context = encoder.codec_context
    context.thread_count = 1  # with more, x264 repeats itself even less often
    context.time_base = like.time_base
    context.flags |= av.codec.context.Flags.frame_duration
    context.sample_aspect_ratio = like.sample_aspect_ratio or 1
    is_rgb = coding.pixels.startswith("bgr")
    context.colorspace, context.color_range = (_RGB, _FULL) if is_rgb else (_BT709, _LIMITED)
    is_hdr = like.codec_context.color_trc in (PQ, HLG)
    context.color_primaries = _BT709 if is_hdr else like.codec_context.color_primaries
    context.color_trc = _BT709 if is_hdr else like.codec_context.color_trc
    return encoder


def encode_picture(encoder, image: np.ndarray, time: Time) -> list:
    """Returns the packets that an encoder has ready after one more picture, of RGB or RGBA."""
    pixels = np.round(255 * image).astype("uint8")
    frame = import_av().VideoFrame.from_ndarray(
        pixels, format="rgba" if pixels.shape[-1] == 4 else "rgb24"
    )
    is_rgb = encoder.pix_fmt.startswith("bgr")
    colors = {} if is_rgb else {"dst_colorspace": "ITU709", "dst_color_range": "MPEG"}
    frame = frame.reformat(encoder.width, encoder.height, format=encoder.pix_fmt, **colors)
    frame.pts, frame.duration, frame.time_base = time
    return encoder.encode(frame)


def add_sound(target, codec: str, sound) -> Iterator:
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
        frames = itertools.chain(decode(sound), [None])
        return itertools.chain.from_iterable(map(encoder.encode, frames))
    return _redirect(sound, stream)


def _redirect(sound, stream):
    for packet in sound.container.demux(sound):
        if packet.dts is not None:  # not the empty one at the end
            packet.stream = stream
            yield packet
