"""The discriminator: does this image have this style image's style?"""

import keras
from keras import ops

from stylegan_transfer.checks import expect, is_whole
from stylegan_transfer.networks.normalization import mean_and_deviation


@keras.saving.register_keras_serializable("stylegan_transfer")
class StyleDiscriminator(keras.Model):
    """Conditional patch discriminator with a projection.

    The document's 5x5 convolutions of stride 2 with leaky relu, each spectrally normalized, bring
    an image to maps h. The logit of a patch is `psi(h) + <h, V e(s)>`, where `e(s)` holds the
    means and standard deviations of the style image's own h. So the question is whether the patch
    has *this* style, as the document asks, and not whether it looks painted. The document's own
    discriminator departs from that: it sees no style image, narrows from 512 to 64 channels,
    normalizes over the batch, and ends in a sigmoid, which here belongs to the loss.

    `discriminator([images, style])` takes two `(batch, height, width, 3)` tensors in [0, 1] and
    returns logits `(batch, h, w, 1)`, `h = ceil(height / 2^len(widths))`.

    Args:
        widths: Channels of the convolutions. Defaults to (32, 64, 128, 256).
        conditional: Whether the style image matters; without it, the question is whether a patch
            looks painted. Defaults to True.

    Example:
        >>> import numpy as np
        >>> import stylegan_transfer
        >>> discriminator = stylegan_transfer.StyleDiscriminator(widths=(4, 8))
        >>> images, style = np.random.default_rng(0).random((2, 1, 32, 48, 3), dtype="float32")
        >>> logits = discriminator([images, style])
        >>> logits.shape == (1, 8, 12, 1)
        True

        `encode` and `judge` share one encoding of an image among several questions:

        >>> maps, style_maps = discriminator.encode(images), discriminator.encode(style)
        >>> bool(np.allclose(discriminator.judge(maps, style_maps), logits, atol=1e-5))
        True

    References:
        - Miyato & Koyama, "cGANs with Projection Discriminator", ICLR 2018.
        - Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks",
          CVPR 2017 (patches).
    """

    def __init__(self, widths=(32, 64, 128, 256), conditional=True, **kwargs):
        is_list = isinstance(widths, (tuple, list)) and len(widths) > 0
        fits = is_list and all(is_whole(width, 1, 4_096) for width in widths)
        expect(fits, "widths of at least one layer, each 1 to 4096", widths=widths)
        super().__init__(**kwargs)
        self.widths, self.conditional = tuple(widths), conditional
        self.convs = [SpectralConv2D(width, 5, strides=2, padding="same") for width in self.widths]
        self.patch_logits = SpectralConv2D(1, 1)
        if conditional:
            self.projection = keras.layers.Dense(self.widths[-1], use_bias=False, dtype="float32")
        image = ops.zeros((1, 32, 32, 3))
        self.built = True  # by the call itself: Keras would trace it in symbols before
        self([image, image])  # creates all weights

    def encode(self, images, training=False):
        """Returns the maps h, `(batch, h, w, widths[-1])`.

        Args:
            images: `(batch, height, width, 3)` in [0, 1].
            training: Whether each convolution takes a step of its power iteration.
        """
        maps = 2.0 * images - 1.0
        for conv in self.convs:
            maps = ops.leaky_relu(conv(maps, training=training), 0.2)
        return maps

    def judge(self, maps, style_maps, training=False):
        """Returns the logits of `maps` under the condition of `style_maps`, both from `encode`.

        With it, one encoding of an image serves as image, as condition, or as both.

        Args:
            maps: `(batch, h, w, widths[-1])`, of the images.
            style_maps: `(batch, h', w', widths[-1])`, of the style images.
            training: As in `encode`.

        Returns:
            `(batch, h, w, 1)`, float32.
        """
        logits = ops.cast(self.patch_logits(maps, training=training), "float32")
        if not self.conditional:
            return logits
        direction = self.projection(mean_and_deviation(style_maps))
        direction = direction / ops.sqrt(float(self.widths[-1]))
        maps = ops.cast(maps, "float32")
        return logits + ops.sum(maps * direction[:, None, None], axis=-1, keepdims=True)

    def call(self, inputs, training=False):
        images, style = inputs
        maps, style_maps = self.encode(images, training), self.encode(style, training)
        return self.judge(maps, style_maps, training)

    def compute_output_shape(self, input_shape):
        batch, *size, _ = input_shape[0]
        for _ in self.widths:
            size = [None if side is None else -(-side // 2) for side in size]
        return (batch, *size, 1)

    def get_config(self):
        return {"widths": self.widths, "conditional": self.conditional}


class SpectralConv2D(keras.layers.Conv2D):
    """`Conv2D` whose kernel is divided by its largest singular value.

    One power iteration a call in training; none otherwise. Keras' `SpectralNormalization` wrapper
    overwrites the kernel itself, so that the optimizer's steps are lost in part; here the kernel
    stays what the optimizer makes it, and the gradient sees the division, as in the paper.

    Reference:
        Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018,
        eq. 8 and algorithm 1.
    """

    def build(self, input_shape):
        super().build(input_shape)
        self.singular_vector = self.add_weight(
            shape=(1, self.filters),
            initializer="random_normal",
            trainable=False,
            dtype="float32",
            name="singular_vector",
        )

    def call(self, inputs, training=False):
        matrix = ops.reshape(ops.cast(self.kernel, "float32"), (-1, self.filters))
        fixed = ops.stop_gradient(matrix)
        left = _normalize(ops.matmul(self.singular_vector, ops.transpose(fixed)))
        right = _normalize(ops.matmul(left, fixed))
        if training:
            self.singular_vector.assign(right)
        largest = ops.sum(ops.matmul(left, matrix) * right)
        kernel = ops.cast(self.kernel / largest, self.compute_dtype)
        outputs = ops.conv(inputs, kernel, self.strides, self.padding)
        return outputs + ops.cast(self.bias, outputs.dtype)

    # Conv2D's own methods store its kernel and bias alone.
    def save_own_variables(self, store):
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store):
        keras.layers.Layer.load_own_variables(self, store)


def _normalize(vector):
    return vector / (ops.norm(vector) + 1e-12)
