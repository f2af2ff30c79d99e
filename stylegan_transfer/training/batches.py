"""The batches of `make_dataset` without TensorFlow, read by Keras' worker threads.

They hold the same pictures in the same way, by random numbers of their own: NumPy's Philox
generator, keyed by the seed and counted by the example. So these, too, depend on the seed and the
step alone.
"""

import functools

import keras
import numpy as np
from PIL import Image

from stylegan_transfer.pictures.colors import RGB_TO_YIQ
from stylegan_transfer.training.augmentation import (
    AUGMENTATION,
    CONTENT,
    MAX_HUE_TURN,
    MAX_SATURATION_CHANGE,
    NUM_DRAWS,
    STYLE,
    check_batches,
)
from stylegan_transfer.training.sources import ImageStore

_WORKERS = 4


class Batches(keras.utils.PyDataset):
    """Batches `(content, style, painting)` as `make_dataset` documents them, in NumPy arrays.

    `batches[i]` is the batch of step `start_step + i`; any thread may read it.

    Args:
        content: Source of the photographs.
        style: Source of the paintings.
        batch_size: Number of examples in a batch.
        image_size: Side of the square crops in pixels.
        store: Opens the sources and keeps their pictures.
        seed: Selects the order of the pictures and their augmentation.
        start_step: Index of the first batch.
        content_resize: Lowest and highest short side of the resized photographs in pixels.
        style_resize: The same for the paintings.
        style_augmentation: Strength of the colour changes of the paintings from 0 to 1.
        num_batches: How many there are. Default: endlessly many.

    Raises:
        FileNotFoundError: A source names no file.
        ValueError: An argument is out of its range, or a source cannot be read.
    """

    def __init__(
        self,
        content,
        style,
        *,
        batch_size: int,
        image_size: int,
        store: ImageStore,
        seed: int = 0,
        start_step: int = 0,
        content_resize: tuple[int, int] | None = None,
        style_resize: tuple[int, int] | None = None,
        style_augmentation: float = 1.0,
        num_batches: int | None = None,
    ):
        super().__init__(workers=_WORKERS)
        self._resize = check_batches(
            batch_size,
            image_size,
            seed,
            start_step,
            content_resize,
            style_resize,
            style_augmentation,
        )
        self._batch_size, self._image_size, self._seed = batch_size, image_size, seed
        self._start_step, self._num_batches = start_step, num_batches
        self._strength = float(style_augmentation)
        self._photographs, self._paintings = store.open_pair(
            content, style, *(high for _, high in self._resize)
        )

    @property
    def num_batches(self):
        return self._num_batches

    def __getitem__(self, index):
        first = (self._start_step + index) * self._batch_size
        examples = [self._make_example(first + i) for i in range(self._batch_size)]
        return tuple(map(np.stack, zip(*examples, strict=True)))

    def _make_example(self, index):
        content_range, style_range = self._resize
        picture, _, draws = self._next_picture(self._photographs, CONTENT, index)
        (content,) = random_crops(picture, draws, 1, self._image_size, content_range)
        picture, number, draws = self._next_picture(self._paintings, STYLE, index)
        styles = random_crops(picture, draws, 2, self._image_size, style_range)
        if self._strength:
            styles = styles @ color_matrix(draws, self._strength)
        crops = (np.clip(crops / 255, 0, 1, dtype="float32") for crops in (content, styles))
        return (*crops, np.int32(number))  # JAX has no 64 bits

    def _next_picture(self, pictures, stream, index):
        epoch, position = divmod(index, len(pictures))
        order = _shuffle(self._seed, stream, epoch, len(pictures))
        draws = _philox(self._seed, stream + AUGMENTATION, index).random(NUM_DRAWS)
        return (*pictures.load(order[position]), draws)


def _philox(seed, stream, number):
    # The counter counts blocks of numbers: fewer than 2^64 for one example, or one epoch.
    return np.random.Generator(np.random.Philox(key=[seed, stream], counter=number << 64))


@functools.lru_cache(maxsize=4)  # two streams, each perhaps between two epochs
def _shuffle(seed, stream, epoch, length):
    return _philox(seed, stream, epoch).permutation(length)


def random_crops(picture, draws, num_crops: int, image_size: int, resize) -> np.ndarray:
    """Returns crops of one scale and flip, as those of `make_dataset` for the same draws.

    Args:
        picture: uint8 `(height, width, 3)`.
        draws: Random numbers in [0, 1).
        num_crops: 1 or 2 different boxes.
        image_size: Side of the crops in pixels.
        resize: Lowest and highest short side of the resized picture.

    Returns:
        float32 `(num_crops, image_size, image_size, 3)` in [0, 255], rounded.
    """
    low, high = resize
    size = np.array(picture.shape[:2])
    side = round(size.min() * image_size / (low * (high / low) ** draws[0]))
    side = int(np.clip(side, 1, size.min()))
    rows, columns = map(int, size - side + 1)
    first, distance = int(draws[2] * rows * columns), 1 + int(draws[3] * (rows * columns - 1))
    crops = []
    for i in range(num_crops):
        top, left = divmod((first + i * distance) % (rows * columns), columns)
        box = picture[top : top + side, left : left + side]
        box = box[:, ::-1] if draws[1] < 0.5 else box
        # Pillow's bilinear filter is the antialiased one.
        crop = Image.fromarray(np.ascontiguousarray(box)).resize(
            (image_size, image_size), Image.Resampling.BILINEAR
        )
        crops.append(np.asarray(crop, "float32"))
    return np.stack(crops)


def color_matrix(draws, strength: float) -> np.ndarray:
    """Returns the `(3, 3)` matrix that turns the hue and scales the saturation of RGB rows."""
    turn = 2 * np.pi * MAX_HUE_TURN * strength * (2 * draws[4] - 1)
    saturation = 1 + MAX_SATURATION_CHANGE * strength * (2 * draws[5] - 1)
    x, y = saturation * np.cos(turn), saturation * np.sin(turn)
    chroma = np.array([[1, 0, 0], [0, x, y], [0, -y, x]])
    return (RGB_TO_YIQ @ chroma @ np.linalg.inv(RGB_TO_YIQ)).astype("float32")
