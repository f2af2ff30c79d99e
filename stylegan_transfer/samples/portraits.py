"""The sample photograph of a woman."""

import numpy as np

from stylegan_transfer.samples import drawing


def portrait(side, rng):
    x, y = drawing.grid(side)
    u = x - 0.5
    image = drawing.ramp(np.hypot(x - 0.3, y - 0.3), "8a8f7c", "4d5a52", "1d2524")
    image *= (1 + 0.12 * drawing.noise(rng, side, 4, 7))[..., None]
    strands = 40 * np.arctan2(u + 0.03, y + 0.02) + 2 * drawing.noise(rng, side, 4, 3)
    hair_noise = np.sin(strands) + 0.6 * np.sin(2.7 * strands + 9 * y)
    behind = drawing.disc(x, y, 0.5, 0.42, 0.235, 0.30)
    image = drawing.over(image, _hair(x, y, hair_noise), drawing.inside(behind, 0.02))

    shoulders = 1.9 * abs(u) ** 2.2 + 0.80
    cloth_folds = drawing.noise(rng, side, (3, 7), 5) * 0.015 - 0.6 * u**2
    cloth = drawing.ramp(
        0.15 + 0.75 * np.clip(drawing.light(cloth_folds), 0, 1), "1c0c14", "6d1f2e", "c9564d"
    )
    neck = drawing.inside(abs(u) - 0.085 - 0.9 * np.maximum(y - 0.74, 0) ** 1.5, 0.008)
    neck_tone = np.sqrt(np.clip(1 - (u / 0.13) ** 2, 0, 1)) * 0.5 - 1.2 * u
    shadow = 1 - 0.6 * drawing.inside(drawing.disc(x, y, 0.53, 0.66, 0.16, 0.13), 0.10)
    skin_colors = ("3d1a14", "8f4f3a", "d79a74", "f7d9b5")
    image = drawing.over(
        image, drawing.ramp(neck_tone * shadow, *skin_colors), neck * drawing.inside(0.5 - y, 0.05)
    )
    collar = 0.76 + 0.15 * np.exp(-((u / 0.09) ** 2))
    image = drawing.over(image, cloth, drawing.inside(np.maximum(shoulders, collar) - y, 0.006))

    relief, face = _face_relief(x, y)
    tone = np.clip(0.10 + 0.95 * drawing.light(relief, (-0.55, -0.35, 0.7)), 0, 1)
    skin = drawing.ramp(tone + 0.03 * drawing.noise(rng, side, 60, 3), *skin_colors)
    blush = np.exp(-(((abs(u) - 0.10) / 0.05) ** 2) - ((y - 0.53) / 0.04) ** 2)
    skin = drawing.over(skin, skin * drawing.color("f08070"), 0.5 * blush)
    image = drawing.over(image, skin, drawing.inside(face, 0.006))
    image = _features(image, x, y, tone)
    crown = drawing.disc(x, y, 0.5, 0.40, 0.225, 0.285)
    opening = drawing.disc(x - 0.25 * (y - 0.4), y, 0.53, 0.53, 0.175, 0.26)
    fringe = np.maximum.reduce([crown, -opening, y - 0.62]) + 0.005 * hair_noise
    shadow = np.exp(-np.clip(-opening, 0, 1) / 0.025) * drawing.inside(y - 0.48, 0.2)
    image = drawing.over(
        image, image * drawing.color("7a4030"), 0.6 * shadow * drawing.inside(face, 0.006)
    )
    return drawing.over(image, _hair(x, y, hair_noise), drawing.inside(fringe, 0.012))


def _hair(x, y, noise):
    sheen = np.exp(-(((np.hypot(x - 0.45, y - 0.42) - 0.25) / 0.05) ** 2)) * (x < 0.75)
    return drawing.ramp(0.25 + 0.2 * noise + 0.4 * sheen, "120a08", "3a2015", "8a5a35", "d0a070")


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
        eye = drawing.inside(np.maximum(abs(v) - lid, abs(u) - 0.04), 0.004)
        iris = np.hypot(u + side * 0.004, v)
        glint = np.hypot(u + side * 0.01, v + 0.005) - 0.003
        brow = np.clip(1 - (u / 0.06) ** 2, 0, 1)
        arch = abs(v + 0.047 - 3.6 * u**2 + 0.1 * u) - 0.008 * brow
        image = drawing.over(image, drawing.color("efe6da") * (0.45 + 0.5 * tone)[..., None], eye)
        colors = drawing.ramp(iris / 0.016, "0a0806", "1a120c", "5a4326")
        image = drawing.over(image, colors, eye * drawing.inside(iris - 0.016))
        image = drawing.over(image, drawing.color("ffffff"), drawing.inside(glint))
        lash = 0.85 * drawing.inside(abs(v + lid) - 0.003, 0.004) * (lid > 0)
        image = drawing.over(image, drawing.color("20100a"), lash)
        image = drawing.over(
            image, drawing.color("2a170e"), 0.8 * drawing.inside(arch, 0.008) * (brow > 0)
        )
    u = abs(x - 0.5)
    shape = np.clip(1 - (u / 0.06) ** 2, 0, 1)
    below = y - 0.624 + 0.05 * u**1.2
    bow = 1 - 0.3 * np.exp(-((u / 0.012) ** 2))
    lips = np.maximum(-below - 0.013 * shape * bow, below - 0.017 * shape)
    image = drawing.over(
        image, image * drawing.color("d8605c"), 0.75 * drawing.inside(lips, 0.005) * (shape > 0)
    )
    closed = 0.8 * drawing.inside(abs(below) - 0.0015, 0.005) * (shape > 0)
    return drawing.over(image, drawing.color("4a1512"), closed)
