"""The sample paintings: each with colours and a texture of its own."""

import numpy as np
from PIL import Image, ImageDraw

from stylegan_transfer.samples import drawing


def _flow(rng, side, cells, whorls=0):
    """Unit vectors along the contours of a noise (a curl field), with a few vortices."""
    x, y = drawing.grid(side)
    potential = drawing.noise(rng, side, cells, 2) * 0.12
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
    return image * (1 + strength * (drawing.light(image.mean(-1) * 0.006) - 0.62))[..., None]


def swirls(side, rng):
    x, y = drawing.grid(side)
    u, v, potential = _flow(rng, side, 3, whorls=9)
    t = np.clip(0.5 + 1.6 * (potential - potential.mean()) + 0.10 * np.sin(60 * potential), 0, 1)
    colors = drawing.ramp(t, "0b1440", "16307a", "2f62b0", "6fa3cf", "e8dc8c", "f7b733", "fff2b0")
    land = y - 0.80 - 0.08 * np.sin(5 * x + 1) - 0.03 * drawing.noise(rng, side, 4, 2)
    grass = drawing.ramp(land * 5, "0a2a2e", "1d5a4a", "4b8a4a")
    colors = drawing.over(colors, grass, drawing.inside(-land))
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


def mosaic(side, rng):
    x, y = drawing.grid(side)
    warp = 0.015 * drawing.noise(rng, side, 3, 2)
    cells = 30
    index, first, second = _voronoi(x + warp, y - warp, cells, rng, 0.55)
    total = (cells + 4) ** 2
    row, column = np.divmod(np.arange(total), cells + 4)
    radius = np.hypot(column / cells - 0.55, row / cells - 0.55)
    angle = np.arctan2(row / cells - 0.55, column / cells - 0.55)
    rings = (radius * 2.6 + 0.06 * np.sin(8 * angle)) % 1
    palette = drawing.ramp(
        rings, "12355b", "1f7a8c", "e1b94e", "f4ead0", "c8452d", "7d1d2f", "12355b"
    )
    palette *= rng.uniform(0.75, 1.15, (total, 1))
    tilt = rng.normal(0, 4, (2, total))
    u, v = x * cells % 1 - 0.5, y * cells % 1 - 0.5
    shade = 1 + (tilt[0][index] * u + tilt[1][index] * v) / 20
    gap = second - first
    image = palette[index] * (shade + 0.08 * drawing.noise(rng, side, 40, 3))[..., None]
    image *= (0.75 + 0.3 * np.clip(gap / 0.014, 0, 1))[..., None]
    grout = drawing.color("cfc6b4") * (0.55 + 0.08 * drawing.noise(rng, side, 80, 2))[..., None]
    return drawing.over(image, grout, drawing.inside(gap - 0.0055, 0.004)).astype("float32")


def woodcut(side, rng):
    x, y = drawing.grid(side)
    sun = np.hypot(x - 0.68, y - 0.28)
    hill = y - 0.62 - 0.10 * np.sin(4 * x + 0.5) - 0.05 * drawing.noise(rng, side, 3, 3)
    near = y - 0.80 + 0.12 * np.sin(5 * x) - 0.04 * drawing.noise(rng, side, 4, 3)
    light = 0.3 * drawing.noise(rng, side, 5, 3)
    regions = [near > 0, hill > 0, sun > 0.13]
    tones = [
        np.clip(0.35 + 2.5 * near + light, 0.3, 0.95),
        np.clip(0.9 - 3.2 * hill + light, 0.2, 0.95),
        np.clip(0.15 + 1.1 * sun + light, 0.12, 0.85),
    ]
    cuts = [40 * (near - 0.5 * x), 38 * (0.8 * x + hill), 34 * sun]
    tone = np.select(regions, tones)
    phase = np.select(regions, cuts, 34 * sun) + 0.6 * drawing.noise(rng, side, 3, 3)
    ridge = abs(2 * (phase % 1) - 1) + 0.12 * drawing.noise(rng, side, (50, 50), 3)
    ink = drawing.inside(ridge - tone, 0.12)
    for edge in (hill, near, sun - 0.13):
        ink = np.maximum(
            ink, drawing.inside(abs(edge) - 0.004 - 0.002 * drawing.noise(rng, side, 30, 2))
        )
    ink *= 1 - 0.5 * np.clip(drawing.noise(rng, side, (12, 160), 3) - 0.75, 0, 1)
    paper = drawing.color("efe3c6") * (1 + 0.04 * drawing.noise(rng, side, 60, 3))[..., None]
    return drawing.over(paper, drawing.color("17120f"), ink)


def cubism(side, rng):
    x, y = drawing.grid(side)
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
        base = drawing.ramp(rng.uniform(0, 1, number), *colors)
        direction, bias = rng.normal(0, 1.8, (2, number)), rng.uniform(0.8, 1.1, number)
        slope = direction[0][label] * (x - 0.5) + direction[1][label] * (y - 0.5)
        shade = bias[label] + 0.5 * slope
        facet = base[label] * np.clip(shade, 0.35, 1.35)[..., None]
        show = (rng.uniform(0, 1, number) < opacity)[label]
        image = drawing.over(image, facet, show * min(1, opacity + 0.1))
        image = drawing.over(
            image, drawing.color("1a1512"), 0.75 * show * drawing.inside(edge - 0.0018, 0.004)
        )
    brush = (
        drawing.noise(rng, side, (20, 90), 3) * 0.06 + drawing.noise(rng, side, (90, 20), 3) * 0.05
    )
    return image * (1 + brush)[..., None]


def pointillism(side, rng):
    x, y = drawing.grid(side)
    bank = y - 0.62 - 0.15 * (x - 0.4) - 0.05 * drawing.noise(rng, side, 3, 2)
    field = drawing.ramp(y / 0.7, "7fb8e0", "bcd9ea", "fbe7c0", "f9c9a0")
    field = drawing.over(
        field, drawing.ramp(bank * 3, "e3d35a", "7fb04a", "2f7a55"), drawing.inside(-bank)
    )
    for _ in range(7):
        center, radius = rng.uniform([0, 0.38], [1, 0.6]), rng.uniform(0.06, 0.14)
        crown = drawing.disc(x, y, *center, radius) + 0.02 * drawing.noise(rng, side, 9, 2)
        leaves = drawing.ramp((y - center[1]) / radius / 2 + 0.5, "9ac44c", "3f8a4f", "1f4f6b")
        field = drawing.over(field, leaves, drawing.inside(crown))
    picture = _to_picture(drawing.over(field, drawing.color("f6efe0"), np.full_like(x, 0.55)))
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


def watercolour(side, rng):
    x, y = drawing.grid(side)
    grain = drawing.noise(rng, side, 110, 3)
    image = drawing.color("faf6ec") * (1 + 0.02 * grain)[..., None]
    colors = ("e4572e", "f3a712", "2e86ab", "7b4ea3", "3aa17e", "d64574", "345995")
    edges, pools = drawing.noise(rng, 2 * side, 10, 5), drawing.noise(rng, 2 * side, 8, 4)
    for i in range(28):
        cell = np.array([i * 2 % 7, i * 2 // 7 % 8]) / (7, 8)
        center, radius = cell + rng.uniform(0, 0.2, 2), rng.uniform(0.08, 0.17)
        top, left = (rng.uniform(0, 1, 2) * side).astype(int)
        part = np.s_[top : top + side, left : left + side]
        wobble = 0.05 * edges[part] + 0.006 * grain
        distance = drawing.disc(x, y, *center, radius) + wobble
        wash = drawing.inside(distance, 0.008)
        pigment = 0.42 + 0.28 * pools[part] + 0.05 * grain
        pigment += 0.45 * np.exp(-np.clip(-distance, 0, 1) / 0.007)
        stained = image * drawing.color(colors[i % len(colors)])
        image = drawing.over(image, stained, wash * np.clip(pigment, 0.05, 1))
    splashes = Image.new("L", (side, side))
    draw = ImageDraw.Draw(splashes)
    for _ in range(60):
        center, radius = rng.uniform(0, 1, 2), rng.uniform(0.002, 0.007)
        box = np.concatenate([center - radius, center + radius]) * side
        draw.ellipse(box.tolist(), fill=255)
    image = drawing.over(
        image, image * drawing.color("5577aa"), np.asarray(splashes) * np.float32(0.8 / 255)
    )
    return image * (1 + 0.05 * drawing.light(grain * 0.004))[..., None]


def waves(side, rng):
    x, y = drawing.grid(side)
    image = drawing.ramp(y / 0.5, "e9d3a8", "f3e6c8", "f0c9a0")
    image = drawing.over(
        image, drawing.color("c8402f"), drawing.inside(np.hypot(x - 0.7, y - 0.2) - 0.11)
    )
    bend_x, bend_y = 0.02 * drawing.noise(rng, side, 3, 2), 0.015 * drawing.noise(rng, side, 3, 2)
    pitch = 0.16
    for row in range(15):
        base = 0.30 + 0.062 * row + 0.05 * np.sin(6 * x + 0.5)
        u = (x + bend_x) / pitch + 0.5 * (row % 2)
        number = np.floor(u).astype(int)
        radius = np.hypot(u % 1 - 0.5, (y + bend_y - base - 0.08) / pitch) / 0.56
        ring = np.clip(radius, 0, 1)
        tone = rng.uniform(-0.12, 0.12, 40)[number + 2] + row / 22
        blue = drawing.ramp(0.15 + 0.75 * tone, "8fb9c4", "4c86a8", "23527f", "12305c", "0b1d40")
        bands = drawing.inside(abs((ring * 4.2 + 0.5) % 1 - 0.5) - 0.13, 0.08)
        shell = drawing.over(
            blue * (1.15 - 0.35 * ring)[..., None], drawing.color("f2ead6"), bands * 0.9
        )
        shell = drawing.over(shell, drawing.color("0d1d3a"), drawing.inside(0.965 - ring, 0.03))
        image = drawing.over(image, shell, drawing.inside((radius - 1) * pitch * 0.56))
    paper = 1 + 0.035 * drawing.noise(rng, side, (40, 120), 3)
    return image * paper[..., None]
