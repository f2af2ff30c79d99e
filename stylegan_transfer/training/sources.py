"""Where training pictures come from: files, TensorFlow data sets, or the embedded samples."""

import contextlib
import functools
import re
import threading
import warnings
import zipfile

import numpy as np

from stylegan_transfer import samples
from stylegan_transfer.checks import expect, is_path, shorten
from stylegan_transfer.pictures import files

MAX_FILE_BYTES = 2**28  # of a picture in an archive


class ImageStore:
    """Keeps the decoded pictures of all sources of a run in memory, under one budget.

    Args:
        cache_bytes: Memory for encoded and decoded pictures in bytes.
        data_dir: Folder of the TensorFlow data sets. Default: that of `tensorflow_datasets`.
    """

    def __init__(self, cache_bytes: int, data_dir: str | None = None):
        self._cache_bytes = self._free_bytes = cache_bytes
        self._data_dir = data_dir
        self._lock = threading.Lock()
        self._opened = {}

    def open(self, source: str, kind: str, max_short_side: int) -> "Pictures":
        """Returns the pictures of a source; those of a source that is open already, once more.

        Args:
            source: A file, a folder, a glob, `"tfds:NAME:SPLIT"`, an archive `NAME.zip` or
                `"samples"`.
            kind: `"content"` or `"style"`: which of the samples, and which folder of an archive.
            max_short_side: Short side in pixels to which larger pictures are reduced.

        Raises:
            FileNotFoundError: The source names no file.
            ValueError: A `tfds:` source is malformed, unknown, holds no images, or holds more
                than the budget allows.
        """
        expect(is_path(source), f"a source of {kind}: a path, a pattern or a name", source=source)
        key = (str(source), kind, max_short_side)
        if key not in self._opened:
            items = _read_source(str(source), kind, self._data_dir)
            items = [self._count(*item) for item in items]
            if not items:
                raise FileNotFoundError(f"Expected pictures of {kind}. Received: {source}, none")
            self._opened[key] = Pictures(items, max(max_short_side, files.MIN_SIZE), self)
        return self._opened[key]

    def open_pair(
        self, content: str, style: str, content_side: int, style_side: int
    ) -> tuple["Pictures", "Pictures"]:
        """Returns the photographs and the paintings, each with a picture that can be read.

        Args:
            content: A source, as `open` takes it.
            style: The same.
            content_side: Short side in pixels to which larger photographs are reduced.
            style_side: The same of paintings.

        Raises:
            FileNotFoundError: As `open`.
            ValueError: As `open`; or no picture of a source can be read.
        """
        pair = self.open(content, "content", content_side), self.open(style, "style", style_side)
        for pictures in pair:
            pictures.load(0)  # an error here and now
        return pair

    def _count(self, name, picture):
        self._free_bytes -= len(picture) if isinstance(picture, bytes) else 0
        if self._free_bytes < 0:
            raise ValueError(
                "Expected encoded pictures that fit in the cache: raise cache_bytes or read a "
                "slice such as 'tfds:NAME:train[:10%]'. "
                f"Received: cache_bytes={self._cache_bytes}, used up at {name}"
            )
        return name, picture

    def keep(self, decoded: dict, index: int, image: np.ndarray) -> None:
        """Adds a picture to those of a source, if there is room and it is not there."""
        with self._lock:
            if index not in decoded and image.nbytes <= self._free_bytes:
                decoded[index] = image
                self._free_bytes -= image.nbytes


class Pictures:
    """The pictures of one source, to be loaded from any thread.

    Args:
        items: `(name, picture)` of each; a picture is a path, encoded bytes, or a function from
            a size to float RGB in [0, 1].
        max_short_side: Short side in pixels to which larger pictures are reduced.
        store: Whose budget decides which decoded pictures are kept.
    """

    def __init__(self, items: list, max_short_side: int, store: ImageStore):
        self._items, self._max_short_side, self._store = items, max_short_side, store
        self._decoded = {}
        self._unreadable = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._items)

    def load(self, index: int) -> tuple[np.ndarray, np.int64]:
        """Returns the uint8 picture at `index`, or else the next readable one; and its index."""
        for candidate in range(index, index + len(self)):
            image = self._load_one(candidate % len(self))
            if image is not None:
                return image, np.int64(candidate % len(self))
        raise ValueError(
            "Expected a source with a readable picture. "
            f"Received: {len(self)} unreadable, such as {self._items[index][0]}"
        )

    def _load_one(self, index):
        if index in self._decoded or index in self._unreadable:
            return self._decoded.get(index)
        name, picture = self._items[index]
        try:
            image = _decode(picture, name, self._max_short_side)
        except (OSError, ValueError) as error:
            with self._lock:
                if index not in self._unreadable:
                    self._unreadable.add(index)
                    warnings.warn(f"Skipped a picture. {error}", stacklevel=2)  # error names it
            return None
        self._store.keep(self._decoded, index, image)
        return image


def _read_source(source, kind, data_dir):
    """The `(name, picture)` pairs of a source, as `Pictures` takes them."""
    if source == "samples" and kind == "content":
        draw, names = samples.draw_content, samples.CONTENT_NAMES
    elif source == "samples":
        draw, names = samples.draw_style, samples.STYLE_NAMES
    elif source.startswith("tfds:"):
        return _read_tfds(source, data_dir)
    elif source.lower().endswith(".zip"):
        return _read_archive(source, kind)
    else:
        return [(str(path), path) for path in files.list_images(source)]
    return [(name, functools.partial(draw, name)) for name in names]


def _read_archive(source, kind):
    """The pictures of a .zip file: those in the folder of their kind, if there is one, or all."""
    try:
        with zipfile.ZipFile(source) as archive:
            members = [member for member in archive.infolist() if _is_picture(member.filename)]
            of_kind = [m for m in members if m.filename.startswith(f"{kind}/")]
            for member in of_kind or members:
                if member.file_size > MAX_FILE_BYTES:
                    raise ValueError(f"{member.filename} of {member.file_size:,} bytes")
                yield f"{source}/{member.filename}", archive.read(member)
    except FileNotFoundError:
        raise FileNotFoundError(f"Expected a .zip file of {kind}. Received: {source}") from None
    except Exception as error:  # damaged archives raise errors of many kinds
        reason = shorten(" ".join(str(error).split()))
        raise ValueError(
            f"Expected a .zip file of pictures that can be read. Received: {source} ({reason})"
        ) from error


def _is_picture(name):
    hidden = name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")
    return name.lower().endswith(files.IMAGE_SUFFIXES) and not hidden


def _decode(picture, name, max_short_side):
    if callable(picture):
        return np.uint8(np.rint(255 * picture(max_short_side)))
    return files.load_image(picture, "uint8", max_short_side, name)


def _read_tfds(source, data_dir):
    builder, split, key = open_tfds(source, data_dir)
    import tensorflow_datasets as tfds

    with _naming_tfds(source, data_dir):
        dataset = builder.as_dataset(split=split, decoders={key: tfds.decode.SkipDecoding()})
    encoded = dataset.map(lambda example: example[key]).as_numpy_iterator()
    return ((f"{source} #{index}", picture) for index, picture in enumerate(encoded))


def open_tfds(source: str, data_dir: str | None = None):
    """Returns the builder of a TensorFlow data set that is on disk, the split and the feature.

    Args:
        source: `"tfds:NAME:SPLIT"`.
        data_dir: Folder of the TensorFlow data sets. Default: that of `tensorflow_datasets`.

    Raises:
        ValueError: The source is malformed or unknown, or holds no images.
    """
    # A name may end in a version and a split may be a slice, so either can hold a colon.
    match = re.fullmatch(r"tfds:([^:]+(?::[\d.*]+)?):((?:[^:\[]|\[[^\]]*\])+)", source)
    if not match:
        raise ValueError(
            f"Expected a source like 'tfds:NAME:train' or 'tfds:NAME:train[:10%]'. "
            f"Received: {source!r}"
        )
    name, split = match.groups()
    import tensorflow_datasets as tfds

    with _naming_tfds(source, data_dir):
        builder = tfds.builder(name, data_dir=data_dir)
        builder.download_and_prepare()
        return builder, split, _image_key(builder.info.features, tfds.features.Image)


@contextlib.contextmanager
def _naming_tfds(source, data_dir):
    """Whatever goes wrong in there, the user's handle on it is the name."""
    try:
        yield
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]  # tfds goes on with a list of all it has
        raise ValueError(
            "Expected a TensorFlow data set with images that is on disk or can be downloaded. "
            f"Received: {source!r}, {data_dir=} ({reason})"
        ) from error


def _image_key(features, image_type):
    keys = [key for key, feature in features.items() if isinstance(feature, image_type)]
    if not keys:
        raise ValueError(f"it has no image feature, only {sorted(features)}")
    return "image" if "image" in keys else keys[0]
