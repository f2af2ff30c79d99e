import numpy as np
import pytest

from stylegan_transfer.measuring.hatching import added_spectrum, hatching, texture_spectrum

SIZE = 96


def sky(noise=0.004, seed=0):
    """A photograph of nothing but a sky with a gradient and some noise, 8 bits."""
    random = np.random.default_rng(seed)
    grey = np.linspace(0.5, 0.7, SIZE)[:, None, None]
    grey = grey + noise * random.standard_normal((SIZE, SIZE, 1))
    return np.round(255 * np.clip(grey * [0.8, 0.9, 1.0], 0, 1)) / 255


def strokes(angle, period, amplitude=0.06, seed=0):
    """Irregular strokes: noise in a band of frequencies about one, in one direction."""
    y, x = np.meshgrid(*[np.fft.fftfreq(SIZE)] * 2, indexing="ij")
    band = 0
    for sign in (1, -1):
        distance = np.hypot(x - sign * np.cos(angle) / period, y - sign * np.sin(angle) / period)
        band = band + np.exp(-0.5 * (distance / 0.03) ** 2)
    noise = np.random.default_rng(seed).standard_normal((SIZE, SIZE))
    values = np.fft.ifft2(np.fft.fft2(noise) * band).real
    return amplitude * (values / values.std())[..., None]


ANGLES = np.pi * np.arange(4) / 4
PERIODS = (6, 9, 5, 7)
PAINTINGS = [
    texture_spectrum(np.repeat(0.5 + strokes(angle, period, seed=9), 3, axis=2))
    for angle, period in zip(ANGLES, PERIODS, strict=True)
]


def added(results, photograph):
    return [added_spectrum(np.clip(result, 0, 1), photograph) for result in results]


def test_the_same_strokes_in_every_style_are_hatching():
    photograph, colors = sky(), ([1, 0.6, 0.3], [0.3, 0.8, 1], [0.7, 0.7, 0.7], [1, 1, 0.5])
    results = [
        photograph * color + strokes(np.pi / 4, 8, seed=seed) for seed, color in enumerate(colors)
    ]
    assert np.all(hatching(added(results, photograph), PAINTINGS) > 0.6)


def test_the_strokes_of_each_painting_are_none():
    photograph = sky()
    results = [
        photograph + strokes(angle, period, seed=seed)
        for seed, (angle, period) in enumerate(zip(ANGLES, PERIODS, strict=True))
    ]
    figures = hatching(added(results, photograph), PAINTINGS)
    np.testing.assert_allclose(figures, 0, atol=0.15)


def test_a_photograph_in_any_colours_has_added_nothing():
    photograph = sky()
    results = [photograph, 1 - photograph, 0.5 * photograph, photograph @ np.full((3, 3), 1 / 3)]
    for spectrum in added(results, photograph):
        np.testing.assert_allclose(spectrum, 0, atol=1e-6)
    rounded = [np.round(255 * result) / 255 for result in results]
    figures = hatching(added(rounded, photograph), PAINTINGS)
    nothing = np.zeros((4, len(PAINTINGS[0])))
    np.testing.assert_allclose(figures, hatching(nothing, PAINTINGS), atol=0.05)


def test_hatching_is_the_difference_of_two_mean_correlations():
    results, paintings = np.random.default_rng(0).normal(size=(2, 3, 50))
    r, p = np.corrcoef(results), np.corrcoef(paintings)
    expected = [(r[0, 1] + r[0, 2] - p[0, 1] - p[0, 2]) / 2, (r[1, 0] + r[1, 2]) / 2]
    expected[1] -= (p[1, 0] + p[1, 2]) / 2
    np.testing.assert_allclose(hatching(results, paintings)[:2], expected, rtol=1e-9)
    np.testing.assert_allclose(hatching(results, results), 0, atol=1e-12)


def test_only_flat_areas_count():
    photograph = sky()
    photograph[:, : SIZE // 2] = np.random.default_rng(0).random((SIZE, SIZE // 2, 3))
    plain, hatched = photograph.copy(), photograph.copy()
    hatched[:, : SIZE // 2 - 32] = np.clip(0.5 + strokes(1, 5), 0, 1)[:, : SIZE // 2 - 32]
    np.testing.assert_allclose(*added([plain, hatched], photograph))


def test_a_photograph_without_flat_areas_has_no_spectrum():
    noise = np.random.default_rng(0).random((SIZE, SIZE, 3))
    assert added_spectrum(noise, noise) is None


def test_an_enlarged_picture_falls_off_without_standing_out():
    """Blur along an axis is no stroke, or all stretched pictures would be alike."""
    noise = np.random.default_rng(0).standard_normal((2, SIZE, SIZE))
    frequency = np.fft.fftfreq(SIZE)
    blurs = np.exp(-10 * frequency**2), np.exp(-10 * frequency[:, None] ** 2)
    pictures = [
        0.5 + 0.1 * np.repeat(np.fft.ifft2(np.fft.fft2(n) * blur).real[..., None], 3, axis=2)
        for n in noise
        for blur in blurs
    ]
    spectra = [texture_spectrum(picture) for picture in pictures]
    assert abs(np.corrcoef(spectra[0], spectra[2])[0, 1]) < 0.3
    assert abs(np.corrcoef(spectra[1], spectra[3])[0, 1]) < 0.3


def test_pictures_and_counts_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"Expected a result of its photograph's size.*\(96, 80\)"):
        added_spectrum(sky()[:, :80], sky())
    with pytest.raises(ValueError, match=r"at least 32 pixels. Received: shape=\(31, 96\)"):
        texture_spectrum(sky()[:31])
    with pytest.raises(ValueError, match="Expected as many results as paintings.*results=1"):
        hatching(PAINTINGS[:1], PAINTINGS[:1])
