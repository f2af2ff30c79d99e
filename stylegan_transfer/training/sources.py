"""Where training pictures come from: files, TensorFlow data sets, or the embedded samples."""

import functools
import re
import threading
import warnings

import numpy as np

from stylegan_transfer import samples
from stylegan_transfer.pictures import files


def read_source(source: str, kind: str, data_dir: str | None = None):
    """Returns the `(name, picture)` pairs of a source, as `ImageStore` takes them.

    Args:
        source: A file, a folder, a glob, `"tfds:NAME:SPLIT"` or `"samples"`.
        kind: `"content"` or `"style"`: which of the samples `"samples"` stands for.
        data_dir: Folder of the TensorFlow data sets. Default: that of `tensorflow_datasets`.

    Raises:
        FileNotFoundError: If the source names no file.
        ValueError: If a `tfds:` source is malformed, unknown or holds no images.
    """
    source = str(source)
    if source == "samples" and kind == "content":
        draw, names = samples.draw_content, samples.CONTENT_NAMES
    elif source == "samples":
        draw, names = samples.draw_style, samples.STYLE_NAMES
    elif source.startswith("tfds:"):
        return _read_tfds(source, data_dir)
    else:
        return [(str(path), path) for path in files.list_images(source)]
    return [(name, functools.partial(draw, name)) for name in names]


class ImageStore:
    """Decodes the pictures of several sources and keeps them in memory, from any thread.

    Args:
        sources: An iterable of `(name, picture)` per source; a picture is a path, encoded bytes,
            or a function from a size to float RGB in [0, 1].
        max_short_sides: For each source the short side in pixels to which larger pictures are
            reduced.
        cache_bytes: Memory for encoded and decoded pictures.
    """

    def __init__(self, sources, max_short_sides: list[int], cache_bytes: int):
        self._max_short_sides = max_short_sides
        self._cache_bytes = self._free_bytes = cache_bytes
        self._decoded = {}
        self._unreadable = set()
        self._lock = threading.Lock()
        self._sources = [[self._count(*item) for item in source] for source in sources]

    def _count(self, name, picture):
        self._free_bytes -= len(picture) if isinstance(picture, bytes) else 0
        if self._free_bytes < 0:
            raise ValueError(
                "Expected encoded pictures that fit in the cache: raise cache_bytes or read a "
                "slice such as 'tfds:NAME:train[:10%]'. "
                f"Received: cache_bytes={self._cache_bytes}, used up at {name}"
            )
        return name, picture

    def num_images(self, source: int) -> int:
        return len(self._sources[source])

    def load(self, source: int, index: int) -> np.ndarray:
        """Returns the uint8 picture at `index`, or else the next readable one."""
        num_images = self.num_images(source)
        for candidate in range(index, index + num_images):
            image = self._load_one(source, candidate % num_images)
            if image is not None:
                return image
        raise ValueError(
            "Expected a source with a readable picture. "
            f"Received: {num_images} unreadable, such as {self._sources[source][index][0]}"
        )

    def _load_one(self, source, index):
        key = (int(source), int(index))
        if key in self._decoded or key in self._unreadable:
            return self._decoded.get(key)
        name, picture = self._sources[source][index]
        try:
            image = _decode(picture, name, self._max_short_sides[source])
        except (OSError, ValueError) as error:
            with self._lock:
                if key not in self._unreadable:
                    self._unreadable.add(key)
                    warnings.warn(f"Skipped a picture. {error}", stacklevel=2)  # error names it
            return None
        with self._lock:
            if key not in self._decoded and image.nbytes <= self._free_bytes:
                self._decoded[key] = image
                self._free_bytes -= image.nbytes
        return image


def _decode(picture, name, max_short_side):
    max_short_side = max(max_short_side, files.MIN_SIZE)
    if callable(picture):
        return np.uint8(np.rint(255 * picture(max_short_side)))
    return files.load_image(picture, "uint8", max_short_side, name)


def _read_tfds(source, data_dir):
    # A name may end in a version and a split may be a slice, so either can hold a colon.
    match = re.fullmatch(r"tfds:([^:]+(?::[\d.*]+)?):((?:[^:\[]|\[[^\]]*\])+)", source)
    if not match:
        raise ValueError(
            f"Expected a source like 'tfds:NAME:train' or 'tfds:NAME:train[:10%]'. "
            f"Received: {source!r}"
        )
    name, split = match.groups()
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
        builder.download_and_prepare()
        key = _image_key(builder.info.features, tfds.features.Image)
        dataset = builder.as_dataset(split=split, decoders={key: tfds.decode.SkipDecoding()})
    except Exception as error:  # whatever goes wrong in there, the user's handle on it is the name
        reason = str(error).strip().partition("\n")[0]  # tfds goes on with a list of all it has
        raise ValueError(
            "Expected a TensorFlow data set with images that is on disk or can be downloaded. "
            f"Received: {source!r}, {data_dir=} ({reason})"
        ) from error
    encoded = dataset.map(lambda example: example[key]).as_numpy_iterator()
    return ((f"{source} #{index}", picture) for index, picture in enumerate(encoded))


def _image_key(features, image_type):
    keys = [key for key, feature in features.items() if isinstance(feature, image_type)]
    if not keys:
        raise ValueError(f"it has no image feature, only {sorted(features)}")
    return "image" if "image" in keys else keys[0]
