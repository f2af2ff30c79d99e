"""Normalization of maps, and what a style makes of it.

Everything here runs under each Keras backend. Statistics are computed in float32 whatever the
precision of the maps.
"""

import keras
from keras import ops

from stylegan_transfer.losses import channel_moments, instance_moments

EPSILON = 1e-5  # of the variance; trained generators rely on it


def mean_and_deviation(maps):
    """Returns each channel's mean and standard deviation, `(batch, 2 channels)`, float32.

    Args:
        maps: `(batch, height, width, channels)`.
    """
    return ops.reshape(channel_moments(maps, EPSILON), (-1, 2 * maps.shape[-1]))


def rescale(maps, moments, scale, shift):
    """Returns `(maps - mean) / sqrt(variance + eps) * scale + shift` as one multiply-add.

    Args:
        maps: `(batch, height, width, channels)`.
        moments: `(batch, 2, channels)`, as `instance_moments` returns them.
        scale: Broadcastable to `maps`, float32.
        shift: Broadcastable to `maps`, float32.
    """
    mean, variance = moments[:, 0][:, None, None], moments[:, 1][:, None, None]
    gain = scale * ops.rsqrt(variance + EPSILON)
    return maps * ops.cast(gain, maps.dtype) + ops.cast(shift - mean * gain, maps.dtype)


def adaptive_instance_normalization(content_maps, style_moments):
    """Returns content maps that have the style's mean and variance in each channel.

    Args:
        content_maps: `(batch, height, width, channels)`.
        style_moments: `(batch, 2, channels)`, as `instance_moments` returns them.

    Reference:
        Huang & Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance
        Normalization", ICCV 2017, eq. 8.
    """
    scale = ops.sqrt(style_moments[:, 1] + EPSILON)[:, None, None]
    return rescale(
        content_maps, instance_moments(content_maps), scale, style_moments[:, 0][:, None, None]
    )


class InstanceNormalization(keras.layers.Layer):
    """Instance normalization with a learned scale and shift for each channel.

    `call(maps, moments=None)` returns `(normalized maps, moments)`; given moments replace the
    maps' own.

    Reference:
        Ulyanov et al., "Instance Normalization: The Missing Ingredient for Fast Stylization",
        2016.
    """

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)  # given moments and codes stay float32

    def build(self, input_shape):
        channels = input_shape[-1]
        self.scale = self.add_weight(shape=(channels,), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(channels,), initializer="zeros", name="shift")

    def call(self, maps, moments=None):
        moments = instance_moments(maps) if moments is None else moments
        scale, shift = ops.cast(self.scale, "float32"), ops.cast(self.shift, "float32")
        return rescale(maps, moments, scale, shift), moments


class ModulatedNormalization(keras.layers.Layer):
    """Instance normalization whose scale `1 + A(w)` and shift `B(w)` come from a style code.

    StyleGAN's AdaIN with learned affine maps A and B. Noise of a learned strength for each channel
    is added to the normalized maps: added before, as in the first StyleGAN, it would count for
    less and less as the convolutions' weights grow.

    `call(maps, code, masks=None, moments=None, noise=None)` returns `(maps, moments)`. `code` is
    `(batch, code_size)`; with masks of `(batch, styles, height, width)` it is
    `(batch, styles, code_size)`, and scale and shift are blended at each position.

    References:
        - Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
          Networks", CVPR 2019, section 2 and eq. 1.
        - Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020,
          section 2.2 (noise on normalized maps).
    """

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)  # given moments and codes stay float32

    def build(self, maps_shape, code_shape):
        channels = maps_shape[-1]
        self.affine = keras.layers.Dense(
            2 * channels,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
            dtype="float32",
            name="affine",
        )
        self.affine.build((None, code_shape[-1]))
        self.noise_strength = self.add_weight(
            shape=(channels,),
            initializer=keras.initializers.RandomNormal(stddev=0.1),
            name="noise_strength",
        )

    def call(self, maps, code, masks=None, moments=None, noise=None):
        moments = instance_moments(maps) if moments is None else moments
        affine = self.affine(code)
        if masks is None:
            affine = affine[:, None, None]
        else:
            affine = ops.einsum("bkc,bkhw->bhwc", affine, masks)
        scale, shift = ops.split(affine, 2, axis=-1)
        scale = 1.0 + scale
        rescaled = rescale(maps, moments, scale, shift)
        if noise is not None:
            strength = scale * ops.cast(self.noise_strength, "float32")
            rescaled = rescaled + ops.cast(noise, maps.dtype) * ops.cast(strength, maps.dtype)
        return rescaled, moments


class Normalizer:
    """Applies normalization layers one after another, and keeps the moments that they used.

    Args:
        moments: Optional list of the moments for each layer in its turn. Default: the maps' own.

    Attributes:
        used: List of the moments used so far.
    """

    def __init__(self, moments=None):
        self._given = None if moments is None else iter(moments)
        self.used = []

    def __call__(self, norm, maps, *args, **kwargs):
        given = None if self._given is None else next(self._given)
        maps, moments = norm(maps, *args, moments=given, **kwargs)
        self.used.append(moments)
        return maps
