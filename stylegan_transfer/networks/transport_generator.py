"""The transport generator: VGG features moved onto the style's statistics, then decoded."""

import keras
from keras import ops

from stylegan_transfer.checks import expect
from stylegan_transfer.losses import instance_moments
from stylegan_transfer.networks import layers, normalization
from stylegan_transfer.networks.features import VGG19Features
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
from stylegan_transfer.networks.palette import map_colors, measure_palettes, palette_maps
from stylegan_transfer.networks.transport import mean_and_covariance, transport
from stylegan_transfer.networks.vgg19 import DISTILLED_WIDTHS, SMALL_NETWORKS

_LARGEST_STRIDE = 16
_INNER = {16: 4, 8: 3, 4: 5, 2: 6}  # eighths of the channels, inside of pairs of convolutions
_JOINED = {8: 2, 4: 4, 2: 5}  # eighths of the channels, where a level joins the decoder

_FLAGS = ("antialiased", "lean", "low_rank")  # older files do not name them, and have none

# The levels that are moved, coarse to fine, and which of their positions their statistics are of:
# neighbours of the fine levels say the same, and every second one a direction is enough.
LEVEL_STEPS = {"relu5_1": 1, "relu4_1": 1, "relu3_1": 2, "relu2_1": 2}
_LEVELS = (*LEVEL_STEPS, "relu1_1")  # what codes are made of


@keras.saving.register_keras_serializable("stylegan_transfer")
class TransportGenerator(keras.Model):
    """Style transfer in one pass: optimal transport of features, and a style-modulated decoder.

    A frozen small VGG19 encodes both images. The content's relu4_1, relu3_1 and relu2_1 are
    moved onto the style's means and covariances in closed form, relu5_1 onto its means and
    deviations. The decoder starts from relu5_1, doubles the size four times, and merges the moved
    maps of each level on its way. Each of its normalizations takes scale and shift from a code w,
    which a mapping network makes of the style's channel statistics, and adds noise, from which
    textures grow in flat areas. The last convolution runs at half resolution and rearranges its
    channels into pixels, which a fixed filter frees of the checkerboard that this leaves. At last
    the image's colours are given the style's palette in closed form, each region with masks that
    of its style.

    Args:
        width: Channels of the outermost convolutions; doubled at each further level up to 4 times.
        num_blocks: Residual blocks at an eighth of the resolution.
        code_size: Length of the code w.
        noise: Whether `call` adds noise.
        seed: Seed of the noise in training.
        features: `"slim"`, or `"distilled"`, which generators had before and which takes twice as
            long; see `VGG19Features`.
        antialiased: Whether small maps are enlarged bilinearly, and noise is smoothed. Generators
            had neither before, which leaves a lattice in flat areas.
        lean: Whether the first of two convolutions of one size has fewer channels than the second:
            1/2 at a sixteenth of the size, 3/8 at an eighth, 5/8 at a quarter, 3/4 at a half.
            All had the same before.
        low_rank: Whether the sums of enlarged and moved maps have fewer channels than the layer
            that takes them: 1/4 at an eighth of the size, 1/2 at a quarter, 5/8 at a half. They
            are linear in both, and had the same before.

    Example:
        >>> import numpy as np
        >>> import stylegan_transfer
        >>> generator = stylegan_transfer.TransportGenerator(width=4, code_size=8)
        >>> content, style = np.random.default_rng(0).random((2, 1, 32, 48, 3), dtype="float32")
        >>> code = generator.encode_style(style)
        >>> generator.synthesize(content, code).shape == content.shape
        True

    References:
        - Mroueh, "Wasserstein Style Transfer", AISTATS 2020 (Gaussian optimal transport).
        - Li et al., "Universal Style Transfer via Feature Transforms", NeurIPS 2017 (statistics
          of several VGG levels).
        - Pitié & Kokaram, "The Linear Monge-Kantorovitch Linear Colour Mapping", CVMP 2007
          (palette).
        - Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
          Networks", CVPR 2019 (mapping network, modulation, noise).
    """

    def __init__(
        self,
        width=32,
        num_blocks=1,
        code_size=256,
        noise=True,
        seed=0,
        features="slim",
        antialiased=True,
        lean=True,
        low_rank=True,
        **kwargs,
    ):
        check_architecture(width, num_blocks, code_size, seed)
        expect(features in SMALL_NETWORKS, f"one of {tuple(SMALL_NETWORKS)}", features=features)
        flags = {"antialiased": antialiased, "lean": lean, "low_rank": low_rank}
        for name, flag in flags.items():
            expect(isinstance(flag, bool), "a bool", **{name: flag})
        super().__init__(**kwargs)
        self.width, self.num_blocks, self.code_size = width, num_blocks, code_size
        self.noise, self.seed = noise, seed
        self.antialiased, self.lean, self.low_rank = antialiased, lean, low_rank
        self.exact_roots = True  # False for formats that only multiply matrices
        self.noise_seed = keras.random.SeedGenerator(seed)
        self.features = VGG19Features(features, _LEVELS)
        self.mapping = [keras.layers.Dense(code_size, dtype="float32") for _ in range(2)]
        widths = {16: 4 * width, 8: 4 * width, 4: 2 * width, 2: width}
        inner = _take_eighths(widths, _INNER) if lean else widths
        joined = _take_eighths(widths, _JOINED) if low_rank else widths
        channels = [inner[16], widths[16], widths[8], *[inner[8], widths[8]] * num_blocks]
        channels += [inner[4], widths[4], inner[2], widths[2]]
        self.convs = [layers.ReflectionConv2D(size, 3) for size in channels]
        self.norms = [normalization.ModulatedNormalization() for _ in self.strides]
        self.descents = [keras.layers.Conv2D(joined[stride], 1) for stride in (8, 4, 2)]
        self.skips = [
            keras.layers.Conv2D(joined[stride], 1, use_bias=False) for stride in (8, 4, 2)
        ]
        self.to_pixels = layers.ReflectionConv2D(12, 3)
        build_weights(self)

    @property
    def strides(self) -> list[int]:
        """How many pixels of the image a position of each layer stands for."""
        return [16, 16, *[8] * (1 + 2 * self.num_blocks), 4, 4, 2, 2]

    @property
    def num_layers(self) -> int:
        """How many layers of the decoder a style code modulates, coarse to fine."""
        return len(self.strides)

    @property
    def receptive_radius(self) -> int:
        """How many pixels further on the content can still matter, as a multiple of 16."""
        encoder = 1 + 1 + 2 * 2 + 4 * 4 + 4 * 8 + 16 + 16  # convolutions and pooling to relu5_1
        decoder = sum(self.strides) + 2 + 2 + 2
        upsampling = 8 + 4 + 2  # half a position of each small map, where it is bilinear
        return -(-(encoder + decoder + upsampling) // _LARGEST_STRIDE) * _LARGEST_STRIDE

    @property
    def length_of_codes(self) -> int:
        """Length of a code: w, and the statistics that the levels are moved onto."""
        *_, relu2_1, relu3_1, relu4_1, relu5_1 = DISTILLED_WIDTHS
        moved = sum(channels * (1 + channels) for channels in (relu4_1, relu3_1, relu2_1, 3))
        return self.code_size + 2 * relu5_1 + moved

    def encode_style(self, style):
        """Returns the style codes of `style` images of any size.

        A code is a flat vector, so that mixtures of codes are mixtures of styles: w, the means
        and variances of relu5_1, and the means and covariances of the levels that are moved, and
        of the colours.

        Args:
            style: `(batch, height, width, 3)` in [0, 1], sides of at least 32 pixels.

        Returns:
            `(batch, n)`, float32.
        """
        style = check_images("style", style)
        maps = {name: ops.stop_gradient(m) for name, m in self.features(style).items()}
        pooled = [normalization.mean_and_deviation(m) for m in (2.0 * style - 1.0, *maps.values())]
        code = ops.stop_gradient(ops.concatenate(pooled, axis=-1))
        for dense in self.mapping:
            code = ops.leaky_relu(dense(code), 0.2)
        statistics = [*self._content_statistics(maps), mean_and_covariance(style)]
        return ops.concatenate(
            [code, *(ops.reshape(s, (-1, s.shape[1] * s.shape[2])) for s in statistics)], axis=-1
        )

    def synthesize(
        self,
        content,
        codes,
        masks=None,
        moments=None,
        noise=None,
        return_moments=False,
        training=False,
    ):
        """Returns the content images painted in the styles of the codes.

        Args:
            content: `(batch, height, width, 3)` in [0, 1].
            codes: `(batch, n)` from `encode_style`: one code for all layers; or
                `(batch, num_layers, n)`: one for each, coarse to fine; a level is moved by the
                code of the first layer that sees it. With masks, one more axis `styles` after
                `batch`.
            masks: Optional `(batch, styles, height, width)`: the share of each style at each
                pixel, summing to 1 over styles.
            moments: Optional list, as `return_moments` gives it: the statistics of the content's
                maps and of every normalization that are used in place of the image's own, and the
                maps of its colours.
            noise: Optional list from `draw_noise`.
            return_moments: Whether to return `(images, moments)`.
            training: Whether a gradient will be taken: the palette's roots then come from
                products, since those from eigenvalues have none where eigenvalues are equal.

        Returns:
            Stylized images, float32 in [0, 1], `(batch, height, width, 3)`.

        Raises:
            ValueError: A shape is wrong, or a side is under 32 pixels.
        """
        check_images("content", content)
        check_codes(codes, masks, self.num_layers, self.length_of_codes)
        height, width = ops.shape(content)[1:3]
        maps = self.features(layers.pad_to_multiple(content, _LARGEST_STRIDE))
        maps = {name: ops.stop_gradient(maps[name]) for name in LEVEL_STEPS}
        own = self._content_statistics(maps) if moments is None else moments[: len(maps)]
        moved = self._move(maps, own, codes, masks)
        given = None if moments is None else moments[len(maps) :]
        normalize = normalization.Normalizer(given)
        if noise is not None and self.antialiased:
            noise = [layers.smooth_noise(maps) for maps in noise]
        layer = iter(range(self.num_layers))
        upsample = layers.interpolate if self.antialiased else layers.upsample

        def modulate(maps):
            i = next(layer)
            code = code_of_layer(codes, i, masks)[..., : self.code_size]
            return normalize(
                self.norms[i],
                self.convs[i](maps),
                code,
                reduce_masks(masks, self.strides[i], _LARGEST_STRIDE),
                noise=None if noise is None else noise[i],
            )

        def descend(i, maps):
            return upsample(self.descents[i](maps)) + self.skips[i](moved[i + 1])

        maps = ops.relu(modulate(ops.relu(modulate(moved[0]))))
        maps = ops.relu(modulate(descend(0, maps)))
        for _ in range(self.num_blocks):
            maps = maps + modulate(ops.relu(modulate(maps)))
        for i in (1, 2):
            maps = ops.relu(modulate(ops.relu(modulate(descend(i, maps)))))
        pixels = layers.smooth_depth_to_space(self.to_pixels(maps))
        images, used = layers.to_images(pixels), [*own, *normalize.used]
        exact = self.exact_roots and not training
        used.append(self._palette_maps(images, codes, masks, exact) if given is None else given[-1])
        images = map_colors(layers.crop(images, height, width), used[-1], masks)
        return (images, used) if return_moments else images

    def _palette_maps(self, images, codes, masks, exact):
        """The maps onto the palette that the code of the last layer asks for; each style's own."""
        code = code_of_layer(codes, self.num_layers - 1, masks)
        code = code[:, None] if masks is None else code
        palettes = ops.reshape(code[..., -12:], (*ops.shape(code)[:2], 4, 3))
        if masks is not None:
            reduced = reduce_masks(masks, self.strides[-1], _LARGEST_STRIDE)
            masks = ops.repeat(ops.repeat(reduced, self.strides[-1], 2), self.strides[-1], 3)
        return palette_maps(measure_palettes(images, masks), palettes, exact)

    def _content_statistics(self, maps):
        """Means and variances of relu5_1, means and covariances of the other levels."""
        deepest, *others = (maps[name][:, ::step, ::step] for name, step in LEVEL_STEPS.items())
        return [instance_moments(deepest), *(mean_and_covariance(m) for m in others)]

    def _move(self, maps, statistics, codes, masks):
        """The maps of the levels, coarse to fine, with the statistics that the codes ask for."""
        layer_of_level = [self.strides.index(stride) for stride in (16, 8, 4, 2)]
        offset, moved = self.code_size, []
        for name, own, i in zip(LEVEL_STEPS, statistics, layer_of_level, strict=True):
            shape = own.shape[1:]
            code = code_of_layer(codes, i, masks)
            part = code[..., offset : offset + shape[0] * shape[1]]
            offset += shape[0] * shape[1]
            target = ops.reshape(part, (*ops.shape(part)[:-1], *shape))
            reduced = reduce_masks(masks, self.strides[i], _LARGEST_STRIDE)
            if name == "relu5_1":
                moved.append(_match_moments(maps[name], own, target, reduced))
            else:
                moved.append(transport(maps[name], own, target, reduced, self.exact_roots))
        return moved

    def draw_noise(self, batch, height, width, seed):
        """Returns standard normal noise for `synthesize`; arguments as in `StyleGenerator`."""
        return draw_noise(batch, height, width, self.strides, seed)

    def call(self, inputs, training=False):
        content, style = inputs
        noise = noise_of_call(self, content, training)
        codes = self.encode_style(style)
        return self.synthesize(content, codes, noise=noise, training=training)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        names = ("width", "num_blocks", "code_size", "noise", "seed")
        config = {name: getattr(self, name) for name in (*names, *_FLAGS)}
        return config | {"features": self.features.weights_source}

    @classmethod
    def from_config(cls, config):
        before = {"features": "distilled", **dict.fromkeys(_FLAGS, False)}  # older files
        return cls(**(before | config))


def _take_eighths(widths, eighths):
    return {stride: -(-widths[stride] * eighths[stride] // 8) for stride in eighths}


def _match_moments(maps, own, target, masks):
    """The maps with the target's mean and variance in each channel (AdaIN)."""
    shift, scale = target[..., 0, :], ops.sqrt(target[..., 1, :] + normalization.EPSILON)
    if masks is None:
        shift, scale = shift[:, None, None], scale[:, None, None]
    else:
        shift, scale = (ops.einsum("bkc,bkhw->bhwc", part, masks) for part in (shift, scale))
    return normalization.rescale(maps, own, scale, shift)
