"""Feature maps as the losses and the metrics take them."""

import numpy as np


def make_maps(seed, batch=2, height=6, width=5, sizes=(4, 7)):
    """Non-negative maps of two layers, as a relu makes them; the second is half as large."""
    random = np.random.default_rng(seed)
    shapes = {"relu1_1": (height, width, sizes[0]), "relu2_1": (height // 2, width // 2, sizes[1])}
    return {
        name: np.maximum(random.normal(0.5, 1.5, (batch, *shape)), 0).astype("float32")
        for name, shape in shapes.items()
    }
