"""Building blocks of the generators and the discriminator.

Everything here runs under each Keras backend. Statistics are computed in float32 whatever the
precision of the maps.
"""

import keras
import numpy as np
from keras import ops

from stylegan_transfer.losses import channel_moments, instance_moments

EPSILON = 1e-5  # of the variance; trained generators rely on it


def reflect_pad(maps, rows, columns):
    """Returns maps with further rows and columns: those inside, mirrored at the border.

    PyTorch reflects the last axes alone, and Keras hands it fewer of them where no row is wanted:
    there, rows and columns are picked one by one.

    Args:
        maps: `(batch, height, width, channels)`.
        rows: How many `(above, below)`, fewer than the height.
        columns: How many `(left, right)`, fewer than the width.
    """
    if keras.backend.backend() != "torch":
        return ops.pad(maps, ((0, 0), rows, columns, (0, 0)), mode="reflect")
    for axis, (before, after) in ((1, rows), (2, columns)):
        last = maps.shape[axis] - 1
        places = last - np.abs(last - np.abs(np.arange(-before, last + 1 + after)))
        maps = ops.take(maps, places, axis=axis) if before or after else maps
    return maps


def padding_of(side, multiple):
    """Returns how many pixels are missing until `side` is a multiple of `multiple`.

    Written for exported graphs: ONNX gives `-side % multiple` the sign of C.

    Args:
        side: Integer, or a scalar tensor.
        multiple: Integer.
    """
    return (multiple - side % multiple) % multiple


def pad_to_multiple(images, multiple):
    """Returns images whose sides are multiples of `multiple`, by reflection at bottom and right.

    Args:
        images: `(batch, height, width, channels)`, both sides at least `multiple`.
        multiple: Integer.
    """
    height, width = ops.shape(images)[1:3]
    return reflect_pad(images, (0, padding_of(height, multiple)), (0, padding_of(width, multiple)))


def crop(images, height, width):
    """Returns the top left part of that size; the images themselves where it is all of them.

    Args:
        images: `(batch, height or more, width or more, channels)`.
        height: In pixels.
        width: In pixels.
    """
    return images if images.shape[1:3] == (height, width) else images[:, :height, :width]


def upsample(maps):
    """Returns maps of twice the height and width, each value repeated (nearest neighbour).

    Args:
        maps: `(batch, height, width, channels)`.
    """
    return ops.repeat(ops.repeat(maps, 2, axis=1), 2, axis=2)


def depth_to_space(maps, factor=2):
    """Returns maps whose channels have become neighbouring positions.

    Args:
        maps: `(batch, height, width, factor^2 channels)`.
        factor: By how much each side grows. Defaults to 2.

    Returns:
        `(batch, factor height, factor width, channels)`.

    Reference:
        Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient
        Sub-Pixel Convolutional Neural Network", CVPR 2016.
    """
    _, height, width, channels = ops.shape(maps)
    depth = channels // factor**2
    maps = ops.reshape(maps, (-1, height, width, factor, factor, depth))
    maps = ops.transpose(maps, (0, 1, 3, 2, 4, 5))
    return ops.reshape(maps, (-1, height * factor, width * factor, depth))


def remove_checkerboard(images):
    """Returns the images without waves of 2 pixels' length, horizontal, vertical or diagonal.

    The low-pass filter (-1, 4, 10, 4, -1) / 16 in both directions, with reflection at the border:
    0 at the Nyquist frequency, where `depth_to_space` leaves a checkerboard because each of its
    phases has weights of its own; 3/4 at half of it; constant images stay what they are.

    Args:
        images: `(batch, height, width, channels)`, both sides at least 3.

    References:
        - Odena et al., "Deconvolution and Checkerboard Artifacts", Distill 2016.
        - Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
          Networks", CVPR 2019, section 2 (filtering after upsampling).
    """
    taps = np.array([-1, 4, 10, 4, -1]) / 16
    kernel = np.repeat(np.outer(taps, taps)[:, :, None, None], images.shape[-1], axis=2)
    padded = reflect_pad(images, (2, 2), (2, 2))
    return ops.depthwise_conv(padded, ops.cast(kernel, images.dtype))


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


@keras.saving.register_keras_serializable("stylegan_transfer")
class ReflectionConv2D(keras.layers.Conv2D):
    """`Conv2D` with reflection padding: no frame of darker pixels at the border.

    A map of `(height, width)` becomes `(ceil(height / strides), ceil(width / strides))`.
    """

    def __init__(self, filters, kernel_size, **kwargs):
        super().__init__(filters, kernel_size, padding="valid", **kwargs)

    def call(self, inputs):
        return super().call(reflect_pad(inputs, *((size // 2,) * 2 for size in self.kernel_size)))

    def compute_output_shape(self, input_shape):
        sizes = [
            None if size is None else -(-size // stride)
            for size, stride in zip(input_shape[1:3], self.strides, strict=True)
        ]
        return (input_shape[0], *sizes, self.filters)

    def get_config(self):
        config = super().get_config()
        del config["padding"]
        return config


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
