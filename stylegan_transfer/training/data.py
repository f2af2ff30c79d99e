"""Endless batches of content and style crops whose order depends on the seed and the step alone.

The example with the global index i (the k-th of step s is s * batch_size + k) is a function of
(seed, i): its pictures come from a stateless permutation per epoch, its crops and colours from
stateless random numbers. So training resumes at any step without saving the state of a pipeline.
"""

import os

import numpy as np
import tensorflow as tf

from stylegan_transfer.checks import expect, is_number, is_whole
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


def make_dataset(
    content: str | os.PathLike,
    style: str | os.PathLike,
    *,
    batch_size: int,
    image_size: int,
    seed: int = 0,
    start_step: int = 0,
    content_resize: tuple[int, int] | None = None,
    style_resize: tuple[int, int] | None = None,
    style_augmentation: float = 1.0,
    cache_bytes: int = 4 * 2**30,
    data_dir: str | os.PathLike | None = None,
    store: ImageStore | None = None,
    shard: tuple[int, int] = (0, 1),
) -> tf.data.Dataset:
    """Returns an infinite dataset of `(content, style, painting)` batches.

    Each picture of a source is seen once per epoch, in a new order each time; content and style
    have orders of their own. Every crop is resized so that the whole picture's short side would
    have a length drawn log-uniformly from the resize range, and is flipped half the time. The two
    style crops are different boxes of one painting with the same scale, flip and colours: one
    conditions the generator, the other is the discriminator's real sample.

    An unreadable picture is reported by one warning, and the next readable one of its source
    takes its place.

    Args:
        content: Source of the photographs: a file, a folder (with its subfolders), a glob,
            `"tfds:NAME:SPLIT"` (a TensorFlow data set, downloaded if it is not in `data_dir`), a
            `.zip` file of pictures (those in its folder `content/`, or all) or `"samples"` (the
            embedded pictures). Write `"./samples"` for a folder of that name.
        style: Source of the paintings, in the same form.
        batch_size: Number of examples in a batch.
        image_size: Side of the square crops, in pixels.
        seed: Selects the order of the pictures and their augmentation.
        start_step: Index of the first batch: the dataset continues as one that began at 0 would.
        content_resize: Lowest and highest short side of the resized photographs in pixels, at
            least `image_size`. Default: from `image_size` to twice that.
        style_resize: The same for the paintings.
        style_augmentation: Strength of the colour changes of the paintings from 0 (none) to
            1 (hue by up to 0.05 of a turn, saturation by up to 30 %); True is 1. Default: 1.
        cache_bytes: Memory for pictures (decoded, and encoded ones of TensorFlow data sets) in
            bytes; those beyond it are decoded at each use. Default: 4 GiB.
        data_dir: Folder of the TensorFlow data sets. Default: that of `tensorflow_datasets`.
        store: Shares the pictures of other datasets, and its budget, in place of `cache_bytes`
            and `data_dir`. Default: one of its own.
        shard: `(k, n)`: of each batch the examples k, k + n, k + 2 n, ..., for the k-th of n
            processes that share it. Default: all.

    Returns:
        A `tf.data.Dataset` of content, float32 RGB in [0, 1] of shape
        `(batch_size, image_size, image_size, 3)`; style, the same of shape
        `(batch_size, 2, image_size, image_size, 3)`; and the int64 numbers of the paintings
        within their source, `(batch_size,)`, which tell equal ones.

    Raises:
        FileNotFoundError: A source names no file.
        ValueError: An argument is out of its range, a source is malformed or unknown, or none
            of its pictures can be read.

    Example:
        >>> import stylegan_transfer as st
        >>> dataset = st.make_dataset("samples", "samples", batch_size=2, image_size=32)
        >>> content, style, painting = next(dataset.as_numpy_iterator())
        >>> content.shape, style.shape, painting.shape
        ((2, 32, 32, 3), (2, 2, 32, 32, 3), (2,))
    """
    content_resize, style_resize = check_batches(
        batch_size, image_size, seed, start_step, content_resize, style_resize, style_augmentation
    )
    expect(is_number(cache_bytes, 0), "cache_bytes of at least 0", cache_bytes=cache_bytes)
    expect(store is None or isinstance(store, ImageStore), "an ImageStore, or None", store=store)
    store = store or ImageStore(cache_bytes, data_dir)
    photographs, paintings = store.open_pair(content, style, content_resize[1], style_resize[1])

    def make_example(index):
        picture, _, draws = _next_picture(photographs, CONTENT, seed, index)
        content_crop = _random_crops(picture, draws, 1, image_size, content_resize)[0]
        picture, number, draws = _next_picture(paintings, STYLE, seed, index)
        style_crops = _random_crops(picture, draws, 2, image_size, style_resize)
        if style_augmentation:
            style_crops @= _color_matrix(draws, float(style_augmentation))
        crops = (tf.clip_by_value(c / 255, 0, 1) for c in (content_crop, style_crops))
        return (*crops, number)

    first, number = shard
    fits = is_whole(number, 1) and is_whole(first, 0, number - 1) and batch_size % number == 0
    expect(fits, f"shard=(k, n) with k < n, and n a divisor of {batch_size=}", shard=shard)
    dataset = tf.data.Dataset.counter(start_step * batch_size + first, number)
    make_example = tf.autograph.experimental.do_not_convert(make_example)  # in half the time
    dataset = dataset.map(make_example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.batch(batch_size // number, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def _next_picture(pictures, stream, seed, index):
    """The picture of example `index` (uint8), its number and its random numbers of [0, 1)."""
    key = _key(seed, stream, index // len(pictures))
    last = len(pictures) - 1
    position = tf.random.experimental.index_shuffle(index % len(pictures), key, last)
    picture, number = tf.numpy_function(pictures.load, [position], (tf.uint8, tf.int64))
    draws = tf.random.stateless_uniform([NUM_DRAWS], _key(seed, stream + AUGMENTATION, index))
    return tf.ensure_shape(picture, (None, None, 3)), tf.ensure_shape(number, ()), draws


def _key(seed, stream, number):
    # The stateless operations take keys of two numbers only, so the third is folded in.
    key = tf.constant([seed, stream], tf.int64)
    return tf.random.experimental.stateless_fold_in(key, number)


def _random_crops(picture, draws, num_crops, image_size, resize):
    """Returns `(num_crops, image_size, image_size, 3)` of one scale and flip, in [0, 255].

    The box that becomes the crop is cut out before the resizing, which is far cheaper than to
    resize the whole picture and equal to it but for the scale, rounded to a whole box, and the
    pixels at the crop's border, whose filter sees nothing beyond it.
    """
    low, high = resize
    size = tf.shape(picture)[:2]
    short_side = tf.cast(tf.reduce_min(size), tf.float32)
    resized_short_side = low * (high / low) ** draws[0]
    side = tf.cast(tf.round(short_side * image_size / resized_short_side), tf.int32)
    side = tf.clip_by_value(side, 1, tf.reduce_min(size))
    corners = _corners(size - side, draws, num_crops)
    boxes = tf.stack([picture[y : y + side, x : x + side] for y, x in corners])
    boxes = tf.where(draws[1] < 0.5, boxes[:, :, ::-1], boxes)
    return tf.image.resize(boxes, (image_size, image_size), antialias=True)


def _corners(room, draws, num_crops):
    """Returns the corners of one or two boxes: two different ones wherever there is room."""
    num_rows, num_columns = room[0] + 1, room[1] + 1
    num_places = tf.cast(num_rows * num_columns, tf.float32)
    first = tf.cast(draws[2] * num_places, tf.int32)
    distance = 1 + tf.cast(draws[3] * (num_places - 1), tf.int32)
    places = [(first + i * distance) % (num_rows * num_columns) for i in range(num_crops)]
    return [(place // num_columns, place % num_columns) for place in places]


def _color_matrix(draws, strength):
    """Returns the `(3, 3)` matrix that turns the hue and scales the saturation of RGB rows.

    Both act on the chroma plane of YIQ, so luma and greys stay, and one product does both.
    """
    turn = 2 * np.pi * MAX_HUE_TURN * strength * (2 * draws[4] - 1)
    saturation = 1 + MAX_SATURATION_CHANGE * strength * (2 * draws[5] - 1)
    x, y = saturation * tf.cos(turn), saturation * tf.sin(turn)
    chroma = tf.reshape(tf.stack([1, 0, 0, 0, x, y, 0, -y, x]), (3, 3))
    return RGB_TO_YIQ @ chroma @ np.linalg.inv(RGB_TO_YIQ)
