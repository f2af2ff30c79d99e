"""Refines painted pictures: gradient descent on the pixels from what the generator made.

A generator paints in one pass what it has learned for all styles. Some steps of descent on the
picture itself, by the losses that it was trained with, bring out what is particular to this style.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from stylegan_transfer.checks import expect
from stylegan_transfer.networks.palette import map_colors, measure_palettes, palette_maps
from stylegan_transfer.pictures.inputs import to_images
from stylegan_transfer.pictures.picture import ImageLike
from stylegan_transfer.stylizing.canvas import Canvas
from stylegan_transfer.stylizing.codes import STYLE_SIZE, look_at_styles, to_shares
from stylegan_transfer.stylizing.feature_sums import Statistics
from stylegan_transfer.stylizing.painting import TILE_SIZE
from stylegan_transfer.stylizing.qualities import Refinement

LEARNING_RATE = 0.015  # of Adam, in units of the image's range; falls to 0. More makes grain
COLOR_BLUR = 2.0  # pixels: the standard deviation of the Gaussian
# Looked at as large as a content of 512 pixels by default, styles come closest.
STYLE_SCALE = 4 / 3
_FINE_LAYERS = ("1/relu1_1", "1/relu2_1", "2/relu1_1")


class Look(NamedTuple):
    """What refined pictures should have: of one style, or of several by their regions.

    Attributes:
        statistics: Of the maps.
        palette: Mean and covariance of the colours, `(regions, 4, 3)`.
    """

    statistics: Statistics
    palette: tf.Tensor


class Refiner:
    """Refines what a generator painted in one style, or in one for each mask.

    It minimizes, with Adam over what is added to the painted picture, the content, style, moments
    and total variation losses on the distilled features, at the picture's size and at half of it.
    The statistics to reach are the styles' and, with a share of `1 - strength`, the content's own.
    What is added has the brightness that each pixel needs, but blurred colours: the losses hardly
    tell fine changes of colour from noise, and free pixels end as coloured speckles. After each
    step the colours are moved onto the styles' palettes, as a `TransportGenerator` does in the end.

    Args:
        styles: Of each style what `measure_style` says.
        refinement: How many steps, and what they weigh.

    Reference:
        Gatys et al., "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016, eq. 7
        (there from noise, in hundreds of steps); see `losses` for the terms.
    """

    def __init__(self, styles: Sequence[Look], refinement: Refinement):
        self._styles = tf.nest.map_structure(lambda *values: tf.concat(values, axis=0), *styles)
        self._refinement = refinement

    def __call__(
        self,
        painted: np.ndarray,
        content: np.ndarray,
        masks: np.ndarray | None = None,
        *,
        strength: float = 1.0,
        tileable: bool = False,
        tile_size: int = TILE_SIZE,
        progress: Callable[[int, int], None] | None = None,
    ) -> np.ndarray:
        """Returns a painted picture, refined.

        Args:
            painted: float32 RGB in [0, 1], `(height, width, 3)`.
            content: Of the same shape.
            masks: float32 `(styles, height, width)`, summing to 1 over styles; or None.
            strength: Of the style, in (0, 1].
            tileable: Whether the picture repeats without a seam.
            tile_size: Of more than `tile_size ** 2` pixels, no more than a tile of this side and
                its surroundings is looked at at once. The result is the same.
            progress: Called as `progress(steps_done, num_steps)`, or None.

        Returns:
            float32 in [0, 1], of the same shape.
        """
        num_steps, weights = self._refinement.num_steps, self._refinement.weights
        canvas = Canvas(content.shape, masks, tile_size, tileable)
        own = Look(canvas.remember(content), measure_palettes(content[None])[0])
        targets, palettes = _mix([own, self._styles], (1.0 - strength, strength))
        pixels, added = painted, keras.Variable(np.zeros_like(painted))
        schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, num_steps)
        adam = keras.optimizers.Adam(schedule, beta_2=0.99)
        for step in range(1, num_steps + 1):
            gradient = canvas.gradient(pixels, targets, weights)
            adam.apply([blur_colors(gradient, tileable)], [added])
            pixels = painted + blur_colors(np.asarray(added), tileable)
            pixels = _give_palettes(pixels, palettes, masks)
            if progress is not None:
                progress(step, num_steps)
        return pixels


def make_refiner(
    style: ImageLike | Sequence[ImageLike],
    refinement: Refinement,
    *,
    weights: Sequence[float] | None = None,
    fine_style: ImageLike | None = None,
    is_masked: bool = False,
    style_size: int = STYLE_SIZE,
    match: ImageLike | None = None,
) -> Refiner:
    """Returns what refines pictures in one style, or in one for each mask.

    Args:
        style: A path, a PIL image, a `Picture` or an array; or a list of several.
        refinement: From `QUALITIES`.
        weights: The share of each style. Default: equal shares.
        fine_style: A further style, for the layers that see strokes and colours.
        is_masked: Whether each style has a mask; else they are mixed.
        style_size: As `encode_style` takes it. Refinement looks at styles in `STYLE_SCALE` times
            this size.
        match: A content picture, whose mean colour and colour covariance each style is given
            before it is looked at. Default: the style's own colours.

    Raises:
        ValueError: Keras runs on another backend than TensorFlow, or a picture cannot be read.
    """
    backend = keras.backend.backend()
    expect(backend == "tensorflow", "Keras on TensorFlow to refine pictures", backend=backend)
    size = round(STYLE_SCALE * style_size)
    pictures = to_images(style, "style")
    measured = [measure_style(image) for image in look_at_styles(pictures, size, match)]
    if not is_masked:
        measured = [_mix(measured, to_shares(weights, len(measured)))]
    if fine_style is not None:
        (fine,) = map(measure_style, look_at_styles([fine_style], size, match))
        kept = {name: fine.statistics[name] for name in _FINE_LAYERS}
        measured = [Look(coarse.statistics | kept, fine.palette) for coarse in measured]
    return Refiner(measured, refinement)


def measure_style(image: np.ndarray) -> Look:
    """Returns the look of a style's picture, `(height, width, 3)`, as one region."""
    statistics = Canvas(image.shape).statistics(image)
    return Look(statistics, measure_palettes(image[None])[0])


def blur_colors(values: np.ndarray, tileable: bool = False) -> np.ndarray:
    """Returns pixels, or a gradient by them, as bright as they are, but with blurred colours.

    Brightness is the mean of the three channels here, so that the map is symmetric: the gradient by
    the values before it is the blurred gradient by those after it.

    Args:
        values: float32 `(height, width, 3)`.
        tileable: Whether they repeat beyond the edges; else they are mirrored.
    """
    radius = math.ceil(3.0 * COLOR_BLUR)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / COLOR_BLUR) ** 2)
    kernel = np.tile((kernel / kernel.sum()).astype("float32")[:, None, None, None], (1, 1, 3, 1))
    brightness = values.mean(axis=-1, keepdims=True)
    edges = ((radius, radius), (radius, radius), (0, 0))
    colors = np.pad(values - brightness, edges, "wrap" if tileable else "reflect")[None]
    for axis in (0, 1):
        colors = tf.nn.depthwise_conv2d(colors, np.swapaxes(kernel, 0, axis), [1] * 4, "VALID")
    return brightness + np.asarray(colors[0])


def _give_palettes(pixels, palettes, masks):
    images, masks = np.clip(pixels, 0.0, 1.0)[None], None if masks is None else masks[None]
    maps = palette_maps(measure_palettes(images, masks), palettes[None])
    return np.asarray(map_colors(images, maps, masks)[0])


def _mix(statistics, shares):
    def mix(*values):
        return sum(float(share) * value for share, value in zip(shares, values, strict=True))

    return tf.nest.map_structure(mix, *statistics)
