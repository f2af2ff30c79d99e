"""Style image -> style code."""

import keras
import numpy as np
from keras import ops

from stylegan_transfer.losses import gram_matrix, instance_moments
from stylegan_transfer.networks.layers import ReflectionConv2D
from stylegan_transfer.networks.normalization import mean_and_deviation, rescale


class StyleEncoder(keras.layers.Layer):
    """Style image -> style code w, through pooled statistics of convolutional maps.

    Four stages of a stride-2 and a plain 3x3 convolution. The channel means and standard
    deviations of the image and of every stage, and the correlations of 32 learned projections of
    the three deeper stages (the Gram loss asks for correlations, so the code must hold them),
    feed a mapping network of two dense layers.

    Args:
        width: Channels of the first stage; doubled at each further one.
        code_size: Length of the code w.
    """

    def __init__(self, width, code_size, **kwargs):
        super().__init__(**kwargs)
        self.convs = [
            ReflectionConv2D(width * 2 ** (i // 2), 3, strides=2 - i % 2) for i in range(8)
        ]
        self.projections = [keras.layers.Conv2D(32, 1, use_bias=False) for _ in range(3)]
        self.mapping = [keras.layers.Dense(code_size, dtype="float32") for _ in range(2)]
        self.built = True  # by the first call itself: Keras would trace it in symbols before

    def call(self, style):
        maps = 2.0 * style - 1.0
        statistics = [mean_and_deviation(maps)]
        for i, conv in enumerate(self.convs):
            maps = ops.leaky_relu(conv(maps), 0.2)
            stage, is_last_of_stage = divmod(i, 2)
            if is_last_of_stage:
                statistics.append(mean_and_deviation(maps))
            if is_last_of_stage and stage:
                statistics.append(_correlations(self.projections[stage - 1](maps)))
        code = ops.concatenate(statistics, axis=-1)
        for dense in self.mapping:
            code = ops.leaky_relu(dense(code), 0.2)
        return code


def _correlations(maps):
    """Correlation coefficients of all pairs of channels, `(batch, channels (channels - 1) / 2)`."""
    channels = maps.shape[-1]
    normalized = rescale(ops.cast(maps, "float32"), instance_moments(maps), 1.0, 0.0)
    matrix = gram_matrix(normalized)
    rows, columns = np.triu_indices(channels, k=1)
    return ops.take(ops.reshape(matrix, (-1, channels**2)), rows * channels + columns, axis=1)
