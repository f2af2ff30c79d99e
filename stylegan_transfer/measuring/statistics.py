"""Statistics of sets: of feature vectors, and of figures over contents and styles."""

from statistics import NormalDist

import numpy as np

from stylegan_transfer.checks import expect


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
    expect(
        min(len(first), len(second)) >= 2 and first.shape[1:] == second.shape[1:],
        "two sets of at least 2 vectors of one length",
        first=first.shape,
        second=second.shape,
    )

    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1.0) ** 3

    def mean_of_pairs(x):  # of two different vectors: this is what makes the estimate unbiased
        values = kernel(x, x)
        return (values.sum() - np.trace(values)) / (len(x) * (len(x) - 1))

    return float(mean_of_pairs(first) + mean_of_pairs(second) - 2 * kernel(first, second).mean())


def bootstrap_interval(values, confidence=0.95, num_resamples=10_000, seed=0):
    """Returns a confidence interval of the mean over contents and styles.

    It resamples both contents and styles, since the figures of one row or column hang together:
    resampling single pairs would make the interval far too narrow.

    Args:
        values: A figure of each pair, `(num_contents, num_styles)`.
        confidence: Defaults to 0.95.
        num_resamples: Defaults to 10,000.
        seed: Defaults to 0.

    Returns:
        `(low, high)`: percentiles of the resampled means, floats.

    Raises:
        ValueError: `values` is no matrix.

    Example:
        >>> import numpy as np
        >>> from stylegan_transfer.measuring.statistics import bootstrap_interval
        >>> values = np.random.default_rng(0).normal(0.5, 0.1, size=(7, 3))
        >>> low, high = bootstrap_interval(values)
        >>> print(low < values.mean() < high)
        True

    Reference:
        Owen, "The Pigeonhole Bootstrap", Annals of Applied Statistics 2007; Efron & Tibshirani,
        "An Introduction to the Bootstrap", 1993, section 13.3 (percentile interval).
    """
    values = np.asarray(values, "float64")
    is_matrix = values.ndim == 2 and values.size
    expect(is_matrix, "(num_contents, num_styles) values", shape=values.shape)
    return _percentiles(_resampled_means([values], num_resamples, seed)[0], confidence)


def value_at(level, along, values, confidence=0.95, num_resamples=10_000, seed=0):
    """Returns one figure of a generator where another one has a given level, and its interval.

    A generator that changes less keeps more of the content and meets less of the style, so two are
    compared at equal content distance, or at equal style distance. Its strengths make a curve of
    the two means; the figure is read off it, linearly between the strengths. For the interval
    contents and styles are resampled as in `bootstrap_interval`, and each resample has a curve of
    its own; one that ends before the level is prolonged straight on.

    Args:
        level: The level of `along`.
        along: The figure that is to be equal, `(num_strengths, num_contents, num_styles)`.
        values: The figure that is compared, of the same shape.
        confidence: Defaults to 0.95.
        num_resamples: Defaults to 10,000.
        seed: Defaults to 0.

    Returns:
        `(value, (low, high))`, or None where the curve of the means does not reach the level.

    Raises:
        ValueError: The shapes differ, or there are fewer than two strengths.
    """
    along, values = np.asarray(along, "float64"), np.asarray(values, "float64")
    expect(
        along.shape == values.shape and along.ndim == 3 and len(along) >= 2 and along.size,
        "two arrays (num_strengths, num_contents, num_styles), 2 strengths or more",
        along=along.shape,
        values=values.shape,
    )
    means = along.mean((1, 2))
    if not means.min() <= level <= means.max():
        return None
    value = _interpolate(level, means[None], values.mean((1, 2))[None])[0]
    curves = _resampled_means([*along, *values], num_resamples, seed).T
    resampled = _interpolate(level, *np.split(curves, 2, axis=1))
    return float(value), _percentiles(resampled, confidence)


def wilson_interval(wins, trials, confidence=0.95):
    """Returns a confidence interval of the probability of winning.

    Wilson's: unlike `p +- z sqrt(p (1 - p) / n)` it stays between 0 and 1, and holds for few trials
    and for none lost.

    Args:
        wins: Number of trials that were won.
        trials: Number of trials.
        confidence: Defaults to 0.95.

    Returns:
        `(low, high)`, floats; `(0, 1)` where there was no trial.

    Raises:
        ValueError: There are more wins than trials, or fewer than none.

    Example:
        >>> from stylegan_transfer.measuring.statistics import wilson_interval
        >>> print("{:.2f} to {:.2f}".format(*wilson_interval(15, 20)))
        0.53 to 0.89

    Reference:
        Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of
        the American Statistical Association 1927.
    """
    expect(0 <= wins <= trials, "0 to trials wins", wins=wins, trials=trials)
    if not trials:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, extra = wins / trials, z**2 / trials
    middle = (share + extra / 2) / (1 + extra)
    width = (extra * (share * (1 - share) + extra / 4)) ** 0.5 / (1 + extra)
    return max(middle - width, 0.0), min(middle + width, 1.0)


def _resampled_means(matrices, num_resamples, seed):
    """Each matrix's means over the same resampled rows and columns, `(matrices, num_resamples)`."""
    rng = np.random.default_rng(seed)
    rows, columns = (
        rng.multinomial(n, np.full(n, 1 / n), num_resamples) / n for n in matrices[0].shape
    )
    return np.stack([np.sum(rows @ matrix * columns, axis=1) for matrix in matrices])


def _percentiles(means, confidence):
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _interpolate(level, xs, ys):
    """The height of each row's curve at the level, beyond its ends straight on."""
    order = np.argsort(xs, axis=1)
    xs, ys = (np.take_along_axis(values, order, axis=1) for values in (xs, ys))
    end = np.clip(np.sum(xs < level, axis=1), 1, xs.shape[1] - 1)[:, None]
    (x0, x1), (y0, y1) = (
        [np.take_along_axis(values, index, axis=1)[:, 0] for index in (end - 1, end)]
        for values in (xs, ys)
    )
    return y0 + (y1 - y0) * (level - x0) / np.maximum(x1 - x0, 1e-12)
