"""The student: one of the small VGG19s, and its training."""

import os
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.losses import gram_matrix, instance_normalize
from stylegan_transfer.networks.vgg19 import SMALL_NETWORKS

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


class Distiller(keras.Model):
    """Trains `student` to predict the maps of `teacher`.

    Called with images `(batch, height, width, 3)` in [0, 1], it returns the student's maps and
    what is predicted of the teacher's by 1x1 convolutions, its heads, each a dict by layer. Where
    both have equally many channels, the student's maps are the prediction.

    Args:
        teacher: Images -> dict of maps.
        distance_weight: Of the term that asks for the teacher's distances.
        kind: `"distilled"` or `"slim"`.
    """

    def __init__(self, teacher: Callable, distance_weight: float, kind: str = "distilled"):
        super().__init__()
        self.teacher = teacher
        self.distance_weight = distance_weight
        self.student = SMALL_NETWORKS[kind](LAYERS)
        taught = teacher(ops.zeros((1, 32, 32, 3)))
        self.heads = {
            layer: keras.layers.Conv2D(taught[layer].shape[-1], 1, name=f"head_{layer}")
            for layer, maps in self.student.output.items()
            if maps.shape[-1] != taught[layer].shape[-1]
        }

    def build(self, input_shape):
        for layer, head in self.heads.items():
            head.build(self.student.output[layer].shape)

    def call(self, images):
        maps = self.student(4.0 * images - 2.0)
        predicted = {layer: head(maps[layer]) for layer, head in self.heads.items()}
        return maps, maps | predicted

    def train_step(self, data):
        photos, paintings = keras.utils.unpack_x_y_sample_weight(data)[:2]
        images = ops.concatenate([photos, paintings[:, 0]])
        expected = self.teacher(images)
        with tf.GradientTape() as tape:
            maps, predicted = self(images, training=True)
            unexplained = {n: unexplained_variance(expected[n], predicted[n]) for n in LAYERS}
            style = sum(gram_distance_error(expected[n], maps[n]) for n in LAYERS) / len(LAYERS)
            content = 0.5 * sum(
                content_distance_error(expected[n], maps[n]) for n in ("relu3_1", "relu4_1")
            )
            loss = sum(unexplained.values()) + self.distance_weight * (style + content)
        self.optimizer.apply(
            tape.gradient(loss, self.trainable_variables), self.trainable_variables
        )
        return {
            "loss": loss,
            "style_distance_error": style,
            "content_distance_error": content,
            **{f"explained_variance/{n}": 1.0 - unexplained[n] for n in LAYERS},
        }


def gram_distance_error(expected, maps):
    """Returns the mean absolute log-ratio of the Gram distances of all pairs of the batch."""
    return _distance_error(gram_matrix(expected), gram_matrix(maps))


def content_distance_error(expected, maps):
    """Returns the same for instance-normalized maps."""
    return _distance_error(instance_normalize(expected), instance_normalize(maps))


def _distance_error(expected, actual):
    logs = []
    for descriptor in (expected, actual):
        flat = ops.reshape(descriptor, (ops.shape(descriptor)[0], -1))
        products = ops.matmul(flat, ops.transpose(flat))
        norms = ops.diagonal(products)
        distances = norms[:, None] + norms[None, :] - 2.0 * products
        relative = distances / ops.sqrt(norms[:, None] * norms[None, :] + 1e-12)
        logs.append(ops.log(ops.maximum(relative, 0.0) + 1e-3))
    return ops.mean(ops.abs(logs[0] - logs[1]))


def unexplained_variance(expected, predicted):
    """Returns the mean squared error over the variance of `expected` about its channel means."""
    variance = ops.mean(ops.square(expected - ops.mean(expected, axis=(0, 1, 2))))
    return ops.mean(ops.square(expected - predicted)) / (variance + 1e-6)


def normalize_activations(student: keras.Model, images) -> None:
    """Rescales the weights so that each layer's mean activation on `images` is 1.

    Relu is positively homogeneous, so the network's function changes by these factors only.
    """
    convs = [layer for layer in student.layers if layer.weights]
    means = keras.Model(student.input, [ops.mean(layer.output) for layer in convs])(images)
    previous = 1.0
    for layer, mean in zip(convs, map(float, means), strict=True):
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel * previous / mean, bias / mean])
        previous = mean


def save_student(student: keras.Model, path: str | os.PathLike) -> None:
    """Writes the weights in half precision, with the keys that `VGG19Features` reads."""
    arrays = {}
    for layer in student.layers:
        if layer.weights:
            arrays[f"{layer.name}/kernel"], arrays[f"{layer.name}/bias"] = (
                array.astype("float16") for array in layer.get_weights()
            )
    with renamed_when_done(path) as temporary:
        np.savez(temporary, **arrays)
