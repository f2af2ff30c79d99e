"""What the sample pictures are drawn with.

`x` and `y` run from 0 to 1, right and down; masks and heights are `(side, side)`, images
`(side, side, 3)`; colours are six hexadecimal digits.
"""

import numpy as np
from PIL import Image, ImageFilter


def grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    axis = (np.arange(side, dtype=np.float32) + 0.5) / side
    return axis[None, :].repeat(side, 0), axis[:, None].repeat(side, 1)


def noise(rng, side: int, cells: int | tuple[int, int], octaves: int = 5) -> np.ndarray:
    """Value noise with mean about 0 and most values in [-1, 1]; `cells` along y and x."""
    rows, columns = cells if isinstance(cells, tuple) else (cells, cells)
    total = np.zeros((side, side), np.float32)
    for octave in range(octaves):
        shape = (rows * 2**octave + 3, columns * 2**octave + 3)
        lattice = rng.uniform(-1, 1, shape).astype("float32")
        box = (1, 1, shape[1] - 1, shape[0] - 1)
        smooth = Image.fromarray(lattice).resize((side, side), Image.Resampling.BICUBIC, box=box)
        total += np.asarray(smooth) * 0.5**octave
    return total


def ramp(t: np.ndarray, *colors: str) -> np.ndarray:
    """Colours evenly spaced over t in [0, 1], interpolated."""
    table = np.array([[int(c[i : i + 2], 16) / 255 for i in (0, 2, 4)] for c in colors])
    stops = np.linspace(0, 1, len(colors))
    channels = [np.interp(t, stops, table[:, i]) for i in range(3)]
    return np.stack(channels, -1).astype("float32")


def color(code: str) -> np.ndarray:
    return ramp(np.float32(0), code, code)


def over(image: np.ndarray, color: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return image + (color - image) * mask[..., None]


def inside(distance: np.ndarray, softness: float = 0.003) -> np.ndarray:
    """1 where the distance is negative, 0 outside, with a smooth edge."""
    t = np.clip(0.5 - distance / softness, 0, 1)
    return t * t * (3 - 2 * t)


def disc(x, y, center_x, center_y, radius_x, radius_y=None) -> np.ndarray:
    """Distance from an ellipse's edge, negative inside."""
    radius_y = radius_y or radius_x
    r = np.hypot((x - center_x) / radius_x, (y - center_y) / radius_y)
    return (r - 1) * min(radius_x, radius_y)


def blur(image: np.ndarray, radius: float) -> np.ndarray:
    """Gaussian blur of a mask; the radius is a fraction of the side."""
    picture = Image.fromarray((np.clip(image, 0, 1) * 255).astype("uint8"))
    blurred = picture.filter(ImageFilter.GaussianBlur(radius * image.shape[0]))
    return np.asarray(blurred).astype("float32") / 255


def light(height: np.ndarray, direction=(-0.5, -0.6, 0.62)) -> np.ndarray:
    """Lambert shading of a relief whose height is in fractions of the side."""
    slope_y, slope_x = np.gradient(height * height.shape[0])
    dot = -slope_x * direction[0] - slope_y * direction[1] + direction[2]
    return dot / np.sqrt(slope_x**2 + slope_y**2 + 1)
