"""Draws sample photographs and paintings, so that nothing needs a download to be tried.

Every picture is a function of a coordinate grid and a random generator seeded by its name; all
lengths are fractions of the side, so a picture looks alike at every size.
"""

import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

_SUPERSAMPLING = 2


def draw_content(name: str, size: int = 256) -> np.ndarray:
    """Returns a sample photograph, drawn by code.

    Args:
        name: one of `CONTENT_NAMES`.
        size: side in pixels, at least 16. Defaults to 256.

    Returns:
        float32 array of shape `(size, size, 3)` in [0, 1], the same at every call.

    Raises:
        ValueError: for an unknown name or a size under 16.
    """
    return _draw(_CONTENTS, name, size)


def draw_style(name: str, size: int = 256) -> np.ndarray:
    """Returns a sample painting, drawn by code.

    Args:
        name: one of `STYLE_NAMES`.
        size: side in pixels, at least 16. Defaults to 256.

    Returns:
        float32 array of shape `(size, size, 3)` in [0, 1], the same at every call.

    Raises:
        ValueError: for an unknown name or a size under 16.
    """
    return _draw(_STYLES, name, size)


def _draw(painters: dict[str, Callable], name: str, size: int) -> np.ndarray:
    if name not in painters:
        raise ValueError(f"Expected a name in {tuple(painters)}. Received: name={name!r}")
    if size < 16:
        raise ValueError(f"Expected a size of at least 16. Received: size={size}")
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    side = size * _SUPERSAMPLING
    image = np.clip(painters[name](side, rng), 0, 1)
    image = image.reshape(size, _SUPERSAMPLING, size, _SUPERSAMPLING, 3).mean((1, 3))
    return image.astype("float32")


# Helpers. `x` and `y` run from 0 to 1, right and down; masks and heights are (side, side).


def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    axis = (np.arange(side, dtype=np.float32) + 0.5) / side
    return axis[None, :].repeat(side, 0), axis[:, None].repeat(side, 1)


def _noise(rng, side: int, cells: int | tuple[int, int], octaves: int = 5) -> np.ndarray:
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


def _ramp(t: np.ndarray, *colors: str) -> np.ndarray:
    """Colours evenly spaced over t in [0, 1], interpolated."""
    table = np.array([[int(c[i : i + 2], 16) / 255 for i in (0, 2, 4)] for c in colors])
    stops = np.linspace(0, 1, len(colors))
    channels = [np.interp(t, stops, table[:, i]) for i in range(3)]
    return np.stack(channels, -1).astype("float32")


def _color(code: str) -> np.ndarray:
    return _ramp(np.float32(0), code, code)


def _over(image: np.ndarray, color: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return image + (color - image) * mask[..., None]


def _inside(distance: np.ndarray, softness: float = 0.003) -> np.ndarray:
    """1 where the distance is negative, 0 outside, with a smooth edge."""
    t = np.clip(0.5 - distance / softness, 0, 1)
    return t * t * (3 - 2 * t)


def _disc(x, y, center_x, center_y, radius_x, radius_y=None) -> np.ndarray:
    """Distance from an ellipse's edge, negative inside."""
    radius_y = radius_y or radius_x
    r = np.hypot((x - center_x) / radius_x, (y - center_y) / radius_y)
    return (r - 1) * min(radius_x, radius_y)


def _blur(image: np.ndarray, radius: float) -> np.ndarray:
    """Gaussian blur of a mask; the radius is a fraction of the side."""
    picture = Image.fromarray((np.clip(image, 0, 1) * 255).astype("uint8"))
    blurred = picture.filter(ImageFilter.GaussianBlur(radius * image.shape[0]))
    return np.asarray(blurred).astype("float32") / 255


def _light(height: np.ndarray, direction=(-0.5, -0.6, 0.62)) -> np.ndarray:
    """Lambert shading of a relief whose height is in fractions of the side."""
    slope_y, slope_x = np.gradient(height * height.shape[0])
    dot = -slope_x * direction[0] - slope_y * direction[1] + direction[2]
    return dot / np.sqrt(slope_x**2 + slope_y**2 + 1)


# Photographs.


def _hills(side, rng):
    x, y = _grid(side)
    shore = 0.66
    sun = np.hypot(x - 0.64, (y - 0.40) * 1.1)
    image = _ramp(y / shore, "2b3f73", "5b6fa3", "c58f9a", "f3b27a", "ffdf9e")
    image += _color("ffb060") * np.exp(-sun * 5)[..., None] * 0.45
    clouds = np.clip(_noise(rng, side, (9, 3), 6) * 0.8 - 0.1 + (0.25 - y), 0, 1)
    image = _over(image, _ramp(np.exp(-sun * 2.5), "6d6f96", "ffd2a0"), clouds * 0.8)
    image = _over(image, _color("fff6d8"), _inside(sun - 0.045, 0.02))
    colors = ["8f8bb0", "d9a99b"], ["5d6488", "a98a8c"], ["3a4a5c", "6b6a5e"], ["232f2c", "44492f"]
    for i, (shade, lit) in enumerate(colors):
        ridge = 0.40 + 0.07 * i - (0.16 - 0.03 * i) * _noise(rng, side, 3 + i, 7)[0]
        depth = y - ridge[None]
        relief = _noise(rng, side, (5 + 2 * i, 7 + 3 * i), 7) * 0.022 - y * 0.3
        t = 0.45 + 0.9 * (_light(relief, (0.75, -0.35, 0.5)) - 0.45)
        land = _ramp(np.clip(t, 0, 1), shade, lit)
        haze = np.clip(depth / 0.25, 0, 1)[..., None] * (0.4 - 0.1 * i)
        image = _over(image, land + (_color("e8b796") - land) * haze, _inside(-depth))
    image = _mirror(image, rng, shore, _color("27406b"))
    bank = y - 0.93 - 0.05 * _noise(rng, side, 4, 7)[0] + 0.12 * (x - 0.5) ** 2
    grass = _ramp(0.5 + 0.5 * _noise(rng, side, (10, 40), 5), "0e1510", "2c3418", "5a5527")
    return _over(image, grass, _inside(-bank))


def _mirror(image, rng, shore, tint):
    """Replaces what is below the shore by its rippled reflection."""
    side = image.shape[0]
    x, y = _grid(side)
    near = np.clip((y - shore) / (1 - shore), 0, 1)
    ripples = _noise(rng, side, (60, 6), 3) * np.sqrt(near)
    rows = np.clip((2 * shore - y + ripples * 0.03) * side, 0, side - 1).astype(int)
    columns = np.clip((x + ripples * 0.006) * side, 0, side - 1).astype(int)
    water = image[rows, columns] * 0.82
    water = _over(water, tint, 0.25 + 0.35 * near * np.clip(0.5 + ripples, 0, 1))
    return _over(image, water, _inside(shore - y))


def _city(side, rng):
    x, y = _grid(side)
    image = _ramp(y / 0.72, "111d45", "2c3f7c", "76609c", "e08a88", "ffc98a")
    clouds = np.clip(_noise(rng, side, (8, 3), 6) * 0.7, 0, 1)
    image = _over(image, _ramp(y / 0.7, "39406e", "f0a08c"), clouds * 0.6)
    image = _over(image, _color("fff3d6"), _inside(_disc(x, y, 0.2, 0.17, 0.05), 0.006))
    lamps = np.zeros_like(x)
    layers = ((15, 0.62, "8d6c90", 0.0), (10, 0.60, "4a4272", 0.5), (7, 0.69, "171b38", 1.0))
    for count, mean_top, color, window in layers:
        edges = np.linspace(0, 1, count + 1) + rng.uniform(-0.2, 0.2, count + 1) / count
        edges[0], edges[-1] = 0, 1
        for left, right in zip(edges[:-1], edges[1:], strict=True):
            top = mean_top - 0.4 * rng.uniform(0, 1) ** 2 + rng.uniform(0, 0.06)
            part = np.s_[:, int(left * side) : int(right * side) + 2]  # only these columns change
            u, v = x[part], y[part]
            mask = _inside(np.maximum.reduce([left - u, u - right, top - v]), 0.004)
            side_face = _inside(left + 0.68 * (right - left) - u, 0.004)
            wall = _color(color) * (1 - 0.45 * side_face + 0.5 * v)[..., None]
            image[part] = _over(image[part], wall, mask)
            lit = window * _windows(u, v, left, right, top, rng)
            lamps[part] = lamps[part] * (1 - mask) + mask * lit
        image = _over(image, _color("e79a86"), np.clip((y - 0.5) * 0.55, 0, 1) * (1 - window))
    glow = _blur(lamps, 0.012) + 0.6 * _blur(lamps, 0.035)
    image = _over(image, _color("ffd98c"), np.clip(lamps, 0, 1))
    image += _color("ffa848") * glow[..., None] * 0.5
    return _mirror(image, rng, 0.86, _color("141a3c")) + 0.012 * _noise(rng, side, 90, 2)[..., None]


def _windows(x, y, left, right, top, rng):
    """Brightness of a grid of windows, a third of them lit."""
    pitch_x, pitch_y = (right - left) / max(3, round((right - left) / 0.022)), 0.026
    u, v = (x - left) / pitch_x, (y - top - 0.012) / pitch_y
    pane = (abs(u % 1 - 0.5) < 0.27) & (abs(v % 1 - 0.45) < 0.25) & (v > 0) & (x < right)
    lit = rng.uniform(-1.2, 1, (64, 64)).clip(0, 1)
    return pane * lit[v.astype(int) % 64, u.astype(int) % 64]


def _still_life(side, rng):
    x, y = _grid(side)
    wall = _ramp(np.hypot(x - 0.2, y - 0.2) / 1.1, "b7a58a", "7d6f5d", "3c3430")
    image = wall * (1 + 0.10 * _noise(rng, side, 5, 7))[..., None]
    grain = _noise(rng, side, (40, 3), 5) + 0.6 * np.sin(90 * y + 5 * _noise(rng, side, (4, 2), 3))
    table = _ramp(0.5 + 0.28 * grain, "4a2a18", "7c4a28", "a8703f")
    table *= (1.15 - 0.6 * x + 0.3 * (y - 0.7))[..., None]
    image = _over(image, table, _inside(0.62 - y, 0.006))
    vase = 0.045 + 0.10 * np.exp(-(((y - 0.52) / 0.13) ** 2)) + 0.03 * _inside(y - 0.27, 0.1)
    vase = np.where((y > 0.22) & (y < 0.71), vase, 0)
    solids = [  # half width at each row, centre x, foot y, dark to light colours, gloss
        (vase, 0.36, 0.70, ("10243c", "2f6690", "8fc1d9"), 0.9),
        (_ball(y, 0.66, 0.125), 0.66, 0.78, ("4a0d10", "b3261e", "f08a4b"), 0.6),
        (_ball(y, 0.75, 0.095), 0.49, 0.84, ("6b3a05", "e08e1b", "ffd873"), 0.35),
        (_ball(y, 0.80, 0.085), 0.80, 0.88, ("2c3a0c", "7f9a2b", "dbe07a"), 0.4),
        (_ball(y, 0.83, 0.060), 0.24, 0.89, ("2a1030", "6a2a66", "c583b4"), 0.6),
    ]
    for half_width, center, foot, _, _ in solids:
        width = half_width.max()
        shadow = _inside(_disc(x, y, center + 0.9 * width, foot - 0.01, 1.6 * width, 0.035), 0.05)
        image = _over(image, _color("1a0f0a"), shadow * 0.75)
    for half_width, center, _, colors, gloss in solids:
        image = _revolve(image, rng, half_width, center, colors, gloss)
    stem = abs(x - 0.665 - (0.56 - y) * 0.4) - 0.006
    return _over(image, _color("3a2412"), _inside(np.maximum(stem, abs(y - 0.535) - 0.035)))


def _ball(y, center_y, radius):
    return np.sqrt(np.maximum(radius**2 - (y - center_y) ** 2, 0))


def _revolve(image, rng, half_width, center, colors, gloss):
    """Draws a glossy body of revolution, lit from the upper left."""
    side = image.shape[0]
    x, _ = _grid(side)
    u = np.clip((x - center) / np.maximum(half_width, 1e-4), -1, 1)
    slope = np.clip(np.gradient(half_width, axis=0) * side, -4, 4)
    normal = np.stack([u, -slope, np.sqrt(1 - u * u)])
    normal /= np.sqrt((normal**2).sum(0))
    light = np.array([-0.55, -0.6, 0.58])
    lambert = np.tensordot(light, normal, 1)
    mirrored = np.clip(2 * lambert * normal[2] - light[2], 0, 1)
    bounce = 0.16 * np.clip(normal[1] + 0.3 * u, 0, 1)
    tone = 0.12 + 0.72 * np.clip(lambert, 0, 1) + bounce + 0.05 * _noise(rng, side, 12, 5)
    color = _ramp(np.clip(tone, 0, 1), *colors) * np.clip(0.35 + tone, 0, 1.15)[..., None]
    color += gloss * (mirrored**40 + 0.25 * mirrored**6)[..., None]
    return _over(image, color, _inside(abs(x - center) - half_width, 0.005) * (half_width > 0))


def _portrait(side, rng):
    x, y = _grid(side)
    u = x - 0.5
    image = _ramp(np.hypot(x - 0.3, y - 0.3), "8a8f7c", "4d5a52", "1d2524")
    image *= (1 + 0.12 * _noise(rng, side, 4, 7))[..., None]
    strands = 40 * np.arctan2(u + 0.03, y + 0.02) + 2 * _noise(rng, side, 4, 3)
    hair_noise = np.sin(strands) + 0.6 * np.sin(2.7 * strands + 9 * y)
    behind = _disc(x, y, 0.5, 0.42, 0.235, 0.30)
    image = _over(image, _hair(x, y, hair_noise), _inside(behind, 0.02))

    shoulders = 1.9 * abs(u) ** 2.2 + 0.80
    cloth_folds = _noise(rng, side, (3, 7), 5) * 0.015 - 0.6 * u**2
    cloth = _ramp(0.15 + 0.75 * np.clip(_light(cloth_folds), 0, 1), "1c0c14", "6d1f2e", "c9564d")
    neck = _inside(abs(u) - 0.085 - 0.9 * np.maximum(y - 0.74, 0) ** 1.5, 0.008)
    neck_tone = np.sqrt(np.clip(1 - (u / 0.13) ** 2, 0, 1)) * 0.5 - 1.2 * u
    shadow = 1 - 0.6 * _inside(_disc(x, y, 0.53, 0.66, 0.16, 0.13), 0.10)
    skin_colors = ("3d1a14", "8f4f3a", "d79a74", "f7d9b5")
    image = _over(image, _ramp(neck_tone * shadow, *skin_colors), neck * _inside(0.5 - y, 0.05))
    collar = 0.76 + 0.15 * np.exp(-((u / 0.09) ** 2))
    image = _over(image, cloth, _inside(np.maximum(shoulders, collar) - y, 0.006))

    relief, face = _face_relief(x, y)
    tone = np.clip(0.10 + 0.95 * _light(relief, (-0.55, -0.35, 0.7)), 0, 1)
    skin = _ramp(tone + 0.03 * _noise(rng, side, 60, 3), *skin_colors)
    blush = np.exp(-(((abs(u) - 0.10) / 0.05) ** 2) - ((y - 0.53) / 0.04) ** 2)
    skin = _over(skin, skin * _color("f08070"), 0.5 * blush)
    image = _over(image, skin, _inside(face, 0.006))
    image = _features(image, x, y, tone)
    crown = _disc(x, y, 0.5, 0.40, 0.225, 0.285)
    opening = _disc(x - 0.25 * (y - 0.4), y, 0.53, 0.53, 0.175, 0.26)
    fringe = np.maximum.reduce([crown, -opening, y - 0.62]) + 0.005 * hair_noise
    shadow = np.exp(-np.clip(-opening, 0, 1) / 0.025) * _inside(y - 0.48, 0.2)
    image = _over(image, image * _color("7a4030"), 0.6 * shadow * _inside(face, 0.006))
    return _over(image, _hair(x, y, hair_noise), _inside(fringe, 0.012))


def _hair(x, y, noise):
    sheen = np.exp(-(((np.hypot(x - 0.45, y - 0.42) - 0.25) / 0.05) ** 2)) * (x < 0.75)
    return _ramp(0.25 + 0.2 * noise + 0.4 * sheen, "120a08", "3a2015", "8a5a35", "d0a070")


def _face_relief(x, y):
    """Height of a face, sideways symmetric, and the distance from its outline."""
    u = abs(x - 0.5)
    bumps = (  # distance from the middle, height in the picture, two radii, amount
        (0.0, 0.50, 0.018, 0.07, 0.035),  # nose
        (0.0, 0.545, 0.026, 0.022, 0.030),
        (0.024, 0.552, 0.012, 0.012, 0.010),
        (0.075, 0.435, 0.045, 0.026, -0.020),  # eye socket and brow
        (0.075, 0.395, 0.055, 0.018, 0.008),
        (0.10, 0.52, 0.05, 0.04, 0.008),  # cheek
        (0.0, 0.615, 0.05, 0.012, 0.010),  # mouth and chin
        (0.0, 0.665, 0.04, 0.022, 0.012),
    )

    half = 0.185 * np.sqrt(np.clip(1 - ((y - 0.43) / 0.27) ** 2, 0, 1))
    half *= 1 - 0.22 * np.clip((y - 0.5) / 0.2, 0, 1) ** 2
    relief = 0.17 * np.sqrt(np.clip(1 - (u / np.maximum(half, 1e-3)) ** 2, 0, 1)) * (half / 0.185)
    for center_x, center_y, radius_x, radius_y, amount in bumps:
        r2 = ((u - center_x) / radius_x) ** 2 + ((y - center_y) / radius_y) ** 2
        relief += amount * np.exp(-r2)
    return relief, np.where(half > 0, u - half, 1)


def _features(image, x, y, tone):
    """Eyes, brows and mouth."""
    for side in (-1, 1):
        u, v = (x - 0.5 - side * 0.075) * side, y - 0.437
        lid = 0.017 * np.sqrt(np.clip(1 - (u / 0.04) ** 2, 0, 1))
        eye = _inside(np.maximum(abs(v) - lid, abs(u) - 0.04), 0.004)
        iris = np.hypot(u + side * 0.004, v)
        glint = np.hypot(u + side * 0.01, v + 0.005) - 0.003
        brow = np.clip(1 - (u / 0.06) ** 2, 0, 1)
        arch = abs(v + 0.047 - 3.6 * u**2 + 0.1 * u) - 0.008 * brow
        image = _over(image, _color("efe6da") * (0.45 + 0.5 * tone)[..., None], eye)
        colors = _ramp(iris / 0.016, "0a0806", "1a120c", "5a4326")
        image = _over(image, colors, eye * _inside(iris - 0.016))
        image = _over(image, _color("ffffff"), _inside(glint))
        lash = 0.85 * _inside(abs(v + lid) - 0.003, 0.004) * (lid > 0)
        image = _over(image, _color("20100a"), lash)
        image = _over(image, _color("2a170e"), 0.8 * _inside(arch, 0.008) * (brow > 0))
    u = abs(x - 0.5)
    shape = np.clip(1 - (u / 0.06) ** 2, 0, 1)
    below = y - 0.624 + 0.05 * u**1.2
    bow = 1 - 0.3 * np.exp(-((u / 0.012) ** 2))
    lips = np.maximum(-below - 0.013 * shape * bow, below - 0.017 * shape)
    image = _over(image, image * _color("d8605c"), 0.75 * _inside(lips, 0.005) * (shape > 0))
    closed = 0.8 * _inside(abs(below) - 0.0015, 0.005) * (shape > 0)
    return _over(image, _color("4a1512"), closed)


def _harbour(side, rng):
    x, y = _grid(side)
    image = _ramp(y / 0.55, "3f7fc0", "7fb2dd", "cfe3ea", "f6ecd8")
    clouds = np.clip(_noise(rng, side, (6, 3), 7) * 1.1 - 0.1, 0, 1) * np.clip(1.2 - 2 * y, 0, 1)
    shade = _light(_noise(rng, side, (6, 3), 6) * 0.03)
    image = _over(image, _ramp(np.clip(shade, 0, 1), "9aa9bd", "f4f0ea", "ffffff"), clouds)
    for i, colors in enumerate((("7f9bb0", "a9bcc4"), ("4f6f5a", "93a06a"))):
        ridge = 0.46 + 0.05 * i - (0.07 - 0.02 * i) * _noise(rng, side, 3, 6)[0]
        ridge = ridge + 0.1 * (0.5 - x) * (1 - 2 * i)
        t = _light(_noise(rng, side, 10, 6) * 0.02)
        image = _over(image, _ramp(np.clip(t, 0, 1), *colors), _inside(ridge - y))
    image = _mirror(_houses(image, rng), rng, 0.60, _color("1f5a78"))
    ripple = 0.004 * _noise(rng, side, (50, 5), 3)
    boats = (  # middle, waterline, scale, hull
        (0.27, 0.66, 0.17, "b3392c"),
        (0.68, 0.63, 0.12, "e9e4d8"),
        (0.86, 0.74, 0.20, "22507a"),
    )
    for center, line, scale, hull in boats:
        flipped = _boat(image, center + ripple, line, scale, hull, upright=-1) * 0.85
        fade = 0.55 * _inside(line - y) * np.clip(1.6 - (y - line) / scale, 0, 1)
        image = _boat(_over(image, flipped, fade), center, line, scale, hull)
    return image


def _houses(image, rng):
    side = image.shape[0]
    grid_x, grid_y = _grid(side)
    for left in np.arange(0.02, 0.98, 0.075):
        top, right = rng.uniform(0.49, 0.54), left + rng.uniform(0.05, 0.07)
        part = np.s_[:, int((left - 0.01) * side) : int((right + 0.01) * side)]
        x, y = grid_x[part], grid_y[part]
        u = (x - left) / (right - left)
        wall = _ramp(rng.uniform(), "f2e3c4", "e8b98a", "d98a6a", "f7f1e4", "c7d3d6")
        front = np.maximum.reduce([left - x, x - right, top - y])
        house = _over(image[part], wall * (1.05 - 0.35 * u)[..., None], _inside(front))
        gable = np.maximum(top - 0.03 + 0.06 * abs(u - 0.5) - y, y - top)
        gable = np.maximum(gable, abs(u - 0.5) * 0.1 - 0.055)
        house = _over(house, _color("a3492f") * (1.1 - 0.4 * u)[..., None], _inside(gable))
        panes = (abs((u * 3) % 1 - 0.5) < 0.22) & (abs((y - top) / 0.03 % 1 - 0.5) < 0.28)
        panes &= (u > 0) & (u < 1) & (y > top + 0.005) & (y < 0.6)
        image[part] = _over(house, _color("3a4650"), panes * 0.8)
    return image


def _boat(image, center, line, scale, hull, upright=1):
    """Draws a sailing boat with its waterline at `line`; `upright=-1` turns it over."""
    x, y = _grid(image.shape[0])
    u, v = (x - center) / scale, (y - line) / scale * upright
    luff = u - 0.62 * (v + 1.75) / 1.5 - 0.06 * np.sin(2 * v)
    sail = np.maximum.reduce([0.06 - u, v + 0.28, luff])
    jib = np.maximum.reduce([u + 0.02, v + 0.30, -u - 0.55 * (v + 1.5) / 1.2])
    for distance, bend in ((sail, u), (jib, 0.3 - u)):
        t = np.clip(0.95 - 0.9 * bend + 0.06 * np.sin(14 * v), 0, 1)
        image = _over(image, _ramp(t, "a9a091", "efe6d2", "fffaf0"), _inside(distance * scale))
    mast = np.maximum(abs(u - 0.02) - 0.018, abs(v + 0.95) - 0.85)
    body = np.maximum.reduce([-0.22 - 0.06 * u**2 - v, v - 0.02, abs(u) - 0.85 - 0.5 * v])
    rail = np.maximum(abs(v + 0.19 + 0.06 * u**2) - 0.02, abs(u) - 0.76)
    shade = 0.8 - 1.5 * v - 0.35 * u
    image = _over(image, _color("4a3424"), _inside(mast * scale))
    image = _over(image, _color(hull) * shade[..., None], _inside(body * scale))
    return _over(image, _color("f4ead8"), _inside(rail * scale))


# Paintings.


def _flow(rng, side, cells, whorls=0):
    """Unit vectors along the contours of a noise (a curl field), with a few vortices."""
    x, y = _grid(side)
    potential = _noise(rng, side, cells, 2) * 0.12
    for _ in range(whorls):
        center_x, center_y, radius = rng.uniform([0, 0, 0.06], [1, 0.7, 0.16])
        r2 = ((x - center_x) ** 2 + (y - center_y) ** 2) / radius**2
        potential += 2 * radius * np.exp(-r2)
    dy, dx = np.gradient(potential)
    norm = np.hypot(dx, dy) + 1e-9
    return dy / norm, -dx / norm, potential


def _strokes(picture, rng, colors_at, flow, count, length, width, steps=6):
    """Paints short strokes along the flow, each with a lighter and a darker bristle."""
    side = picture.size[0]
    draw = ImageDraw.Draw(picture)
    points = [rng.uniform(-0.02, 1.02, (count, 2))]
    for _ in range(steps):
        column, row = np.clip(points[-1] * side, 0, side - 1).astype(int).T
        step = np.stack([flow[0][row, column], flow[1][row, column]], -1) * length / steps
        points.append(points[-1] + step)
    paths = np.stack(points, 1) * side
    middle = np.clip(points[steps // 2] * side, 0, side - 1).astype(int)
    colors = colors_at[middle[:, 1], middle[:, 0]] + rng.normal(0, 0.05, (count, 3))
    colors += rng.normal(0, 0.05, (count, 1))
    widths = width * side * rng.uniform(0.6, 1.2, count)
    for path, color, thick in zip(paths, colors, widths, strict=True):
        for offset, share, gain in ((0, 1, 0), (-0.25, 0.3, 0.10), (0.3, 0.25, -0.08)):
            rgb = tuple((np.clip(color + gain, 0, 1) * 255).astype(int))
            line = [tuple(p) for p in path + offset * thick]
            draw.line(line, fill=rgb, width=max(1, round(thick * share)))


def _to_picture(image):
    return Image.fromarray((np.clip(image, 0, 1) * 255).astype("uint8"))


def _impasto(image, strength=1.0):
    """Lights the paint as if brighter and darker bristles stood up."""
    return image * (1 + strength * (_light(image.mean(-1) * 0.006) - 0.62))[..., None]


def _swirls(side, rng):
    x, y = _grid(side)
    u, v, potential = _flow(rng, side, 3, whorls=9)
    t = np.clip(0.5 + 1.6 * (potential - potential.mean()) + 0.10 * np.sin(60 * potential), 0, 1)
    colors = _ramp(t, "0b1440", "16307a", "2f62b0", "6fa3cf", "e8dc8c", "f7b733", "fff2b0")
    land = y - 0.80 - 0.08 * np.sin(5 * x + 1) - 0.03 * _noise(rng, side, 4, 2)
    grass = _ramp(land * 5, "0a2a2e", "1d5a4a", "4b8a4a")
    colors = _over(colors, grass, _inside(-land))
    picture = _to_picture(colors * 0.7)
    for count, length, width in ((1500, 0.10, 0.022), (2600, 0.075, 0.012), (1500, 0.05, 0.006)):
        _strokes(picture, rng, colors, (u, v), count, length, width)
    return _impasto(np.asarray(picture) / np.float32(255), 1.2)


def _voronoi(x, y, cells, rng, jitter=0.8):
    """Nearest jittered grid point of each pixel: index, distance, and distance of the next."""
    points = rng.uniform(0.5 - jitter / 2, 0.5 + jitter / 2, (cells + 4, cells + 4, 2))
    column, row = np.floor(x * cells).astype(int), np.floor(y * cells).astype(int)
    first, second = np.full_like(x, 9), np.full_like(x, 9)
    index = np.zeros(x.shape, int)
    for i in range(-1, 2):
        for j in range(-1, 2):
            r, c = row + i, column + j
            point = points[(r + 2) % (cells + 4), (c + 2) % (cells + 4)]
            distance = np.hypot(x * cells - c - point[..., 0], y * cells - r - point[..., 1])
            closer = distance < first
            second = np.where(closer, first, np.minimum(second, distance))
            index = np.where(closer, (r + 2) * (cells + 4) + c + 2, index)
            first = np.where(closer, distance, first)
    return index, first / cells, second / cells


def _mosaic(side, rng):
    x, y = _grid(side)
    warp = 0.015 * _noise(rng, side, 3, 2)
    cells = 30
    index, first, second = _voronoi(x + warp, y - warp, cells, rng, 0.55)
    total = (cells + 4) ** 2
    row, column = np.divmod(np.arange(total), cells + 4)
    radius = np.hypot(column / cells - 0.55, row / cells - 0.55)
    angle = np.arctan2(row / cells - 0.55, column / cells - 0.55)
    rings = (radius * 2.6 + 0.06 * np.sin(8 * angle)) % 1
    palette = _ramp(rings, "12355b", "1f7a8c", "e1b94e", "f4ead0", "c8452d", "7d1d2f", "12355b")
    palette *= rng.uniform(0.75, 1.15, (total, 1))
    tilt = rng.normal(0, 4, (2, total))
    u, v = x * cells % 1 - 0.5, y * cells % 1 - 0.5
    shade = 1 + (tilt[0][index] * u + tilt[1][index] * v) / 20
    gap = second - first
    image = palette[index] * (shade + 0.08 * _noise(rng, side, 40, 3))[..., None]
    image *= (0.75 + 0.3 * np.clip(gap / 0.014, 0, 1))[..., None]
    grout = _color("cfc6b4") * (0.55 + 0.08 * _noise(rng, side, 80, 2))[..., None]
    return _over(image, grout, _inside(gap - 0.0055, 0.004)).astype("float32")


def _woodcut(side, rng):
    x, y = _grid(side)
    sun = np.hypot(x - 0.68, y - 0.28)
    hill = y - 0.62 - 0.10 * np.sin(4 * x + 0.5) - 0.05 * _noise(rng, side, 3, 3)
    near = y - 0.80 + 0.12 * np.sin(5 * x) - 0.04 * _noise(rng, side, 4, 3)
    light = 0.3 * _noise(rng, side, 5, 3)
    regions = [near > 0, hill > 0, sun > 0.13]
    tones = [
        np.clip(0.35 + 2.5 * near + light, 0.3, 0.95),
        np.clip(0.9 - 3.2 * hill + light, 0.2, 0.95),
        np.clip(0.15 + 1.1 * sun + light, 0.12, 0.85),
    ]
    cuts = [40 * (near - 0.5 * x), 38 * (0.8 * x + hill), 34 * sun]
    tone = np.select(regions, tones)
    phase = np.select(regions, cuts, 34 * sun) + 0.6 * _noise(rng, side, 3, 3)
    ridge = abs(2 * (phase % 1) - 1) + 0.12 * _noise(rng, side, (50, 50), 3)
    ink = _inside(ridge - tone, 0.12)
    for edge in (hill, near, sun - 0.13):
        ink = np.maximum(ink, _inside(abs(edge) - 0.004 - 0.002 * _noise(rng, side, 30, 2)))
    ink *= 1 - 0.5 * np.clip(_noise(rng, side, (12, 160), 3) - 0.75, 0, 1)
    paper = _color("efe3c6") * (1 + 0.04 * _noise(rng, side, 60, 3))[..., None]
    return _over(paper, _color("17120f"), ink)


def _cubism(side, rng):
    x, y = _grid(side)
    colors = ("2b2622", "6b4a2f", "c08c4e", "ead6aa", "8fa5a4", "35606f", "cf6a34", "f3ead2")
    image = np.zeros((side, side, 3), np.float32)
    for lines, opacity in ((11, 1.0), (9, 0.7), (8, 0.5), (7, 0.35)):
        label = np.zeros(x.shape, int)
        edge = np.ones_like(x)
        for _ in range(lines):
            angle, shift = rng.uniform(0, np.pi), rng.normal(0, 0.22)
            line = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) - shift
            label = 2 * label + (line > 0)
            edge = np.minimum(edge, abs(line))
        number = 2**lines  # one entry for each side of each line, so that any size agrees
        base = _ramp(rng.uniform(0, 1, number), *colors)
        direction, bias = rng.normal(0, 1.8, (2, number)), rng.uniform(0.8, 1.1, number)
        slope = direction[0][label] * (x - 0.5) + direction[1][label] * (y - 0.5)
        shade = bias[label] + 0.5 * slope
        facet = base[label] * np.clip(shade, 0.35, 1.35)[..., None]
        show = (rng.uniform(0, 1, number) < opacity)[label]
        image = _over(image, facet, show * min(1, opacity + 0.1))
        image = _over(image, _color("1a1512"), 0.75 * show * _inside(edge - 0.0018, 0.004))
    brush = _noise(rng, side, (20, 90), 3) * 0.06 + _noise(rng, side, (90, 20), 3) * 0.05
    return image * (1 + brush)[..., None]


def _pointillism(side, rng):
    x, y = _grid(side)
    bank = y - 0.62 - 0.15 * (x - 0.4) - 0.05 * _noise(rng, side, 3, 2)
    field = _ramp(y / 0.7, "7fb8e0", "bcd9ea", "fbe7c0", "f9c9a0")
    field = _over(field, _ramp(bank * 3, "e3d35a", "7fb04a", "2f7a55"), _inside(-bank))
    for _ in range(7):
        center, radius = rng.uniform([0, 0.38], [1, 0.6]), rng.uniform(0.06, 0.14)
        crown = _disc(x, y, *center, radius) + 0.02 * _noise(rng, side, 9, 2)
        leaves = _ramp((y - center[1]) / radius / 2 + 0.5, "9ac44c", "3f8a4f", "1f4f6b")
        field = _over(field, leaves, _inside(crown))
    picture = _to_picture(_over(field, _color("f6efe0"), np.full_like(x, 0.55)))
    draw = ImageDraw.Draw(picture)
    opposite = np.array([[0.95, 0.55, 0.2], [0.55, 0.3, 0.7], [0.95, 0.45, 0.6], [0.2, 0.4, 0.85]])
    for count, radius in ((5000, 0.0085), (9000, 0.0062), (7000, 0.0045)):
        points = rng.uniform(0, 1, (count, 2))
        column, row = (points * side).astype(int).T
        colors = field[row, column] + rng.normal(0, 0.09, (count, 3))
        swap = rng.uniform(0, 1, count) < 0.13
        colors[swap] = opposite[rng.integers(0, 4, swap.sum())]
        radii = radius * side * rng.uniform(0.75, 1.2, count)
        boxes = np.hstack([points * side - radii[:, None], points * side + radii[:, None]])
        fills = (np.clip(colors, 0, 1) * 255).astype(int)
        for box, fill in zip(boxes.tolist(), fills.tolist(), strict=True):
            draw.ellipse(box, fill=tuple(fill))
    return _impasto(np.asarray(picture) / np.float32(255), 0.8)


def _watercolour(side, rng):
    x, y = _grid(side)
    grain = _noise(rng, side, 110, 3)
    image = _color("faf6ec") * (1 + 0.02 * grain)[..., None]
    colors = ("e4572e", "f3a712", "2e86ab", "7b4ea3", "3aa17e", "d64574", "345995")
    edges, pools = _noise(rng, 2 * side, 10, 5), _noise(rng, 2 * side, 8, 4)
    for i in range(28):
        cell = np.array([i * 2 % 7, i * 2 // 7 % 8]) / (7, 8)
        center, radius = cell + rng.uniform(0, 0.2, 2), rng.uniform(0.08, 0.17)
        top, left = (rng.uniform(0, 1, 2) * side).astype(int)
        part = np.s_[top : top + side, left : left + side]
        wobble = 0.05 * edges[part] + 0.006 * grain
        distance = _disc(x, y, *center, radius) + wobble
        wash = _inside(distance, 0.008)
        pigment = 0.42 + 0.28 * pools[part] + 0.05 * grain
        pigment += 0.45 * np.exp(-np.clip(-distance, 0, 1) / 0.007)
        stained = image * _color(colors[i % len(colors)])
        image = _over(image, stained, wash * np.clip(pigment, 0.05, 1))
    splashes = Image.new("L", (side, side))
    draw = ImageDraw.Draw(splashes)
    for _ in range(60):
        center, radius = rng.uniform(0, 1, 2), rng.uniform(0.002, 0.007)
        box = np.concatenate([center - radius, center + radius]) * side
        draw.ellipse(box.tolist(), fill=255)
    image = _over(image, image * _color("5577aa"), np.asarray(splashes) * np.float32(0.8 / 255))
    return image * (1 + 0.05 * _light(grain * 0.004))[..., None]


def _waves(side, rng):
    x, y = _grid(side)
    image = _ramp(y / 0.5, "e9d3a8", "f3e6c8", "f0c9a0")
    image = _over(image, _color("c8402f"), _inside(np.hypot(x - 0.7, y - 0.2) - 0.11))
    bend_x, bend_y = 0.02 * _noise(rng, side, 3, 2), 0.015 * _noise(rng, side, 3, 2)
    pitch = 0.16
    for row in range(15):
        base = 0.30 + 0.062 * row + 0.05 * np.sin(6 * x + 0.5)
        u = (x + bend_x) / pitch + 0.5 * (row % 2)
        number = np.floor(u).astype(int)
        radius = np.hypot(u % 1 - 0.5, (y + bend_y - base - 0.08) / pitch) / 0.56
        ring = np.clip(radius, 0, 1)
        tone = rng.uniform(-0.12, 0.12, 40)[number + 2] + row / 22
        blue = _ramp(0.15 + 0.75 * tone, "8fb9c4", "4c86a8", "23527f", "12305c", "0b1d40")
        bands = _inside(abs((ring * 4.2 + 0.5) % 1 - 0.5) - 0.13, 0.08)
        shell = _over(blue * (1.15 - 0.35 * ring)[..., None], _color("f2ead6"), bands * 0.9)
        shell = _over(shell, _color("0d1d3a"), _inside(0.965 - ring, 0.03))
        image = _over(image, shell, _inside((radius - 1) * pitch * 0.56))
    paper = 1 + 0.035 * _noise(rng, side, (40, 120), 3)
    return image * paper[..., None]


_CONTENTS = {
    "hills": _hills,
    "city": _city,
    "still_life": _still_life,
    "portrait": _portrait,
    "harbour": _harbour,
}
_STYLES = {
    "swirls": _swirls,
    "mosaic": _mosaic,
    "woodcut": _woodcut,
    "cubism": _cubism,
    "pointillism": _pointillism,
    "watercolour": _watercolour,
    "waves": _waves,
}
CONTENT_NAMES = tuple(_CONTENTS)
STYLE_NAMES = tuple(_STYLES)
