"""Pictures and noise for generators, and comparisons of what they paint."""

import numpy as np


def make_images(seed, height=33, width=47, batch=2):
    """Random fields of blobs of 4 pixels, with another contrast in each image."""
    random = np.random.default_rng(seed)
    blobs = random.random((batch, -(-height // 4), -(-width // 4), 3), dtype="float32")
    contrast = np.linspace(1.0, 0.4, batch, dtype="float32")[:, None, None, None]
    return np.kron(blobs * contrast, np.ones((1, 4, 4, 1), "float32"))[:, :height, :width]


def make_styles_and_noise_matter(generator):
    """Gives modulations and noise strengths of an untrained generator the size they are to get."""
    random = np.random.default_rng(0)
    for weight in generator.trainable_variables:
        if "affine" in weight.path or "noise_strength" in weight.path:
            weight.assign(random.normal(0, 0.5, weight.shape))
    return generator


def noise_of(generator, content, seed):
    return generator.draw_noise(*content.shape[:3], seed)


def assert_same(actual, expected, atol=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


def assert_differs(actual, expected, by=0.01):
    assert np.abs(np.asarray(actual) - np.asarray(expected)).max() > by
