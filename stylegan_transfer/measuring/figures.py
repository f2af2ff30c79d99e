"""Figures of pictures.

*Pictures* are single images, `(height, width, 3)` in [0, 1]; their figures are floats.
"""

import numpy as np
import tensorflow as tf

from stylegan_transfer.checks import expect
from stylegan_transfer.pictures import colors

_INVISIBLE = 0.1 / 255  # amplitude of a wave
_FLAT = 0.01  # standard deviation of luminance below which a patch shows noise and rounding only


def ssim(first, second):
    """Returns the structural similarity of two pictures' luminance.

    Window: Gaussian of deviation 1.5, 11 pixels wide, where it lies fully inside.

    Args:
        first: Picture with sides of at least 11 pixels.
        second: Picture of the same size.

    Returns:
        Float of at most 1, which says equal; unrelated pictures have about 0 to 0.3.

    Raises:
        ValueError: The sizes differ, or are under 11 pixels.

    Example:
        >>> from stylegan_transfer import samples
        >>> from stylegan_transfer.measuring.figures import ssim
        >>> photograph = samples.draw_content("harbour", 64)
        >>> ssim(photograph, photograph), ssim(photograph, photograph[::-1]) < 0.5
        (1.0, True)

    Reference:
        Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity",
        IEEE Transactions on Image Processing 2004, eq. 13 and 17.
    """
    first, second = luminance(first), luminance(second)
    expect(
        first.shape == second.shape and min(first.shape) >= 11,
        "two pictures of one size, sides of at least 11 pixels",
        first=first.shape,
        second=second.shape,
    )
    pair = [values[..., None].astype("float32") for values in (first, second)]
    return float(tf.image.ssim(*pair, max_val=1.0))


def color_histogram_distance(first, second, bins=8):
    """Returns the Hellinger distance of two pictures' joint RGB histograms.

    `sqrt(1 - sum_i sqrt(p_i q_i))`: it sees which colours there are and how much of each, not
    where.

    Args:
        first: Picture.
        second: Picture; sizes may differ.
        bins: Bins a channel. Defaults to 8, which makes 512 colours.

    Returns:
        Float from 0 (equal histograms) to 1 (no colour in common).

    Example:
        >>> import numpy as np
        >>> from stylegan_transfer.measuring.figures import color_histogram_distance
        >>> black, white = np.zeros((8, 8, 3)), np.ones((8, 8, 3))
        >>> color_histogram_distance(black, white), color_histogram_distance(black, black)
        (1.0, 0.0)

    Reference:
        Comaniciu et al., "Kernel-Based Object Tracking", IEEE Transactions on Pattern Analysis
        and Machine Intelligence 2003, section 3.
    """

    def histogram(picture):
        pixels = np.reshape(picture, (-1, 3))
        return np.histogramdd(pixels, bins, range=[(0.0, 1.0)] * 3)[0] / len(pixels)

    overlap = np.sqrt(histogram(first) * histogram(second)).sum()
    return float(np.sqrt(max(1.0 - overlap, 0.0)))


def grid_artifact_index(picture, periods=(2, 4, 8)):
    """Returns how much a picture's spectrum stands out at the periods of strided networks.

    Strided and transposed convolutions leave weaves and checkerboards of exactly 2, 4 or 8
    pixels. The index is the power at such a frequency over that of its neighbours 2 to 4 bins
    away, the largest over the periods and over horizontal, vertical and diagonal waves. The
    power is a logarithmic mean over windowed tiles (Welch's method). Each tile counts alike, so
    that a busy foreground does not drown a weave in the sky. Waves of less than a tenth of a step
    of 8 bits do not count: where a filter has removed nearly everything, a rest that nobody sees
    would stand out.

    Args:
        picture: Picture with sides of at least 128 pixels; a faint weave wants 256.
        periods: In pixels, out of 2, 4 and 8.

    Returns:
        Float: 1 to 2 for most photographs, paintings and noise at every size, above 4 for a weave
        that can be seen. Content that itself repeats every 2, 4 or 8 pixels counts as well.

    Raises:
        ValueError: The picture is too small.

    Reference:
        Odena et al., "Deconvolution and Checkerboard Artifacts", Distill 2016; Welch, "The Use
        of Fast Fourier Transform for the Estimation of Power Spectra", 1967.
    """
    spectrum = _mean_log_spectrum(luminance(picture))
    return float(np.exp(max(_excess(spectrum, period) for period in periods)))


def patch_correlation(picture, other, patch_size=32, quantile=0.9):
    """Returns how well patches of one picture are found anywhere in another.

    Each patch of a grid has its largest normalised cross-correlation over all positions of the
    other picture. The figure is the 0.9-quantile of these. So it answers "is some part of it taken
    from there?": a region pasted into a tenth of the picture gives about 1, where the mean would
    hide it. It compares the luminance's detail (local mean removed), because two smooth gradients
    correlate perfectly whatever they show, and leaves out patches without detail.

    Args:
        picture: Picture whose patches are looked for.
        other: Picture in which they are looked for, of the same scale; sizes may differ.
        patch_size: In pixels. Defaults to 32.
        quantile: Of the patches' best correlations. Defaults to 0.9.

    Returns:
        Float from 0 to 1: about 0.2 to 0.6 for unrelated pictures, above 0.8 for a copy, even
        recoloured or compressed. 0 where no patch has detail.

    Raises:
        ValueError: A picture is smaller than a patch.

    Reference:
        Lewis, "Fast Normalized Cross-Correlation", 1995, eq. 2.
    """
    width = patch_size // 4 | 1
    picture, other = (_detail(luminance(image), width) for image in (picture, other))
    expect(
        min(*picture.shape, *other.shape) >= patch_size,
        f"pictures with sides of at least patch_size={patch_size} pixels",
        picture=picture.shape,
        other=other.shape,
    )
    patches = tiles(picture, patch_size, patch_size)
    patches = patches - patches.mean((1, 2), keepdims=True)
    patches = patches[patches.std((1, 2)) > _FLAT]
    if not len(patches):
        return 0.0
    return min(float(np.quantile(_best_correlations(patches, other), quantile)), 1.0)


def luminance(picture):
    """Returns the luminance of a picture, `(height, width)`, float64.

    Args:
        picture: `(height, width, 3)` in [0, 1].

    Raises:
        ValueError: For another shape.
    """
    picture = np.asarray(picture, "float64")
    is_rgb = picture.ndim == 3 and picture.shape[-1] == 3
    expect(is_rgb, "a picture (height, width, 3)", shape=picture.shape)
    return colors.luminance(picture)


def tiles(values, size, step):
    """Returns the tiles of a picture or of one channel, `(n, [channels,] size, size)`.

    Args:
        values: `(height, width[, channels])`.
        size: Side of a tile, in pixels.
        step: From one tile to the next, in pixels.
    """
    windows = np.lib.stride_tricks.sliding_window_view(values, (size, size), axis=(0, 1))
    return windows[::step, ::step].reshape(-1, *values.shape[2:], size, size)


def _mean_log_spectrum(values):
    """The logarithmic mean of the tiles' power spectra, `(size, size)`."""
    expect(min(values.shape) >= 128, "sides of at least 128 pixels", shape=values.shape)
    size = 128 if min(values.shape) >= 256 else 64  # nine tiles at least, or noise stands out
    window = np.outer(*[np.hanning(size + 1)[:-1]] * 2)
    parts = tiles(values, size, size // 2)
    parts = (parts - parts.mean((1, 2), keepdims=True)) * window
    invisible = (_INVISIBLE / 2 * window.sum()) ** 2  # the power of a wave of this amplitude
    return np.log(np.square(np.abs(np.fft.fft2(parts))) + invisible).mean(0)


def _excess(spectrum, period):
    """The largest excess of the log spectrum at the waves of this period over its neighbours."""
    size = len(spectrum)
    k = size // period
    offsets = np.array([-4, -3, -2, 2, 3, 4])  # the window's main lobe fills -1 to 1

    def excess(values, row):
        return values[row, k] - values[row, (k + offsets) % size].mean()

    diagonal = [excess(values, row) for values in (spectrum, spectrum.T) for row in (k, -k)]
    return max(excess(spectrum, 0), excess(spectrum.T, 0), np.mean(diagonal))


def _detail(values, width):
    """What remains without the mean over the square of this (odd) width around each pixel."""
    padded = np.pad(values, width // 2, mode="reflect")
    return values - _box_sums(padded, width) / width**2


def _box_sums(values, size):
    sums = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    return sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]


def _best_correlations(patches, other):
    """The largest correlation of each patch (its mean is 0) over all positions in `other`."""
    size = patches.shape[-1]
    variance = _box_sums(other**2, size) / size**2 - (_box_sums(other, size) / size**2) ** 2
    norm = size * np.sqrt(np.where(variance > _FLAT**2, variance, np.inf))
    shape = [-(-side // 16) * 16 for side in other.shape]  # a prime side takes five times as long
    spectrum, best = np.fft.rfft2(other, shape), []
    for patch in patches:  # all at once would take gigabytes for 512x512 pixels
        product = spectrum * np.conj(np.fft.rfft2(patch, shape))
        correlation = np.fft.irfft2(product, shape)[: norm.shape[0], : norm.shape[1]]
        best.append((correlation / norm).max() / np.linalg.norm(patch))
    return best
