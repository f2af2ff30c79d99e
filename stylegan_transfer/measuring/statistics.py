"""Statistics of sets: of feature vectors, and of figures over contents and styles."""

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
    rng = np.random.default_rng(seed)
    rows, columns = (rng.multinomial(n, np.full(n, 1 / n), num_resamples) for n in values.shape)
    means = np.sum(rows @ values * columns, axis=1) / values.size
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
