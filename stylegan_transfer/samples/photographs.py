"""The sample photographs: smoothly shaded scenes."""

import itertools

import numpy as np

from stylegan_transfer.samples import drawing


def hills(side, rng):
    x, y = drawing.grid(side)
    shore = 0.66
    sun = np.hypot(x - 0.64, (y - 0.40) * 1.1)
    image = drawing.ramp(y / shore, "2b3f73", "5b6fa3", "c58f9a", "f3b27a", "ffdf9e")
    image += drawing.color("ffb060") * np.exp(-sun * 5)[..., None] * 0.45
    clouds = np.clip(drawing.noise(rng, side, (9, 3), 6) * 0.8 - 0.1 + (0.25 - y), 0, 1)
    image = drawing.over(image, drawing.ramp(np.exp(-sun * 2.5), "6d6f96", "ffd2a0"), clouds * 0.8)
    image = drawing.over(image, drawing.color("fff6d8"), drawing.inside(sun - 0.045, 0.02))
    colors = ["8f8bb0", "d9a99b"], ["5d6488", "a98a8c"], ["3a4a5c", "6b6a5e"], ["232f2c", "44492f"]
    for i, (shade, lit) in enumerate(colors):
        ridge = 0.40 + 0.07 * i - (0.16 - 0.03 * i) * drawing.noise(rng, side, 3 + i, 7)[0]
        depth = y - ridge[None]
        relief = drawing.noise(rng, side, (5 + 2 * i, 7 + 3 * i), 7) * 0.022 - y * 0.3
        t = 0.45 + 0.9 * (drawing.light(relief, (0.75, -0.35, 0.5)) - 0.45)
        land = drawing.ramp(np.clip(t, 0, 1), shade, lit)
        haze = np.clip(depth / 0.25, 0, 1)[..., None] * (0.4 - 0.1 * i)
        image = drawing.over(
            image, land + (drawing.color("e8b796") - land) * haze, drawing.inside(-depth)
        )
    image = _mirror(image, rng, shore, drawing.color("27406b"))
    bank = y - 0.93 - 0.05 * drawing.noise(rng, side, 4, 7)[0] + 0.12 * (x - 0.5) ** 2
    grass = drawing.ramp(
        0.5 + 0.5 * drawing.noise(rng, side, (10, 40), 5), "0e1510", "2c3418", "5a5527"
    )
    return drawing.over(image, grass, drawing.inside(-bank))


def _mirror(image, rng, shore, tint):
    """Replaces what is below the shore by its rippled reflection."""
    side = image.shape[0]
    x, y = drawing.grid(side)
    near = np.clip((y - shore) / (1 - shore), 0, 1)
    ripples = drawing.noise(rng, side, (60, 6), 3) * np.sqrt(near)
    rows = np.clip((2 * shore - y + ripples * 0.03) * side, 0, side - 1).astype(int)
    columns = np.clip((x + ripples * 0.006) * side, 0, side - 1).astype(int)
    water = image[rows, columns] * 0.82
    water = drawing.over(water, tint, 0.25 + 0.35 * near * np.clip(0.5 + ripples, 0, 1))
    return drawing.over(image, water, drawing.inside(shore - y))


def city(side, rng):
    x, y = drawing.grid(side)
    image = drawing.ramp(y / 0.72, "111d45", "2c3f7c", "76609c", "e08a88", "ffc98a")
    clouds = np.clip(drawing.noise(rng, side, (8, 3), 6) * 0.7, 0, 1)
    image = drawing.over(image, drawing.ramp(y / 0.7, "39406e", "f0a08c"), clouds * 0.6)
    image = drawing.over(
        image, drawing.color("fff3d6"), drawing.inside(drawing.disc(x, y, 0.2, 0.17, 0.05), 0.006)
    )
    lamps = np.zeros_like(x)
    layers = ((15, 0.62, "8d6c90", 0.0), (10, 0.60, "4a4272", 0.5), (7, 0.69, "171b38", 1.0))
    for count, mean_top, color, window in layers:
        edges = np.linspace(0, 1, count + 1) + rng.uniform(-0.2, 0.2, count + 1) / count
        edges[0], edges[-1] = 0, 1
        for left, right in itertools.pairwise(edges):
            top = mean_top - 0.4 * rng.uniform(0, 1) ** 2 + rng.uniform(0, 0.06)
            part = np.s_[:, int(left * side) : int(right * side) + 2]  # only these columns change
            u, v = x[part], y[part]
            mask = drawing.inside(np.maximum.reduce([left - u, u - right, top - v]), 0.004)
            side_face = drawing.inside(left + 0.68 * (right - left) - u, 0.004)
            wall = drawing.color(color) * (1 - 0.45 * side_face + 0.5 * v)[..., None]
            image[part] = drawing.over(image[part], wall, mask)
            lit = window * _windows(u, v, left, right, top, rng)
            lamps[part] = lamps[part] * (1 - mask) + mask * lit
        image = drawing.over(
            image, drawing.color("e79a86"), np.clip((y - 0.5) * 0.55, 0, 1) * (1 - window)
        )
    glow = drawing.blur(lamps, 0.012) + 0.6 * drawing.blur(lamps, 0.035)
    image = drawing.over(image, drawing.color("ffd98c"), np.clip(lamps, 0, 1))
    image += drawing.color("ffa848") * glow[..., None] * 0.5
    return (
        _mirror(image, rng, 0.86, drawing.color("141a3c"))
        + 0.012 * drawing.noise(rng, side, 90, 2)[..., None]
    )


def _windows(x, y, left, right, top, rng):
    """Brightness of a grid of windows, a third of them lit."""
    pitch_x, pitch_y = (right - left) / max(3, round((right - left) / 0.022)), 0.026
    u, v = (x - left) / pitch_x, (y - top - 0.012) / pitch_y
    pane = (abs(u % 1 - 0.5) < 0.27) & (abs(v % 1 - 0.45) < 0.25) & (v > 0) & (x < right)
    lit = rng.uniform(-1.2, 1, (64, 64)).clip(0, 1)
    return pane * lit[v.astype(int) % 64, u.astype(int) % 64]


def still_life(side, rng):
    x, y = drawing.grid(side)
    wall = drawing.ramp(np.hypot(x - 0.2, y - 0.2) / 1.1, "b7a58a", "7d6f5d", "3c3430")
    image = wall * (1 + 0.10 * drawing.noise(rng, side, 5, 7))[..., None]
    grain = drawing.noise(rng, side, (40, 3), 5) + 0.6 * np.sin(
        90 * y + 5 * drawing.noise(rng, side, (4, 2), 3)
    )
    table = drawing.ramp(0.5 + 0.28 * grain, "4a2a18", "7c4a28", "a8703f")
    table *= (1.15 - 0.6 * x + 0.3 * (y - 0.7))[..., None]
    image = drawing.over(image, table, drawing.inside(0.62 - y, 0.006))
    vase = 0.045 + 0.10 * np.exp(-(((y - 0.52) / 0.13) ** 2)) + 0.03 * drawing.inside(y - 0.27, 0.1)
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
        shadow = drawing.inside(
            drawing.disc(x, y, center + 0.9 * width, foot - 0.01, 1.6 * width, 0.035), 0.05
        )
        image = drawing.over(image, drawing.color("1a0f0a"), shadow * 0.75)
    for half_width, center, _, colors, gloss in solids:
        image = _revolve(image, rng, half_width, center, colors, gloss)
    stem = abs(x - 0.665 - (0.56 - y) * 0.4) - 0.006
    return drawing.over(
        image, drawing.color("3a2412"), drawing.inside(np.maximum(stem, abs(y - 0.535) - 0.035))
    )


def _ball(y, center_y, radius):
    return np.sqrt(np.maximum(radius**2 - (y - center_y) ** 2, 0))


def _revolve(image, rng, half_width, center, colors, gloss):
    """Draws a glossy body of revolution, lit from the upper left."""
    side = image.shape[0]
    x, _ = drawing.grid(side)
    u = np.clip((x - center) / np.maximum(half_width, 1e-4), -1, 1)
    slope = np.clip(np.gradient(half_width, axis=0) * side, -4, 4)
    normal = np.stack([u, -slope, np.sqrt(1 - u * u)])
    normal /= np.sqrt((normal**2).sum(0))
    light = np.array([-0.55, -0.6, 0.58])
    lambert = np.tensordot(light, normal, 1)
    mirrored = np.clip(2 * lambert * normal[2] - light[2], 0, 1)
    bounce = 0.16 * np.clip(normal[1] + 0.3 * u, 0, 1)
    tone = 0.12 + 0.72 * np.clip(lambert, 0, 1) + bounce + 0.05 * drawing.noise(rng, side, 12, 5)
    color = drawing.ramp(np.clip(tone, 0, 1), *colors) * np.clip(0.35 + tone, 0, 1.15)[..., None]
    color += gloss * (mirrored**40 + 0.25 * mirrored**6)[..., None]
    return drawing.over(
        image, color, drawing.inside(abs(x - center) - half_width, 0.005) * (half_width > 0)
    )


def harbour(side, rng):
    x, y = drawing.grid(side)
    image = drawing.ramp(y / 0.55, "3f7fc0", "7fb2dd", "cfe3ea", "f6ecd8")
    clouds = np.clip(drawing.noise(rng, side, (6, 3), 7) * 1.1 - 0.1, 0, 1) * np.clip(
        1.2 - 2 * y, 0, 1
    )
    shade = drawing.light(drawing.noise(rng, side, (6, 3), 6) * 0.03)
    image = drawing.over(
        image, drawing.ramp(np.clip(shade, 0, 1), "9aa9bd", "f4f0ea", "ffffff"), clouds
    )
    for i, colors in enumerate((("7f9bb0", "a9bcc4"), ("4f6f5a", "93a06a"))):
        ridge = 0.46 + 0.05 * i - (0.07 - 0.02 * i) * drawing.noise(rng, side, 3, 6)[0]
        ridge = ridge + 0.1 * (0.5 - x) * (1 - 2 * i)
        t = drawing.light(drawing.noise(rng, side, 10, 6) * 0.02)
        image = drawing.over(
            image, drawing.ramp(np.clip(t, 0, 1), *colors), drawing.inside(ridge - y)
        )
    image = _mirror(_houses(image, rng), rng, 0.60, drawing.color("1f5a78"))
    ripple = 0.004 * drawing.noise(rng, side, (50, 5), 3)
    boats = (  # middle, waterline, scale, hull
        (0.27, 0.66, 0.17, "b3392c"),
        (0.68, 0.63, 0.12, "e9e4d8"),
        (0.86, 0.74, 0.20, "22507a"),
    )
    for center, line, scale, hull in boats:
        flipped = _boat(image, center + ripple, line, scale, hull, upright=-1) * 0.85
        fade = 0.55 * drawing.inside(line - y) * np.clip(1.6 - (y - line) / scale, 0, 1)
        image = _boat(drawing.over(image, flipped, fade), center, line, scale, hull)
    return image


def _houses(image, rng):
    side = image.shape[0]
    grid_x, grid_y = drawing.grid(side)
    for left in np.arange(0.02, 0.98, 0.075):
        top, right = rng.uniform(0.49, 0.54), left + rng.uniform(0.05, 0.07)
        part = np.s_[:, int((left - 0.01) * side) : int((right + 0.01) * side)]
        x, y = grid_x[part], grid_y[part]
        u = (x - left) / (right - left)
        wall = drawing.ramp(rng.uniform(), "f2e3c4", "e8b98a", "d98a6a", "f7f1e4", "c7d3d6")
        front = np.maximum.reduce([left - x, x - right, top - y])
        house = drawing.over(
            image[part], wall * (1.05 - 0.35 * u)[..., None], drawing.inside(front)
        )
        gable = np.maximum(top - 0.03 + 0.06 * abs(u - 0.5) - y, y - top)
        gable = np.maximum(gable, abs(u - 0.5) * 0.1 - 0.055)
        house = drawing.over(
            house, drawing.color("a3492f") * (1.1 - 0.4 * u)[..., None], drawing.inside(gable)
        )
        panes = (abs((u * 3) % 1 - 0.5) < 0.22) & (abs((y - top) / 0.03 % 1 - 0.5) < 0.28)
        panes &= (u > 0) & (u < 1) & (y > top + 0.005) & (y < 0.6)
        image[part] = drawing.over(house, drawing.color("3a4650"), panes * 0.8)
    return image


def _boat(image, center, line, scale, hull, upright=1):
    """Draws a sailing boat with its waterline at `line`; `upright=-1` turns it over."""
    x, y = drawing.grid(image.shape[0])
    u, v = (x - center) / scale, (y - line) / scale * upright
    luff = u - 0.62 * (v + 1.75) / 1.5 - 0.06 * np.sin(2 * v)
    sail = np.maximum.reduce([0.06 - u, v + 0.28, luff])
    jib = np.maximum.reduce([u + 0.02, v + 0.30, -u - 0.55 * (v + 1.5) / 1.2])
    for distance, bend in ((sail, u), (jib, 0.3 - u)):
        t = np.clip(0.95 - 0.9 * bend + 0.06 * np.sin(14 * v), 0, 1)
        image = drawing.over(
            image, drawing.ramp(t, "a9a091", "efe6d2", "fffaf0"), drawing.inside(distance * scale)
        )
    mast = np.maximum(abs(u - 0.02) - 0.018, abs(v + 0.95) - 0.85)
    body = np.maximum.reduce([-0.22 - 0.06 * u**2 - v, v - 0.02, abs(u) - 0.85 - 0.5 * v])
    rail = np.maximum(abs(v + 0.19 + 0.06 * u**2) - 0.02, abs(u) - 0.76)
    shade = 0.8 - 1.5 * v - 0.35 * u
    image = drawing.over(image, drawing.color("4a3424"), drawing.inside(mast * scale))
    image = drawing.over(
        image, drawing.color(hull) * shade[..., None], drawing.inside(body * scale)
    )
    return drawing.over(image, drawing.color("f4ead8"), drawing.inside(rail * scale))
