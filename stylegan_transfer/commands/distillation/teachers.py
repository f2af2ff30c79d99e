"""Teachers: functions from images in [0, 1] to the calibrated maps that the student learns."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from stylegan_transfer.commands.distillation.student import LAYERS
from stylegan_transfer.networks.features import VGG19Features


def load_teacher(weights: str, deep_teacher: str | None = None) -> Callable:
    """Returns a function from images in [0, 1] to the five calibrated maps.

    Args:
        weights: As `VGG19Features` takes them.
        deep_teacher: File of the encoder that gives relu4_1 and relu5_1. Default: `weights`, too.
    """
    if not deep_teacher:
        return VGG19Features(weights, LAYERS)
    shallow = VGG19Features(weights, LAYERS[:3])
    deep = load_collaborative_encoder(deep_teacher)
    return lambda images: {**shallow(images), **deep(images)}


def load_collaborative_encoder(path: str) -> Callable:
    """Returns Wang et al.'s distilled encoder as a function: images -> relu4_1 and relu5_1.

    Its conventions: RGB in [0, 1], preprocessing as the 1x1 convolution `conv0`, reflection
    padding, and `*_aux` 1x1 convolutions to VGG19's channels with a mean activation of 1.
    """
    with np.load(path) as arrays:
        weights = {name: tf.constant(array) for name, array in arrays.items()}

    def convolve(x, name):
        return tf.nn.conv2d(x, weights[f"{name}/kernel"], 1, "VALID") + weights[f"{name}/bias"]

    def encode(images):
        maps, x = {}, convolve(images, "conv0")
        for block, convs in enumerate((2, 2, 4, 4, 1), start=1):
            x = x if block == 1 else tf.nn.max_pool2d(x, 2, 2, "VALID")
            for conv in range(1, convs + 1):
                padded = tf.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), "REFLECT")
                x = tf.nn.relu(convolve(padded, f"conv{block}{conv}"))
                if block > 3 and conv == 1:
                    aux = tf.nn.relu(convolve(x, f"conv{block}1_aux"))
                    maps[f"relu{block}_1"] = aux
        return maps

    return encode
