"""Hatching: one texture in the flat areas of a photograph, whatever the style."""

from collections.abc import Sequence

import numpy as np

from stylegan_transfer.checks import expect
from stylegan_transfer.measuring.figures import luminance, tiles

_TILE = 32  # pixels; strokes of a decoder are 3 to 16 pixels apart
_MAX_TILES = 64  # more hardly change the mean
_FLAT = 0.02  # standard deviation of luminance about a plane
_INVISIBLE = 0.5 / 255  # amplitude of a wave


def added_spectrum(picture: np.ndarray, content: np.ndarray) -> np.ndarray | None:
    """Returns the log spectrum of what a painter added to the flat areas of a photograph.

    Flat are tiles of 32x32 pixels, where the photograph's luminance departs from a plane by less
    than .02 (standard deviation). From the result's luminance in such a tile a plane is taken and
    whatever is linear in the photograph's three channels there. So a photograph has added nothing,
    nor has one in other colours, and its own noise and its JPEG grid do not count as strokes. The
    logarithm is a mean over tiles, as in `grid_artifact_index`, and waves of less than half a step
    of 8 bits are invisible. The fall-off that all pictures have is taken away as well: what is a
    parabola in the logarithm of the frequency, the same times the cosine of twice its angle, or a
    parabola in its horizontal or vertical part, since enlarged and stretched pictures fall off so.
    What stays are directions and periods that stand out.

    Args:
        picture: Result `(height, width, 3)` in [0, 1].
        content: Its photograph, of the same size.

    Returns:
        Vector for `hatching`: the frequencies of a half plane from 2 to 16 waves a tile. None if
        the photograph has no flat tile.

    Raises:
        ValueError: The sizes differ, or are under 32 pixels.
    """
    picture, photograph = luminance(picture), luminance(content)
    fits = picture.shape == photograph.shape and min(picture.shape) >= _TILE
    expect(
        fits,
        f"a result of its photograph's size, sides of at least {_TILE} pixels",
        picture=picture.shape,
        content=photograph.shape,
    )
    flat = _remove(_plane()[None], tiles(photograph, _TILE, _TILE // 2)).std((1, 2)) < _FLAT
    if not flat.any():
        return None
    chosen = _spread(np.flatnonzero(flat))
    channels = tiles(np.asarray(content, "float64"), _TILE, _TILE // 2)[chosen]
    explained = np.concatenate([np.repeat(_plane()[None], len(chosen), 0), channels], axis=1)
    return _spectrum(_remove(explained, tiles(picture, _TILE, _TILE // 2)[chosen]))


def texture_spectrum(painting: np.ndarray) -> np.ndarray:
    """Returns the same spectrum of all of a painting: what its strokes are like.

    Args:
        painting: `(height, width, 3)` in [0, 1].

    Returns:
        Vector as of `added_spectrum`.

    Raises:
        ValueError: A side is under 32 pixels.
    """
    values = luminance(painting)
    expect(min(values.shape) >= _TILE, f"sides of at least {_TILE} pixels", shape=values.shape)
    of_all = tiles(values, _TILE, _TILE // 2)
    return _spectrum(_remove(_plane()[None], of_all[_spread(np.arange(len(of_all)))]))


def hatching(results: Sequence[np.ndarray], paintings: Sequence[np.ndarray]) -> np.ndarray:
    """Returns how much more alike the results of one photograph are than their paintings.

    `mean over j != i of r(results[i], results[j]) - r(paintings[i], paintings[j])`, r being the
    correlation of two spectra. Strokes should come from the painting: two paintings have different
    ones, so have their results. A network that fills flat areas with its own pattern has the same
    in every style. It takes several styles to see that: one result alone may well be hatched
    because its painting is.

    Args:
        results: The `added_spectrum` of one photograph in each of at least two styles.
        paintings: The `texture_spectrum` of these styles.

    Returns:
        Array with a figure for each style, of at most 2. About 0 (-0.1 to 0.2) for results as
        different as their paintings, and for photographs: where nothing was added, r is 0. Above
        0.3 every style has the same strokes, and the eye sees it.

    Raises:
        ValueError: There are not as many results as paintings, or fewer than two.
    """
    fits = len(results) == len(paintings) >= 2
    expect(fits, "as many results as paintings", results=len(results), paintings=len(paintings))
    return _alikeness(results) - _alikeness(paintings)


def _alikeness(spectra):
    """The mean correlation of each spectrum with the others."""
    spectra = np.stack(spectra)
    spectra = spectra - spectra.mean(1, keepdims=True)
    spectra = spectra / np.maximum(np.linalg.norm(spectra, axis=1, keepdims=True), 1e-6)
    products = spectra @ spectra.T
    return (products.sum(1) - np.diag(products)) / (len(spectra) - 1)


def _plane():
    """A constant and two ramps, `(3, size, size)`."""
    ramp = np.linspace(-1, 1, _TILE)
    return np.stack([np.ones((_TILE, _TILE)), *np.meshgrid(ramp, ramp)])


def _spread(indices):
    """At most `_MAX_TILES` of these, evenly spread."""
    count = min(len(indices), _MAX_TILES)
    return indices[np.linspace(0, len(indices) - 1, count).round().astype(int)]


def _remove(explained, values):
    """Tiles `(n, size, size)` without what is linear in `explained`, `(n or 1, m, size, size)`."""
    basis = explained.reshape(*explained.shape[:2], -1)
    flat = values.reshape(len(values), 1, -1)
    weights = flat @ np.linalg.pinv(basis, rcond=1e-6)
    return (flat - weights @ basis).reshape(values.shape)


def _spectrum(values):
    window = np.outer(*[np.hanning(_TILE + 1)[:-1]] * 2)
    power = np.square(np.abs(np.fft.fft2(values * window)))
    log_power = np.log(power + (_INVISIBLE / 2 * window.sum()) ** 2).mean(0)
    y, x = np.meshgrid(*[np.fft.fftfreq(_TILE, 1 / _TILE)] * 2, indexing="ij")
    radius = np.hypot(y, x)
    half = ((y > 0) | ((y == 0) & (x > 0))) & (radius >= 2) & (radius <= _TILE / 2)
    x, y, radius = abs(x[half]), abs(y[half]), radius[half]
    smooth = np.vander(np.log(radius), 3)
    along_axes = smooth * ((x**2 - y**2) / radius**2)[:, None]  # cosine of twice the angle
    fall_off = np.column_stack([smooth, along_axes, x, x**2, y, y**2])
    return log_power[half] - fall_off @ np.linalg.lstsq(fall_off, log_power[half], rcond=None)[0]
