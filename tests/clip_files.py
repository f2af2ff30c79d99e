"""Clips that tests write and read."""

from fractions import Fraction

import av
import numpy as np

RATE = 44_100  # of sound
LAST = 0.17  # seconds that the last frame stays


def make_clip(
    path,
    images,
    stamps=None,
    *,
    codec="libx264",
    pixels="yuv420p",
    matrix=("ITU601", 6),
    full_range=False,
    rotation=0,
    audio_codec=None,
    options=None,
    **tags,
):
    """Writes uint8 frames with time stamps in milliseconds, and a tone of 440 Hz."""
    stamps = range(0, 40 * len(images), 40) if stamps is None else stamps
    with av.open(path, "w") as clip:
        pictures = clip.add_stream(codec, rate=25, options={"crf": "4"} | (options or {}))
        pictures.height, pictures.width = images[0].shape[:2]
        pictures.pix_fmt, pictures.codec_context.time_base = pixels, Fraction(1, 1000)
        pictures.codec_context.flags |= av.codec.context.Flags.frame_duration
        pictures.codec_context.colorspace = matrix[1]
        pictures.codec_context.color_range = 2 if full_range else 1
        for name, value in tags.items():
            setattr(pictures.codec_context, name, value)
        if rotation:
            pictures.set_display_rotation(rotation)
        if audio_codec:
            sound = clip.add_stream(audio_codec, rate=RATE, layout="mono")
            tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE // 4) / RATE)
            samples = av.AudioFrame.from_ndarray(
                (32767 * tone).astype("int16")[None], format="s16", layout="mono"
            )
            samples.sample_rate, samples.pts = RATE, 0
        durations = [*np.diff(stamps), round(1000 * LAST)]
        for image, stamp, duration in zip(images, stamps, durations, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
                format=pixels,
                dst_colorspace=matrix[0],
                dst_color_range="JPEG" if full_range else "MPEG",
            )
            frame.pts, frame.duration, frame.time_base = stamp, int(duration), Fraction(1, 1000)
            clip.mux(pictures.encode(frame))
        clip.mux(pictures.encode(None))
        if audio_codec:
            clip.mux(sound.encode(samples))
            clip.mux(sound.encode(None))
    return path


def read_clip(path):
    """A clip's frames as RGB, their times in seconds, and the samples of its sound."""
    with av.open(path) as clip:
        frames = [*clip.decode(video=0)]
        images = [frame.to_ndarray(format="rgb24") for frame in frames]
        times = [float(frame.time) for frame in frames]
    with av.open(path) as clip:
        sound = [f.to_ndarray() for f in clip.decode(audio=0)] if clip.streams.audio else []
    return images, times, np.concatenate(sound, axis=1) if sound else None
