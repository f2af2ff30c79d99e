"""Distances of feature maps.

*Maps* are dicts `{"relu1_1": (batch, height, width, channels), ...}` as `VGG19Features` returns
them; their figures are arrays with one number a sample.
"""

import numpy as np
from keras import ops

from stylegan_transfer.losses import (
    channel_moments,
    for_each_layer,
    gram_matrix,
    instance_normalize,
    relative_distances,
)


def content_distances(stylized, content):
    """Returns the mean squared error of instance-normalized maps, for each layer and sample.

    Args:
        stylized: Dict of the stylized pictures' maps.
        content: Dict of the content pictures' maps, same layers and sizes.

    Returns:
        Dict of arrays `(batch,)`, whose mean is `losses.content_loss`: 0 for equal maps, about 2
        for unrelated ones.

    Raises:
        ValueError: The layers differ, or there is none.

    Reference:
        As `losses.content_loss`.
    """
    return _for_each_layer(
        lambda y, c: ops.mean(ops.square(instance_normalize(y) - instance_normalize(c)), (1, 2, 3)),
        stylized,
        content,
    )


def gram_distances(stylized, style):
    """Returns the relative squared distance of Gram matrices, for each layer and sample.

    Args:
        stylized: Dict of the stylized pictures' maps.
        style: Dict of the style pictures' maps, same layers; sizes may differ.

    Returns:
        Dict of arrays `(batch,)`, whose mean is `losses.style_loss`: 0 for equal matrices, 1 for
        a black result.

    Raises:
        ValueError: The layers differ, or there is none.

    Reference:
        As `losses.style_loss`.
    """
    return _for_each_layer(
        lambda y, s: relative_distances(gram_matrix(y), gram_matrix(s)), stylized, style
    )


def moments_distances(stylized, style):
    """Returns the relative squared distance of channel moments, for each layer and sample.

    Args:
        stylized: Dict of the stylized pictures' maps.
        style: Dict of the style pictures' maps, same layers; sizes may differ.

    Returns:
        Dict of arrays `(batch,)`, whose mean is `losses.moments_loss`.

    Raises:
        ValueError: The layers differ, or there is none.

    Reference:
        As `losses.moments_loss`.
    """
    return _for_each_layer(
        lambda y, s: relative_distances(channel_moments(y), channel_moments(s)), stylized, style
    )


def lpips_like_distance(first, second):
    """Returns the distance of maps scaled to length 1 at each position: LPIPS without its weights.

    `mean over layers and positions of ||F/|F| - G/|G|||^2`, lengths over channels. LPIPS proper
    weights the channels by what it learned from human judgements and sums over layers, so these
    figures are not comparable with published ones.

    Args:
        first: Dict of maps.
        second: Dict of maps, same layers and sizes.

    Returns:
        Array `(batch,)`, from 0 (equal) to 2 (no channel active in both).

    Raises:
        ValueError: The layers differ, or there is none.

    Reference:
        Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
        CVPR 2018, eq. 1.
    """

    def distance(f, g):
        f, g = ops.cast(f, "float32"), ops.cast(g, "float32")
        difference = ops.normalize(f, axis=-1) - ops.normalize(g, axis=-1)
        return ops.mean(ops.sum(ops.square(difference), axis=-1), (1, 2))

    return np.mean([*_for_each_layer(distance, first, second).values()], axis=0)


def moments_vectors(moments):
    """Returns each picture's channel means and deviations of all layers in one vector.

    Args:
        moments: Dict of the `losses.channel_moments` of maps, `(batch, 2, channels)`.

    Returns:
        Array `(batch, 2 * total number of channels)`: what `kernel_distance` compares.
    """
    moments = [_to_numpy(values) for values in moments.values()]
    return np.concatenate([m.reshape(len(m), -1) for m in moments], axis=1)


def style_retrieval(results, styles, labels):
    """Returns whether the nearest of all styles is the right one, for each result.

    The distance is that of `moments_distances`, mean over layers. It takes moments instead of
    maps: maps of many pictures would fill the memory, and those of several sizes have no batch.

    Args:
        results: Dict of the `losses.channel_moments` of n results, `(n, 2, channels)`.
        styles: Dict of those of m styles, same layers.
        labels: The index of the right style of each result, `(n,)`.

    Returns:
        Bool array `(n,)`; its mean is the top-1 rate, 1/m for chance.

    Raises:
        ValueError: The layers differ, or there is none.
    """

    def distances(y, s):
        to_each = [relative_distances(y, s[i : i + 1]) for i in range(len(s))]
        return ops.stack(to_each, axis=1)

    nearest = sum(_for_each_layer(distances, results, styles).values()).argmin(axis=1)
    return nearest == np.asarray(labels)


def _to_numpy(values):
    return ops.convert_to_numpy(values)


def _for_each_layer(figure, first, second):
    figures = for_each_layer(figure, first, second)
    return {layer: _to_numpy(values) for layer, values in figures.items()}
