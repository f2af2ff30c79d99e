"""The figures with which stylized pictures are judged.

They take two kinds of arguments. *Maps* are dicts `{"relu1_1": (batch, height, width, channels),
...}` as `VGG19Features` returns them; figures of maps are arrays with one number a sample.
*Pictures* are single images, `(height, width, 3)` in [0, 1]; their figures are floats.
"""

import numpy as np
import tensorflow as tf
from keras import ops

from stylegan_transfer import colors
from stylegan_transfer.losses import channel_moments, gram_matrix, instance_normalize

_EPSILON = 1e-6
_INVISIBLE = 0.1 / 255  # amplitude of a wave
_FLAT = 0.01  # standard deviation of luminance below which a patch shows noise and rounding only


def content_distances(stylized, content):
    """Returns the mean squared error of instance-normalized maps, for each layer and sample.

    Args:
        stylized: Dict of the stylized pictures' maps.
        content: Dict of the content pictures' maps, same layers and sizes.

    Returns:
        Dict of arrays `(batch,)`, whose mean is `losses.content_loss`: 0 for equal maps, about 2
        for unrelated ones.

    Raises:
        ValueError: The layers differ, or there is none.

    Reference:
        As `losses.content_loss`.
    """
    return _for_each_layer(
        lambda y, c: ops.mean(ops.square(instance_normalize(y) - instance_normalize(c)), (1, 2, 3)),
        stylized,
        content,
    )


def gram_distances(stylized, style):
    """Returns the relative squared distance of Gram matrices, for each layer and sample.

    Args:
        stylized: Dict of the stylized pictures' maps.
        style: Dict of the style pictures' maps, same layers; sizes may differ.

    Returns:
        Dict of arrays `(batch,)`, whose mean is `losses.style_loss`: 0 for equal matrices, 1 for
        a black result.

    Raises:
        ValueError: The layers differ, or there is none.

    Reference:
        As `losses.style_loss`.
    """
    return _for_each_layer(
        lambda y, s: _relative_distance(gram_matrix(y), gram_matrix(s)), stylized, style
    )


def moments_distances(stylized, style):
    """Returns the relative squared distance of channel moments, for each layer and sample.

    Args:
        stylized: Dict of the stylized pictures' maps.
        style: Dict of the style pictures' maps, same layers; sizes may differ.

    Returns:
        Dict of arrays `(batch,)`, whose mean is `losses.moments_loss`.

    Raises:
        ValueError: The layers differ, or there is none.

    Reference:
        As `losses.moments_loss`.
    """
    return _for_each_layer(
        lambda y, s: _relative_distance(channel_moments(y), channel_moments(s)), stylized, style
    )


def lpips_like_distance(first, second):
    """Returns the distance of maps scaled to length 1 at each position: LPIPS without its weights.

    `mean over layers and positions of ||F/|F| - G/|G|||^2`, lengths over channels. LPIPS proper
    weights the channels by what it learned from human judgements and sums over layers, so these
    figures are not comparable with published ones.

    Args:
        first: Dict of maps.
        second: Dict of maps, same layers and sizes.

    Returns:
        Array `(batch,)`, from 0 (equal) to 2 (no channel active in both).

    Raises:
        ValueError: The layers differ, or there is none.

    Reference:
        Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
        CVPR 2018, eq. 1.
    """

    def distance(f, g):
        f, g = ops.cast(f, "float32"), ops.cast(g, "float32")
        difference = ops.normalize(f, axis=-1) - ops.normalize(g, axis=-1)
        return ops.mean(ops.sum(ops.square(difference), axis=-1), (1, 2))

    return np.mean([*_for_each_layer(distance, first, second).values()], axis=0)


def moments_vectors(maps):
    """Returns each picture's channel means and deviations of all layers in one vector.

    Args:
        maps: Dict of maps.

    Returns:
        Array `(batch, 2 * total number of channels)`: what `kernel_distance` compares.
    """
    moments = [_to_numpy(channel_moments(values)) for values in maps.values()]
    return np.concatenate([m.reshape(len(m), -1) for m in moments], axis=1)


def kernel_distance(first, second):
    """Returns the unbiased squared maximum mean discrepancy of two sets of feature vectors.

    With the cubic kernel `k(x, y) = (x . y / d + 1)^3`. On Inception's features it is the KID;
    on `moments_vectors` it says whether results as a set look like the paintings as a set.

    Args:
        first: Array `(n, d)`, n at least 2.
        second: Array `(m, d)`, m at least 2.

    Returns:
        Float: 0 in the mean for two sets of the same distribution, so sometimes negative.

    Raises:
        ValueError: A set has fewer than 2 vectors, or the lengths differ.

    Reference:
        Gretton et al., "A Kernel Two-Sample Test", JMLR 2012, eq. 3 (the estimator); Binkowski
        et al., "Demystifying MMD GANs", ICLR 2018, section 4 (the kernel).
    """
    first, second = np.asarray(first, "float64"), np.asarray(second, "float64")
    if min(len(first), len(second)) < 2 or first.shape[1:] != second.shape[1:]:
        raise ValueError(
            "Expected two sets of at least 2 vectors of one length. "
            f"Received: first.shape={first.shape}, second.shape={second.shape}"
        )

    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1.0) ** 3

    def mean_of_pairs(x):  # of two different vectors: this is what makes the estimate unbiased
        values = kernel(x, x)
        return (values.sum() - np.trace(values)) / (len(x) * (len(x) - 1))

    return float(mean_of_pairs(first) + mean_of_pairs(second) - 2 * kernel(first, second).mean())


def style_retrieval(results, styles, labels):
    """Returns whether the nearest of all styles is the right one, for each result.

    The distance is that of `moments_distances`, mean over layers.

    Args:
        results: Dict of the maps of n results.
        styles: Dict of the maps of m styles, same layers; sizes may differ.
        labels: The index of the right style of each result, `(n,)`.

    Returns:
        Bool array `(n,)`; its mean is the top-1 rate, 1/m for chance.

    Raises:
        ValueError: The layers differ, or there is none.
    """

    def distances(y, s):
        y, s = (_to_numpy(channel_moments(values)) for values in (y, s))
        return _relative_distance(y[:, None], s[None])

    nearest = sum(_for_each_layer(distances, results, styles).values()).argmin(axis=1)
    return nearest == np.asarray(labels)


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

    Reference:
        Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity",
        IEEE Transactions on Image Processing 2004, eq. 13 and 17.
    """
    first, second = luminance(first), luminance(second)
    if first.shape != second.shape or min(first.shape) < 11:
        raise ValueError(
            "Expected two pictures of one size, sides of at least 11 pixels. "
            f"Received: {first.shape} and {second.shape}"
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
    power is a logarithmic mean over windowed tiles (Welch's method), in which each tile counts
    alike: a weave in the sky is not drowned by a busy foreground. Waves of less than a tenth of a
    step of 8 bits do not count: where a filter has removed nearly everything, a rest that nobody
    sees would stand out.

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

    For each patch of a grid, the largest normalised cross-correlation over all positions of the
    other picture; of these the 0.9-quantile, so that it answers "is some part of it taken from
    there?": a region pasted into a tenth of the picture gives about 1, where the mean would hide
    it. Compared is the luminance's detail (local mean removed), because two smooth gradients
    correlate perfectly whatever they show. Patches without detail are left out.

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
    if min(*picture.shape, *other.shape) < patch_size:
        raise ValueError(
            f"Expected pictures with sides of at least patch_size={patch_size} pixels. "
            f"Received: {picture.shape} and {other.shape}"
        )
    patches = _tiles(picture, patch_size, patch_size)
    patches = patches - patches.mean((1, 2), keepdims=True)
    patches = patches[patches.std((1, 2)) > _FLAT]
    if not len(patches):
        return 0.0
    return min(float(np.quantile(_best_correlations(patches, other), quantile)), 1.0)


def bootstrap_interval(values, confidence=0.95, num_resamples=10_000, seed=0):
    """Returns a confidence interval of the mean over contents and styles.

    Contents and styles are both resampled, since the figures of one row or column hang
    together: resampling single pairs would make the interval far too narrow.

    Args:
        values: A figure of each pair, `(num_contents, num_styles)`.
        confidence: Defaults to 0.95.
        num_resamples: Defaults to 10,000.
        seed: Defaults to 0.

    Returns:
        `(low, high)`: percentiles of the resampled means, floats.

    Raises:
        ValueError: `values` is no matrix.

    Reference:
        Owen, "The Pigeonhole Bootstrap", Annals of Applied Statistics 2007; Efron & Tibshirani,
        "An Introduction to the Bootstrap", 1993, section 13.3 (percentile interval).
    """
    values = np.asarray(values, "float64")
    if values.ndim != 2 or not values.size:
        raise ValueError(f"Expected (num_contents, num_styles) values. Received: {values.shape}")
    rng = np.random.default_rng(seed)
    rows, columns = (rng.multinomial(n, np.full(n, 1 / n), num_resamples) for n in values.shape)
    means = np.sum(rows @ values * columns, axis=1) / values.size
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def luminance(picture):
    """Returns the luminance of a picture, `(height, width)`, float64.

    Args:
        picture: `(height, width, 3)` in [0, 1].

    Raises:
        ValueError: For another shape.
    """
    picture = np.asarray(picture, "float64")
    if picture.ndim != 3 or picture.shape[-1] != 3:
        raise ValueError(f"Expected a picture (height, width, 3). Received: {picture.shape}")
    return colors.luminance(picture)


def _to_numpy(values):
    return ops.convert_to_numpy(values)


def _for_each_layer(figure, first, second):
    if first.keys() != second.keys() or not first:
        raise ValueError(
            "Expected maps of the same layers, at least one. Received: "
            f"layers {sorted(first)} and {sorted(second)}"
        )
    return {layer: _to_numpy(figure(first[layer], second[layer])) for layer in first}


def _relative_distance(actual, expected):
    """`||a - e||^2 / ||e||^2` over the last two axes; the others broadcast."""
    distance = ops.sum(ops.square(actual - expected), axis=(-2, -1))
    return distance / (ops.sum(ops.square(expected), axis=(-2, -1)) + _EPSILON)


def _tiles(values, size, step):
    tiles = np.lib.stride_tricks.sliding_window_view(values, (size, size))[::step, ::step]
    return tiles.reshape(-1, size, size)


def _mean_log_spectrum(values):
    """The logarithmic mean of the tiles' power spectra, `(size, size)`."""
    if min(values.shape) < 128:
        raise ValueError(f"Expected sides of at least 128 pixels. Received: {values.shape}")
    size = 128 if min(values.shape) >= 256 else 64  # nine tiles at least, or noise stands out
    window = np.outer(*[np.hanning(size + 1)[:-1]] * 2)
    tiles = _tiles(values, size, size // 2)
    tiles = (tiles - tiles.mean((1, 2), keepdims=True)) * window
    invisible = (_INVISIBLE / 2 * window.sum()) ** 2  # the power of a wave of this amplitude
    return np.log(np.square(np.abs(np.fft.fft2(tiles))) + invisible).mean(0)


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
