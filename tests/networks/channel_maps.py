"""Maps as the layers take them."""

import numpy as np


def make_maps(seed, shape=(2, 8, 6, 5)):
    """Maps whose channels differ in mean and deviation."""
    channels = np.arange(1, shape[-1] + 1)
    values = np.random.default_rng(seed).normal(0, 1, shape)
    return (values * channels + 2 * channels).astype("float32")


def randomize(layer, seed=0, deviation=0.5):
    """Draws all weights of a layer anew, so that none is a special value such as 0 or 1."""
    random = np.random.default_rng(seed)
    layer.set_weights([random.normal(0, deviation, w.shape) for w in layer.get_weights()])
    return layer
