"""Reads and writes clips: other pictures, the same times and sound. Needs PyAV."""

import collections
import contextlib
import heapq
import itertools
import os
import pathlib
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from fractions import Fraction

import numpy as np

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.checks import expect, is_path, is_whole
from stylegan_transfer.pictures.clip_frames import (
    Time,
    decode_pictures,
    first_stream,
    has_alpha,
    import_av,
    naming_errors,
    open_clip,
    to_alpha,
    to_array,
    warn,
)
from stylegan_transfer.pictures.clip_streams import (
    CODECS,
    LOSSLESS,
    add_sound,
    choose_coding,
    encode_picture,
)
from stylegan_transfer.pictures.colors import fill_transparent
from stylegan_transfer.pictures.segments import Segments


def repaint_clip(
    source: str | os.PathLike,
    output: str | os.PathLike,
    paint: Callable[[Iterator[np.ndarray], int, dict | None], Generator],
    *,
    crf: int = 18,
    lossless: bool = False,
    segments: str | os.PathLike | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> int:
    """Writes a clip with its frames painted over; returns their number.

    Frames keep their time stamps, also at a variable rate. They are turned upright; an odd side
    loses its last row or column, because 4:2:0 halves both. Colours are read as tagged or, where
    untagged, as players do it (BT.709 from 720 lines on, else BT.601), and written with 8 bits as
    BT.709 in limited range; tags of primaries and transfer curve stay. The first sound track is
    copied or, where the output cannot hold its codec, encoded anew in one or two channels.

    Alpha stays where the output holds it: in lossless `.mkv` as it is, in `.webm`, and in `.mov`,
    which then is ProRes 4444. Others drop it with a warning.

    HDR (PQ or HLG) is tone-mapped to BT.709, and a broken frame repeats the one before; warnings
    say so. Frames are streamed: memory does not grow with the clip. Of a clip that breaks off, what
    can be decoded is kept. The output appears at once and whole.

    Args:
        source: The clip.
        output: Where to write: `.mp4`, `.mov` or `.mkv` for H.264, `.webm` for VP9. Missing
            folders are created.
        paint: `paint(frames, num_before, state)` is given an iterator over frames, float32
            `(height, width, 3)` in [0, 1], how many were painted before, and the state after
            these: 0 and None at the start. It returns a generator of as many pairs, in the same
            order: an image, all of one size, and the state after it, a dict of arrays.
        crf: The encoder's constant rate factor: from 0, the best, to 51 (VP9: 63).
        lossless: Whether the 8-bit pictures are written without loss, as FFV1 in `.mkv`.
        segments: Folder for segments of the clip. They stay if the run ends early, and the same
            call goes on after them; in the end the folder is deleted. Default: nothing is kept.
        progress: Called as `progress(frames_done, num_frames)` after each frame; `num_frames` is
            None where the clip does not tell.

    Raises:
        FileNotFoundError: There is no such clip.
        ImportError: PyAV is missing.
        ValueError: The clip cannot be read, `output` has another suffix, or `crf` or `lossless`
            is out of its range.
    """
    import_av()
    expect(is_path(source), "the path of a clip", source=source)
    suffix = pathlib.Path(output).suffix.lower() if is_path(output) else ""
    expect(suffix in CODECS, f"a path that ends in one of {', '.join(CODECS)}", output=output)
    worst = 63 if suffix == ".webm" else 51
    expect(is_whole(crf, 0, worst), f"crf of 0 to {worst}", crf=crf)
    expect(isinstance(lossless, bool), "lossless: True or False", lossless=lossless)
    expect(not lossless or suffix == LOSSLESS, f"{LOSSLESS} for lossless clips", output=output)
    output = pathlib.Path(output).absolute()
    with naming_errors(source), open_clip(source) as clip, contextlib.ExitStack() as stack:
        pictures = first_stream(clip.streams.video)
        expect(pictures, "a video file that PyAV reads", source=str(source))
        coding = choose_coding(suffix, crf, lossless, has_alpha(pictures))
        if has_alpha(pictures) and not coding.has_alpha:
            warn(pictures, f"alpha, which {suffix} drops (.mov, .webm and lossless .mkv keep it)")
        temporary = stack.enter_context(renamed_when_done(output))
        kept = Segments(pathlib.Path(segments or temporary.parent / "segments"), suffix)
        painted = _paint(pictures, paint, coding.has_alpha, kept)
        stack.enter_context(contextlib.closing(painted))  # before the clip that it reads
        if progress is not None:
            painted = _tell(painted, kept.num_frames, pictures.frames or None, progress)
        kept.write(painted, coding, pictures)
        expect(kept.num_frames, "a video file that PyAV reads", source=str(source))
        _join(kept, source, temporary, CODECS[suffix][1])
    if segments is not None:
        shutil.rmtree(segments)
    return kept.num_frames


def _paint(pictures, paint, keeps_alpha, kept):
    """Yields the time of each frame after those that are kept, its painting and the state after."""
    waiting = collections.deque()  # times and alphas of the frames that are not painted yet

    def read():
        for time, frame in itertools.islice(decode_pictures(pictures), kept.num_frames, None):
            image = to_array(frame)
            alpha = to_alpha(frame) if keeps_alpha else None
            waiting.append((time, alpha))
            yield image if alpha is None else fill_transparent(image, alpha)

    num_before = kept.num_frames  # which grows
    with contextlib.closing(paint(read(), num_before, kept.load_state())) as painted:
        for image, after in painted:
            time, alpha = waiting.popleft()
            yield time, image if alpha is None else np.dstack([image, alpha]), after


def _tell(painted, num_before, num_frames, progress):
    for count, item in enumerate(painted, start=num_before + 1):
        yield item
        progress(count, num_frames)


def _join(segments, source, path, audio_codec):
    """Writes the clip: the segments as they are, and the sound of the source."""
    with open_clip(source) as clip, import_av().open(path, "w") as target:
        pictures = segments.join(target)
        sound = add_sound(target, audio_codec, first_stream(clip.streams.audio))
        for packet in heapq.merge(pictures, sound, key=lambda p: p.dts * p.time_base):
            target.mux(packet)


def read_frames(source: str | os.PathLike) -> Iterator[np.ndarray]:
    """Yields the frames of a clip as `repaint_clip` gives them to `paint`.

    Raises:
        FileNotFoundError: There is no such clip.
        ImportError: PyAV is missing.
        ValueError: The clip cannot be read.
    """
    return _look(source, to_array)


def count_frames(source: str | os.PathLike) -> int:
    """Returns how many frames `read_frames` yields, which headers do not always tell.

    Raises:
        FileNotFoundError: There is no such clip.
        ImportError: PyAV is missing.
        ValueError: The clip cannot be read.
    """
    return sum(_look(source, lambda frame: 1))


def _look(source, look):
    import_av()
    expect(is_path(source), "the path of a clip", source=source)
    with naming_errors(source), open_clip(source) as clip:
        pictures = first_stream(clip.streams.video)
        expect(pictures, "a video file that PyAV reads", source=str(source))
        for _, frame in decode_pictures(pictures):
            yield look(frame)


def save_frames(frames: Sequence[np.ndarray], output: str | os.PathLike, rate: int = 25) -> None:
    """Writes a clip without sound, of 8 bits and without loss: FFV1, in `.mkv`.

    Args:
        frames: At least one, float32 `(height, width, 3)` in [0, 1], all of one size.
        output: Where. Missing folders are created; it appears at once and whole.
        rate: Frames a second.

    Raises:
        ImportError: PyAV is missing.
    """
    coding = choose_coding(LOSSLESS, 0, True, False)
    with renamed_when_done(output) as temporary, import_av().open(temporary, "w") as target:
        stream = target.add_stream(coding.codec, rate=rate, options=coding.options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = coding.pixels
        for t, frame in enumerate(frames):
            target.mux(encode_picture(stream, frame, Time(t, 1, Fraction(1, rate))))
        target.mux(stream.encode(None))
