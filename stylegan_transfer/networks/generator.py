"""The style generator: content and style image in, stylized image out, without a VGG."""

import keras
from keras import ops

from stylegan_transfer.networks import layers, normalization
from stylegan_transfer.networks.generator_inputs import (
    build_weights,
    check_architecture,
    check_codes,
    check_images,
    code_of_layer,
    draw_noise,
    noise_of_call,
    reduce_masks,
)
from stylegan_transfer.networks.style_encoder import StyleEncoder


@keras.saving.register_keras_serializable("stylegan_transfer")
class StyleGenerator(keras.Model):
    """Style transfer in one pass without a VGG: an encoder, and a style-modulated decoder.

    A content encoder brings the image to an eighth of its size. A style encoder turns the style
    image into a code `w`. A decoder paints the content: the scale and shift of each normalization
    come from `w`, and each layer adds noise, as in StyleGAN. Upsampling is nearest-neighbour plus
    convolution, which leaves no checkerboard. The last convolution runs at half resolution and
    rearranges its channels into pixels; a fixed filter removes the checkerboard that this leaves.

    Args:
        width: Channels of the outermost convolutions. Defaults to 32.
        num_blocks: Residual blocks at an eighth of the resolution, with `4 * width` channels.
            Defaults to 5.
        code_size: Length of the style code. Defaults to 256.
        noise: Whether `call` adds noise. Defaults to True.
        seed: Seed of the noise in training. Defaults to 0.

    Example:
        >>> import numpy as np
        >>> import stylegan_transfer
        >>> generator = stylegan_transfer.StyleGenerator(width=4, num_blocks=1, code_size=8)
        >>> content, style = np.random.default_rng(0).random((2, 1, 32, 48, 3), dtype="float32")
        >>> generator([content, style]).shape == content.shape
        True

        The same in two halves, so that one style serves many contents:

        >>> code = generator.encode_style(style)
        >>> code.shape == (1, 8), generator.num_layers
        (True, 4)
        >>> noise = generator.draw_noise(1, height=32, width=48, seed=0)
        >>> stylized = generator.synthesize(content, code, noise=noise)
        >>> bool(np.allclose(stylized, generator([content, style]), atol=1e-5))
        True

    References:
        - Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
          Networks", CVPR 2019 (mapping network, modulation, noise).
        - Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution",
          ECCV 2016 (the feed-forward stylization network).
        - Odena et al., "Deconvolution and Checkerboard Artifacts", Distill 2016.
    """

    def __init__(self, width=32, num_blocks=5, code_size=256, noise=True, seed=0, **kwargs):
        check_architecture(width, num_blocks, code_size, seed)
        super().__init__(**kwargs)
        self.width, self.num_blocks, self.code_size = width, num_blocks, code_size
        self.noise, self.seed = noise, seed
        self.noise_seed = keras.random.SeedGenerator(seed)
        self.encoder = [
            layers.ReflectionConv2D(width, 5, strides=2),
            layers.ReflectionConv2D(2 * width, 3, strides=2),
            layers.ReflectionConv2D(4 * width, 3, strides=2),
        ]
        self.encoder_norms = [normalization.InstanceNormalization() for _ in self.encoder]
        self.style_encoder = StyleEncoder(width, code_size)
        self.block_convs = [layers.ReflectionConv2D(4 * width, 3) for _ in range(2 * num_blocks)]
        self.upsampling_convs = [
            layers.ReflectionConv2D(2 * width, 3),
            layers.ReflectionConv2D(width, 3),
        ]
        self.norms = [normalization.ModulatedNormalization() for _ in range(self.num_layers)]
        self.to_pixels = layers.ReflectionConv2D(12, 3)
        build_weights(self)

    @property
    def num_layers(self) -> int:
        """How many layers of the decoder a style code modulates, coarse to fine."""
        return 2 * self.num_blocks + 2

    @property
    def length_of_codes(self) -> int:
        """Length of a code."""
        return self.code_size

    def encode_style(self, style):
        """Returns the style codes w, `(batch, code_size)`.

        Args:
            style: `(batch, height, width, 3)` in [0, 1], sides of at least 32 pixels.
        """
        return self.style_encoder(check_images("style", style))

    @property
    def strides(self) -> list[int]:
        """How many pixels of the image a position of each layer stands for."""
        return [8] * (2 * self.num_blocks) + [4, 2]

    @property
    def receptive_radius(self) -> int:
        """How many pixels further on the content can still matter, rounded up to a multiple of 8:
        16 for each block, 18 for the other convolutions, and 7 for the place in the grid of 8."""
        return 16 * self.num_blocks + 32

    def draw_noise(self, batch, height, width, seed):
        """Returns standard normal noise for `synthesize`: one value a position in each layer.

        Args:
            batch: Number of images; 1 serves a batch of any size.
            height: Of the content images.
            width: Of the content images.
            seed: An integer or a `keras.random.SeedGenerator`.
        """
        return draw_noise(batch, height, width, self.strides, seed)

    def synthesize(
        self, content, codes, masks=None, moments=None, noise=None, return_moments=False
    ):
        """Returns the content images painted in the styles of the codes.

        Args:
            content: `(batch, height, width, 3)` in [0, 1].
            codes: `(batch, code_size)`: one code for all layers; or
                `(batch, num_layers, code_size)`: one for each, coarse to fine. With masks, one
                more axis `styles` after `batch`.
            masks: Optional `(batch, styles, height, width)`: the share of each style at each
                pixel, summing to 1 over styles.
            moments: Optional list, as `return_moments` gives it: the statistics that every
                normalization uses in place of the image's own. With a thumbnail's they make
                tiles seamless, with a running mean of frames they make video steady.
            noise: Optional list from `draw_noise`.
            return_moments: Whether to return `(images, moments)`.

        Returns:
            Stylized images, float32 in [0, 1], `(batch, height, width, 3)`.

        Raises:
            ValueError: A shape is wrong, or a side is under 32 pixels.
        """
        check_images("content", content)
        check_codes(codes, masks, self.num_layers, self.code_size)
        height, width = ops.shape(content)[1:3]
        normalize = normalization.Normalizer(moments)
        maps = 2.0 * layers.pad_to_multiple(content, 8) - 1.0
        for conv, norm in zip(self.encoder, self.encoder_norms, strict=True):
            maps = ops.relu(normalize(norm, conv(maps)))

        def modulate(i, maps):
            return normalize(
                self.norms[i],
                maps,
                code_of_layer(codes, i, masks),
                reduce_masks(masks, self.strides[i]),
                noise=None if noise is None else noise[i],
            )

        for i in range(0, 2 * self.num_blocks, 2):
            residual = ops.relu(modulate(i, self.block_convs[i](maps)))
            maps = maps + modulate(i + 1, self.block_convs[i + 1](residual))
        for i, conv in enumerate(self.upsampling_convs, start=2 * self.num_blocks):
            maps = ops.relu(modulate(i, conv(layers.upsample(maps))))
        pixels = layers.smooth_depth_to_space(self.to_pixels(maps))
        images = layers.crop(layers.to_images(pixels), height, width)
        return (images, normalize.used) if return_moments else images

    def call(self, inputs, training=False):
        content, style = inputs
        noise = noise_of_call(self, content, training)
        return self.synthesize(content, self.encode_style(style), noise=noise)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            "width": self.width,
            "num_blocks": self.num_blocks,
            "code_size": self.code_size,
            "noise": self.noise,
            "seed": self.seed,
        }
