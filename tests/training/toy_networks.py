"""Networks small enough to train in a moment, always with the same weights."""

import contextlib

import keras
from keras import ops


def toy_generator(seed=1, noise=0.0):
    """A convolution of the content and a colour from the style's mean."""
    content, style = keras.Input((None, None, 3)), keras.Input((None, None, 3))
    initializer = keras.initializers.RandomNormal(stddev=0.3, seed=seed)
    maps = keras.layers.Conv2D(3, 3, padding="same", kernel_initializer=initializer)(content)
    mean = keras.layers.GlobalAveragePooling2D(keepdims=True)(style)
    color = keras.layers.Conv2D(3, 1, kernel_initializer=initializer)(mean)
    if noise:  # in training; its random state is part of a run's state
        maps = keras.layers.GaussianNoise(noise, seed=5)(maps)
    return keras.Model([content, style], ops.sigmoid(ops.cast(maps + color, "float32")))


def toy_features():
    initializer = keras.initializers.RandomNormal(stddev=0.5, seed=2)
    images = keras.Input((None, None, 3))
    first = keras.layers.Conv2D(4, 3, activation="relu", kernel_initializer=initializer)(images)
    second = keras.layers.Conv2D(
        6, 3, strides=2, activation="relu", kernel_initializer=initializer
    )(first)
    return keras.Model(images, {"relu1_1": first, "relu2_1": second})


class ToyDiscriminator(keras.Model):
    """The match of a patch's maps with the style's mean maps."""

    def __init__(self):
        super().__init__()
        initializer = keras.initializers.RandomNormal(stddev=0.5, seed=3)
        self.conv = keras.layers.Conv2D(5, 3, strides=2, kernel_initializer=initializer)
        self.conv.build((None, None, None, 3))
        self.built = True

    def encode(self, images, training=False):
        return ops.tanh(self.conv(images))

    def judge(self, maps, style_maps, training=False):
        return ops.sum(maps * ops.mean(style_maps, axis=(1, 2), keepdims=True), axis=-1)


def toy_model(kind, config, scope=contextlib.nullcontext, run_eagerly=True):
    """Stands in for `build_model`: the training model, of the class `kind`, with toy networks.

    For a few steps it is quicker to run them eagerly than to trace them.
    """
    with scope():
        networks = (
            toy_generator(noise=0.1),
            ToyDiscriminator() if config.adversarial_weight else None,
            toy_features(),
        )
    model = kind(
        *networks,
        content_layers=("relu2_1",),
        style_layers=("relu1_1", "relu2_1"),
        feature_scales=(1,),
        style_weight=3.5,
        moments_weight=3.5,
        adversarial_weight=config.adversarial_weight,
        adversarial_ramp=config.adversarial_ramp,
    )
    with scope():
        model.compile(
            keras.optimizers.Adam(config.learning_rate),
            keras.optimizers.Adam(config.discriminator_learning_rate),
            run_eagerly=run_eagerly,
        )
    return model
