"""Sizes of maps, and convolution without a frame: padding, cropping, growing.

Everything here runs under each Keras backend.
"""

import keras
import numpy as np
from keras import ops


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


def interpolate(maps):
    """Returns maps of twice the height and width, with values in between (bilinear).

    Where values are repeated, the next convolution sees the borders of the squares, and a network
    draws them: a lattice in flat areas, of the period of the maps. `ops.image.resize` does the
    same, but not in TensorFlow's graphs of unknown sizes.

    Args:
        maps: `(batch, height, width, channels)`.

    Reference:
        Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
        Networks", CVPR 2019, section 2 (bilinear upsampling in place of nearest neighbours).
    """
    _, height, width, channels = ops.shape(maps)
    above = ops.concatenate([maps[:, :1], maps[:, :-1]], axis=1)
    below = ops.concatenate([maps[:, 1:], maps[:, -1:]], axis=1)
    maps = ops.stack([0.75 * maps + 0.25 * above, 0.75 * maps + 0.25 * below], axis=2)
    maps = ops.reshape(maps, (-1, 2 * height, width, channels))
    left = ops.concatenate([maps[:, :, :1], maps[:, :, :-1]], axis=2)
    right = ops.concatenate([maps[:, :, 1:], maps[:, :, -1:]], axis=2)
    maps = ops.stack([0.75 * maps + 0.25 * left, 0.75 * maps + 0.25 * right], axis=3)
    return ops.reshape(maps, (-1, 2 * height, 2 * width, channels))


def smooth_noise(noise):
    """Returns noise whose neighbours are alike, of the same variance but at the border.

    White noise has most of its power at waves of a few positions, whatever the positions' size: a
    network makes scales of one size of it. The filter is binomial, (1, 4, 6, 4, 1) / 16 in both
    directions, and then made to keep the variance.

    Args:
        noise: White noise, `(batch, height, width, 1)`.
    """
    return ops.conv(noise, ops.cast(noise_kernel()[..., None, None], noise.dtype), padding="same")


def noise_kernel():
    """Returns the kernel of `smooth_noise`, `(5, 5)`, float32: its squares sum to 1."""
    taps = np.array([1, 4, 6, 4, 1], "float32")
    kernel = np.outer(taps, taps)
    return kernel / np.linalg.norm(kernel)


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


def smooth_depth_to_space(maps):
    """Returns `depth_to_space(maps)` without waves of 2 pixels' length, in either direction.

    Each phase of `depth_to_space` comes from weights of its own, which leaves a checkerboard. The
    low-pass filter (-1, 4, 10, 4, -1) / 16 in both directions is 0 at the Nyquist frequency and
    3/4 at half of it; constant images stay what they are. It is computed before the positions
    grow, as one 3x3 convolution, with reflection at the border.

    Args:
        maps: `(batch, height, width, 4 channels)`, both sides at least 2.

    Returns:
        `(batch, 2 height, 2 width, channels)`.

    References:
        - Odena et al., "Deconvolution and Checkerboard Artifacts", Distill 2016.
        - Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
          Networks", CVPR 2019, section 2 (filtering after upsampling).
    """
    kernel = ops.cast(smoothing_kernel(maps.shape[-1] // 4), maps.dtype)
    return depth_to_space(ops.conv(reflect_pad(maps, (1, 1), (1, 1)), kernel))


def smoothing_kernel(channels):
    """Returns the kernel of `smooth_depth_to_space`, `(3, 3, 4 channels, 4 channels)`, float32."""
    by_phase = np.zeros((2, 3, 2), "float32")  # of the result; position and phase that it takes
    for phase in range(2):
        for offset, tap in zip(range(-2, 3), (-1, 4, 10, 4, -1), strict=True):
            position, taken = divmod(phase + offset, 2)
            by_phase[phase, position + 1, taken] = tap / 16
    kernel = np.einsum("piq,sjr,cd->ijqrcpsd", by_phase, by_phase, np.eye(channels))
    return kernel.reshape(3, 3, 4 * channels, 4 * channels).astype("float32")


def to_images(maps):
    """Returns maps as images: tanh, brought to [0, 1], float32.

    Args:
        maps: `(batch, height, width, 3)`.
    """
    return 0.5 * ops.tanh(ops.cast(maps, "float32")) + 0.5


@keras.saving.register_keras_serializable("stylegan_transfer")
class ReflectionPadding2D(keras.layers.Layer):
    """`reflect_pad` with the same margin on all sides.

    Args:
        margin: How many rows and columns are added on each side.
    """

    def __init__(self, margin, **kwargs):
        super().__init__(**kwargs)
        self.margin = margin

    def call(self, inputs):
        return reflect_pad(inputs, *((self.margin, self.margin),) * 2)

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        sides = [None if side is None else side + 2 * self.margin for side in sides]
        return (batch, *sides, channels)

    def get_config(self):
        return super().get_config() | {"margin": self.margin}


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
