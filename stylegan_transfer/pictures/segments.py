"""Segments of a clip that is being painted: each finished by itself, joined in the end."""

import contextlib
import itertools
import json
import pathlib
import zipfile
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from stylegan_transfer.atomic import remove_leftovers, renamed_when_done
from stylegan_transfer.pictures.clip_frames import import_av, open_clip
from stylegan_transfer.pictures.clip_streams import Coding, add_encoder, encode_picture

LENGTH = 100  # frames; what an interruption costs at most
_NOTE, _STATE = "segment.json", "state.npz"


class Segments:
    """A folder with a subfolder for each finished segment of `LENGTH` frames.

    A segment is a clip of its own, whose time begins at 0; a note of the frames' times in the
    whole; and, of the last one, what the painting of the next frame needs of the frames before.

    Args:
        folder: Made if it is missing.
        suffix: Of the segments' files; that of the clip.

    Attributes:
        num_frames: How many frames the finished segments hold.
    """

    def __init__(self, folder: pathlib.Path, suffix: str):
        self._folder, self._name = folder, f"pictures{suffix}"
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
        self._count = self.num_frames = 0
        for note in _read_notes(folder):
            self._count, self.num_frames = self._count + 1, self.num_frames + len(note["times"])

    def load_state(self) -> dict[str, np.ndarray] | None:
        """Returns `load_state` of the folder."""
        return load_state(self._folder)

    def write(self, pictures: Iterable[tuple], coding: Coding, like) -> None:
        """Writes segments until the pictures end.

        Args:
            pictures: Each a `Time`, the image, and what the next ones need: a dict of arrays.
            coding: Of the images.
            like: The stream whose rate and tags they take.
        """
        pictures = iter(pictures)
        for first in pictures:
            self._write_one(first, itertools.islice(pictures, LENGTH - 1), coding, like)

    def _write_one(self, first, others, coding, like):
        with renamed_when_done(self._path(self._count)) as folder:
            folder.mkdir()
            times = []
            with import_av().open(folder / self._name, "w") as target:
                encoder = add_encoder(target, coding, first[1].shape[:2], like)
                for time, image, state in itertools.chain([first], others):  # noqa: B007
                    times.append(time[:2])
                    moved = time._replace(start=time.start - first[0].start)
                    target.mux(encode_picture(encoder, image, moved))
                target.mux(encoder.encode(None))
            note = {"base": str(time.base), "times": times}
            (folder / _NOTE).write_text(json.dumps(note), encoding="utf-8")
            np.savez(folder / _STATE, **state)
        self._count, self.num_frames = self._count + 1, self.num_frames + len(times)
        if self._count > 1:
            (self._path(self._count - 2) / _STATE).unlink(missing_ok=True)

    def join(self, target) -> Iterator:
        """Adds a stream to the target, and returns an iterator over its packets, as they are."""
        with self._open(0) as clip:
            stream = target.add_stream_from_template(clip.streams.video[0])
            stream.metadata.update(clip.streams.video[0].metadata)  # WebM's alpha is a tag
        return self._packets(stream)

    def _packets(self, stream):
        for number, note in enumerate(_read_notes(self._folder)):
            with self._open(number) as clip:
                packets = (packet for packet in clip.demux(video=0) if packet.size)
                for packet, time in zip(packets, note["times"], strict=True):
                    packet.stream, packet.time_base = stream, note["base"]
                    packet.pts, packet.duration = time
                    packet.dts = packet.pts
                    yield packet

    def _open(self, number):
        return open_clip(self._path(number) / self._name)

    def _path(self, number):
        return _path(self._folder, number)


def are_in(folder: pathlib.Path) -> bool:
    """Returns whether there are finished segments in a folder, whole or damaged."""
    return (_path(folder, 0) / _NOTE).is_file()


def count_frames(folder: pathlib.Path) -> int:
    """Returns how many frames the finished segments in a folder hold; changes nothing.

    Raises:
        ValueError: A note is damaged; the message names it.
    """
    return sum(len(note["times"]) for note in _read_notes(folder))


def load_state(folder: pathlib.Path) -> dict[str, np.ndarray] | None:
    """Returns what the next frame needs of those before; None at the start.

    Raises:
        ValueError: It is damaged; the message names its file. The dict, too, raises it, in place
            of `KeyError`: what is looked for and not there is missing in that file.
    """
    count = sum(1 for _ in _read_notes(folder))
    if not count:
        return None
    path = _path(folder, count - 1) / _STATE
    with _naming_damage(path), np.load(path) as arrays:
        state = _State(arrays)
    state.path = path
    return state


class _State(dict):
    def __missing__(self, name):
        raise _damage(self.path, f"no {name!r} in it")


def _read_notes(folder):
    """Yields the notes one by one: no list of them, which would grow with the clip."""
    for number in itertools.count():
        path = _path(folder, number) / _NOTE
        if not path.is_file():
            return
        with _naming_damage(path):
            note = json.loads(path.read_text(encoding="utf-8"))
            yield {"base": Fraction(note["base"]), "times": [*map(tuple, note["times"])]}


def _path(folder, number):
    return folder / f"{number:06d}"


@contextlib.contextmanager
def _naming_damage(path):
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, zipfile.BadZipFile) as error:
        raise _damage(path, error) from error


def _damage(path, reason):
    return ValueError(
        f"Expected whole segments of a clip, or no folder of them. Received: {path} ({reason})"
    )
