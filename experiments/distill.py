"""Trains the distilled VGG19 features that ship with the package.

    python experiments/distill.py --photos=DIR --paintings=DIR --teacher=imagenet --workdir=DIR

A network of VGG19's topology with a quarter of the channels learns to predict the teacher's
calibrated maps at relu1_1 ... relu5_1 through 1x1 convolutions, which are thrown away afterwards
(Wang et al., "Collaborative Distillation for Ultra-Resolution Universal Style Transfer",
CVPR 2020). A second term asks that distances between pictures (Gram matrices for style,
instance-normalized maps for content) are the teacher's, since distances are what the features
are for. The result, normalized to a mean activation of 1 in every layer, is written to
`WORKDIR/vgg19_distilled.npz` in half precision.

With --validation_photos and --validation_paintings the student is then compared with its teacher
on pictures that it did not see: `WORKDIR/validation.json`, printed as a table. --steps=0 with
--initial_weights trains no further.
"""

import json
import pathlib

import launch  # first: it quiets TensorFlow

# isort: split
import keras
import numpy as np
import tensorflow as tf
from absl import flags
from distill_validation import LAYERS, format_table, load_squares, unexplained_variance, validate
from keras import ops

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.losses import gram_matrix, instance_normalize
from stylegan_transfer.networks.features import VGG19Features, build_distilled_network
from stylegan_transfer.training.data import make_dataset

TEACHER_WIDTHS = (64, 128, 256, 512, 512)

FLAGS = flags.FLAGS
flags.DEFINE_string("photos", None, "Source of photographs.", required=True)
flags.DEFINE_string("paintings", None, "Source of paintings.", required=True)
flags.DEFINE_string("workdir", None, "Output folder: weights and TensorBoard logs.", required=True)
flags.DEFINE_string("teacher", "imagenet", "Weights of the teacher, as VGG19Features takes them.")
flags.DEFINE_string(
    "deep_teacher",
    None,
    "Collaborative Distillation's encoder (.npz) as the teacher of relu4_1 and relu5_1, for a "
    "--teacher file that ends before them.",
)
flags.DEFINE_string("validation_photos", None, "Photographs to validate with: folder or glob.")
flags.DEFINE_string("validation_paintings", None, "Paintings to validate with.")
flags.DEFINE_integer("validation_size", 256, "Side of their central squares, in pixels.", 32)
flags.DEFINE_integer("steps", 6000, "Optimizer steps.", lower_bound=0)
flags.DEFINE_integer("batch_size", 8, "Photographs a step, and as many paintings.", lower_bound=2)
flags.DEFINE_integer("image_size", 128, "Side of the crops in pixels.", lower_bound=32)
flags.DEFINE_float("learning_rate", 2e-3, "Peak learning rate.")
flags.DEFINE_float("distance_weight", 0.2, "Weight of the distances' term.")
flags.DEFINE_string(
    "initial_weights", None, "WORKDIR/distiller.weights.h5 of an earlier run, to go on from it."
)
flags.DEFINE_integer("seed", 0, "Random seed.")


class Distiller(keras.Model):
    """Trains `student` to predict the maps of `teacher` (a callable: images -> dict of maps)."""

    def __init__(self, teacher, distance_weight):
        super().__init__()
        self.teacher = teacher
        self.distance_weight = distance_weight
        self.student = build_distilled_network(LAYERS)
        self.heads = {
            layer: keras.layers.Conv2D(width, 1, name=f"head_{layer}")
            for layer, width in zip(LAYERS, TEACHER_WIDTHS, strict=True)
        }

    def call(self, images):
        maps = self.student(4.0 * images - 2.0)
        return maps, {layer: self.heads[layer](maps[layer]) for layer in LAYERS}

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
    """Mean absolute log-ratio of the Gram distances of all pairs of the batch."""
    return _distance_error(gram_matrix(expected), gram_matrix(maps))


def content_distance_error(expected, maps):
    """The same for instance-normalized maps."""
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


def load_teacher(weights, deep_teacher=None):
    """Returns a function from images in [0, 1] to the five calibrated maps."""
    if not deep_teacher:
        return VGG19Features(weights, LAYERS)
    shallow = VGG19Features(weights, LAYERS[:3])
    deep = load_collaborative_encoder(deep_teacher)
    return lambda images: {**shallow(images), **deep(images)}


def load_collaborative_encoder(path):
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


def normalize_activations(student, images):
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


def save_student(student, path):
    """Writes the weights in half precision, with the keys that `VGG19Features` reads."""
    arrays = {}
    for layer in student.layers:
        if layer.weights:
            arrays[f"{layer.name}/kernel"], arrays[f"{layer.name}/bias"] = (
                array.astype("float16") for array in layer.get_weights()
            )
    with renamed_when_done(path) as temporary:
        np.savez(temporary, **arrays)


def train(distiller, dataset, workdir):
    """Trains for --steps, in epochs of about 500 with a checkpoint after each."""
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        FLAGS.steps,
        alpha=0.01,
        warmup_target=FLAGS.learning_rate,
        warmup_steps=100,
    )
    distiller.compile(optimizer=keras.optimizers.Adam(schedule, global_clipnorm=1.0))
    epochs = max(FLAGS.steps // 500, 1)
    distiller.fit(
        dataset,
        epochs=epochs,
        steps_per_epoch=FLAGS.steps // epochs,
        callbacks=[
            keras.callbacks.TensorBoard(workdir / "logs", update_freq=50),
            keras.callbacks.TerminateOnNaN(raise_error=True),
            keras.callbacks.ModelCheckpoint(
                str(workdir / "distiller.weights.h5"), save_weights_only=True
            ),
        ],
    )


def main():
    """Distils as the flags say."""
    if bool(FLAGS.validation_photos) != bool(FLAGS.validation_paintings):
        raise ValueError(
            "Expected both or neither of --validation_photos and --validation_paintings. "
            f"Received: {FLAGS.validation_photos!r} and {FLAGS.validation_paintings!r}"
        )
    sources = filter(None, (FLAGS.validation_photos, FLAGS.validation_paintings))
    squares = [load_squares(source, FLAGS.validation_size) for source in sources]
    workdir = pathlib.Path(FLAGS.workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(FLAGS.seed)
    resize = (FLAGS.image_size, 2 * FLAGS.image_size)
    dataset = make_dataset(
        FLAGS.photos,
        FLAGS.paintings,
        batch_size=FLAGS.batch_size,
        image_size=FLAGS.image_size,
        content_resize=resize,
        style_resize=resize,
        seed=FLAGS.seed,
    )
    distiller = Distiller(load_teacher(FLAGS.teacher, FLAGS.deep_teacher), FLAGS.distance_weight)
    if FLAGS.initial_weights:
        distiller(tf.zeros((1, 32, 32, 3)))
        distiller.load_weights(FLAGS.initial_weights)
    if FLAGS.steps:
        train(distiller, dataset, workdir)
    if squares:
        figures = validate(distiller, *squares)
        with renamed_when_done(workdir / "validation.json") as temporary:
            temporary.write_text(json.dumps(figures, indent=1) + "\n")
        print(format_table(figures))
    calibration = tf.concat([batch[0] for batch in dataset.take(8)], axis=0)
    normalize_activations(distiller.student, 4.0 * calibration - 2.0)
    save_student(distiller.student, workdir / "vgg19_distilled.npz")
    print(f"Wrote {workdir / 'vgg19_distilled.npz'}")


if __name__ == "__main__":
    launch.run(main)
