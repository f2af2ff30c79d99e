"""What refinement sees of a picture: sums over the positions of its feature maps.

Gram matrices, moments and the content distance are all functions of such sums, and the sums of a
picture's tiles add up to those of the whole. So a picture of any size has the exact losses of the
whole, and their exact gradient, at the memory of one tile.
"""

import functools
from collections.abc import Mapping

import keras
import tensorflow as tf

from stylegan_transfer import losses
from stylegan_transfer.networks.compiling import compile_for_all_sizes
from stylegan_transfer.networks.features import VGG19Features

# The picture is looked at in its own size and in half of it: there strokes are twice as large, and
# what is seen in one size alone would come with grain in the other.
REDUCTIONS = (1, 2)
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
# Of the style losses, where not 1: the distances of these layers are several times as large, and
# close last.
LAYER_WEIGHTS = {"relu3_1": 3.0, "relu4_1": 2.0}
CONTENT_LAYERS = ("relu3_1", "relu4_1")
STEPS = ("down", "right")  # from a pixel to its neighbours, for the total variation
LARGEST_STRIDE = 32  # of relu5_1 at half the size
RECEPTIVE_RADIUS = 192  # pixels, of the same, up to the next multiple of its stride
_EPSILON = 1e-5

Sums = dict[str, dict[str, tf.Tensor]]
# Of a region: (gram matrix, moments) of each map.
Statistics = dict[str, tuple[tf.Tensor, tf.Tensor]]


class FeatureSums:
    """Measures sums of the distilled VGG19's maps, and what losses of sums mean for the pixels.

    Tiles are float32 `(height, width, 3)` in [0, 1]. Of a tile counts the inner part,
    `(top, left, bottom, right)` in its pixels, at multiples of `LARGEST_STRIDE` or at the
    picture's edge; the rest is what the network has to see beside it. Shares `(regions, height,
    width)` say how much of each pixel belongs to which region; they sum to 1 over regions.
    """

    def __init__(self):
        self._features = VGG19Features(layers=STYLE_LAYERS)
        self.measure = compile_for_all_sizes(self._measure)
        self.maps = compile_for_all_sizes(self._content_maps)
        self.descend = compile_for_all_sizes(self._descend)
        self.slopes = compile_for_all_sizes(self._slopes)
        self.pull = compile_for_all_sizes(self._pull)

    def _maps(self, tile, inner, layers):
        """Yields name, stride and the inner part of each map."""
        for reduction in REDUCTIONS:
            images = tile[None]
            if reduction > 1:
                images = keras.ops.average_pool(images, reduction, padding="same")
            maps = self._features(images)  # a graph leaves out what nobody asks for
            for layer in layers:
                stride = reduction * 2 ** (int(layer[4]) - 1)
                yield f"{reduction}/{layer}", stride, _cut(maps[layer][0], inner, stride)

    def _content_maps(self, tile, inner):
        return {name: maps for name, _, maps in self._maps(tile, inner, CONTENT_LAYERS)}

    def _measure(self, tile, inner, shares, content):
        sums = {}
        for name, stride, maps in self._maps(tile, inner, STYLE_LAYERS):
            flat = tf.reshape(maps, (-1, maps.shape[-1]))
            size = -(-tf.shape(tile)[:2] // stride)
            regions = tf.image.resize(tf.transpose(shares, (1, 2, 0)), size, "area")
            regions = _cut(regions, inner, stride)[: tf.shape(maps)[0], : tf.shape(maps)[1]]
            weights = tf.transpose(tf.reshape(regions, (-1, tf.shape(shares)[0])))
            weighted = weights[:, :, None] * flat
            sums[name] = {
                "count": tf.reduce_sum(weights, axis=1),
                "first": tf.reduce_sum(weighted, axis=1),
                "squares": tf.matmul(weighted, flat[None], transpose_a=True),
            }
            if name in content:
                wanted = tf.reshape(content[name], tf.shape(flat))
                sums[name]["products"] = tf.reduce_sum(flat * wanted, axis=0)
                sums[name]["energy"] = tf.reduce_sum(tf.square(wanted), axis=0)
        neighbours = (tile[1:] - tile[:-1], tile[:, 1:] - tile[:, :-1])
        for name, differences in zip(STEPS, neighbours, strict=True):
            steps = tf.abs(_cut(differences, inner, 1))
            sums[name] = {
                "count": tf.cast(tf.size(steps), "float32"),
                "first": tf.reduce_sum(steps),
            }
        return sums

    def _descend(self, tile, inner, shares, content, targets, weights):
        """Returns the gradient of the loss of a picture of one tile."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tile)
            loss = total_loss(self._measure(tile, inner, shares, content), targets, weights)
        return tape.gradient(loss, tile)

    def _slopes(self, sums, targets, weights):
        """Returns the gradient of the loss of all tiles' sums by each sum."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sums)
            loss = total_loss(sums, targets, weights)
        return tape.gradient(loss, sums, unconnected_gradients="zero")

    def _pull(self, tile, inner, shares, content, slopes):
        """Returns the gradient by the pixels of one tile, given that by the sums."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tile)
            sums = self._measure(tile, inner, shares, content)
        outputs = [tf.nest.flatten(structure) for structure in (sums, slopes)]
        return tape.gradient(outputs[0], tile, output_gradients=outputs[1])


@functools.cache
def feature_sums() -> FeatureSums:
    """Returns the one of this process: its graphs are traced once."""
    return FeatureSums()


def total_loss(sums: Sums, targets: Statistics, weights: Mapping[str, float]) -> tf.Tensor:
    """Returns the weighted sum of style, moments, content and total variation losses.

    They are those of `losses`, with the relative distances of regions weighted by their areas,
    and those of layers by `LAYER_WEIGHTS`.

    Args:
        sums: Of all tiles together.
        targets: For each map the Gram matrices `(regions, channels, channels)` and moments
            `(regions, 2, channels)` that the regions should have.
        weights: By name: `style`, `moments`, `content`, `total_variation`.
    """
    style, moments, content, layers = [], [], [], []
    for name, (wanted_gram, wanted_moments) in targets.items():
        gram, actual = to_statistics(sums[name])
        layers.append(LAYER_WEIGHTS.get(name.partition("/")[2], 1.0))
        areas = layers[-1] * sums[name]["count"] / tf.reduce_sum(sums[name]["count"])
        style.append(tf.reduce_sum(areas * losses.relative_distances(gram, wanted_gram)))
        moments.append(tf.reduce_sum(areas * losses.relative_distances(actual, wanted_moments)))
        if "products" in sums[name]:
            content.append(_content_distance(sums[name]))
    terms = {
        "style": tf.add_n(style) / sum(layers),
        "moments": tf.add_n(moments) / sum(layers),
        "content": tf.add_n(content) / len(content),
        "total_variation": tf.add_n([sums[n]["first"] / sums[n]["count"] for n in STEPS]),
    }
    return tf.add_n([weights[name] * term for name, term in terms.items()])


def to_statistics(sums: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the Gram matrices and the means and deviations of each region.

    Args:
        sums: Of one map.

    Returns:
        `(regions, channels, channels)` and `(regions, 2, channels)`. Of a region without pixels
        zeros.
    """
    count = tf.maximum(sums["count"], 1.0)[:, None]
    gram, mean = sums["squares"] / count[..., None], sums["first"] / count
    variance = tf.maximum(tf.linalg.diag_part(gram) - tf.square(mean), 0.0)
    return gram, tf.stack([mean, tf.sqrt(variance + 1e-6)], axis=1)


def normalize_content(maps: tf.Tensor, sums: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Returns a tile's maps with the mean 0 and the variance 1 that the whole then has."""
    mean, variance = _moments_of_all_regions(sums)
    return (maps - mean) * tf.math.rsqrt(variance + _EPSILON)


def _content_distance(sums):
    """`losses.content_loss` of one map: the mean of (y - c)^2 of normalized y and c."""
    count = tf.reduce_sum(sums["count"])
    variance = _moments_of_all_regions(sums)[1]
    own = variance / (variance + _EPSILON)
    common = sums["products"] * tf.math.rsqrt(variance + _EPSILON) / count
    return tf.reduce_mean(own + sums["energy"] / count - 2.0 * common)


def _moments_of_all_regions(sums):
    count = tf.reduce_sum(sums["count"])
    mean = tf.reduce_sum(sums["first"], axis=0) / count
    squares = tf.linalg.diag_part(tf.reduce_sum(sums["squares"], axis=0)) / count
    return mean, tf.maximum(squares - tf.square(mean), 0.0)


def _cut(maps, inner, stride):
    first, last = inner[:2] // stride, -(-inner[2:] // stride)
    return maps[first[0] : last[0], first[1] : last[1]]
