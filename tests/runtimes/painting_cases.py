"""What `stylize` can do, once each: for comparisons of runtimes."""

import numpy as np

from stylegan_transfer.stylizing.stylize import stylize


def draw(height, width, seed=0):
    random = np.random.default_rng(seed)
    coarse = random.random((-(-height // 6), -(-width // 6), 3), dtype="float32")
    return np.kron(coarse, np.ones((6, 6, 1), "float32"))[:height, :width]


CASES = {
    "odd sides": ((301, 451), {}),
    "no noise": ((40, 48), {"seed": None}),
    "strength and mixture": ((45, 70), {"strength": 0.6, "weights": [0.3, 0.7]}),
    "fine style": ((33, 47), {"fine_style": draw(50, 50, 5), "preserve_color": "match"}),
    "masks": ((45, 70), {"masks": [draw(45, 70, 6), draw(45, 70, 7)], "seed": 3}),
    "tileable": ((64, 48), {"tileable": True}),
    "tiles": ((180, 80), {"tile_size": 64, "strength": 0.5}),
    "masks in tiles": ((420, 80), {"tile_size": 64, "masks": [draw(20, 20, 8), draw(20, 20, 9)]}),
}


def paint_case(name, generator):
    size, options = CASES[name]
    styles = [draw(50, 60, 3), draw(60, 50, 4)]
    return stylize(generator, draw(*size), styles, style_size=40, **options)
