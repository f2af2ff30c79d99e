"""The generator of the document that this package follows."""

import keras
from keras import ops

from stylegan_transfer.losses import instance_moments
from stylegan_transfer.networks import layers, normalization
from stylegan_transfer.networks.generator_inputs import (
    build_weights,
    check_images,
    draw_noise,
    noise_of_call,
)


@keras.saving.register_keras_serializable("stylegan_transfer")
class DocumentGenerator(keras.Model):
    """The document's generator, corrected: a decoder of VGG19 features.

    The content's `relu4_1` gets the style's mean and variance in each channel (AdaIN). It takes
    the place of the document's noise, dense layer and reshape: at 128x128 it has the very shape
    (16, 16, 512). Noise z may be added to it. Then comes the document's decoder: 5x5 convolutions
    to 256, 128, 64 and 3 channels, three doublings of the size, tanh. There are two departures.
    Nearest upsampling and a convolution stand for each transposed convolution, which would leave a
    checkerboard. There is no batch normalization, which would undo the style's statistics (Huang &
    Belongie, section 7.1).

    Args:
        features: A frozen feature extractor that returns `relu4_1`, e.g.
            `VGG19Features(layers=("relu4_1",))`.
        noise: Whether `call` adds noise z. Defaults to False.
        seed: Seed of the noise in training. Defaults to 0.

    Example:
        >>> import numpy as np
        >>> import stylegan_transfer
        >>> features = stylegan_transfer.VGG19Features("random", layers=("relu4_1",))
        >>> generator = stylegan_transfer.DocumentGenerator(features)
        >>> content, style = np.random.default_rng(0).random((2, 1, 32, 48, 3), dtype="float32")
        >>> generator.encode_style(style).shape == (1, 2, 512)
        True
        >>> generator([content, style]).shape == content.shape
        True

    Reference:
        Huang & Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance
        Normalization", ICCV 2017.
    """

    def __init__(self, features, noise=False, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.features, self.noise, self.seed = features, noise, seed
        self.noise_seed = keras.random.SeedGenerator(seed)
        self.decoder = [layers.ReflectionConv2D(filters, 5) for filters in (256, 128, 64, 3)]
        build_weights(self)

    def encode_style(self, style):
        """Returns the channel means and variances of `relu4_1`, `(batch, 2, channels)`.

        Args:
            style: `(batch, height, width, 3)` in [0, 1], sides of at least 32 pixels.
        """
        return instance_moments(self._relu4_1(check_images("style", style)))

    @property
    def strides(self) -> list[int]:
        """How many pixels of the image a position of the noise stands for."""
        return [8]

    def draw_noise(self, batch, height, width, seed):
        """Returns standard normal noise z for `synthesize`; arguments as in `StyleGenerator`."""
        return draw_noise(batch, height, width, self.strides, seed)

    def synthesize(self, content, codes, noise=None):
        """Returns the content images painted in the styles of the codes.

        Args:
            content: `(batch, height, width, 3)` in [0, 1].
            codes: `(batch, 2, channels)` from `encode_style`.
            noise: Optional list of one map z from `draw_noise`.

        Returns:
            Stylized images, float32 in [0, 1], `(batch, height, width, 3)`.

        Raises:
            ValueError: A shape is wrong, or a side is under 32 pixels.
        """
        check_images("content", content)
        height, width = ops.shape(content)[1:3]
        maps = self._relu4_1(layers.pad_to_multiple(content, 8))
        maps = normalization.adaptive_instance_normalization(maps, codes)
        maps = maps if noise is None else maps + ops.cast(noise[0], maps.dtype)
        for conv in self.decoder[:-1]:
            maps = layers.upsample(ops.relu(conv(maps)))
        return layers.crop(layers.to_images(self.decoder[-1](maps)), height, width)

    def call(self, inputs, training=False):
        content, style = inputs
        noise = noise_of_call(self, content, training)
        return self.synthesize(content, self.encode_style(style), noise=noise)

    def _relu4_1(self, images):
        return self.features(images)["relu4_1"]

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        features = keras.saving.serialize_keras_object(self.features)
        return {"features": features, "noise": self.noise, "seed": self.seed}

    @classmethod
    def from_config(cls, config):
        features = keras.saving.deserialize_keras_object(config["features"])
        return cls(**{**config, "features": features})
