import numpy as np
import pytest
from scipy.stats import binomtest

from stylegan_transfer.measuring.statistics import (
    bootstrap_interval,
    kernel_distance,
    value_at,
    wilson_interval,
)

# Sets of pictures.


def test_kernel_distance_is_the_mean_kernel_over_pairs_of_different_vectors():
    random = np.random.default_rng(0)
    first, second = random.normal(size=(5, 3)), random.normal(0.5, 1, (4, 3))

    def mean_kernel(xs, ys, skip_equal):
        pairs = [(x, y) for i, x in enumerate(xs) for j, y in enumerate(ys) if i != j or not skip]
        return np.mean([(np.dot(x, y) / 3 + 1) ** 3 for x, y in pairs])

    skip = True
    expected = mean_kernel(first, first, skip) + mean_kernel(second, second, skip)
    skip = False
    expected -= 2 * mean_kernel(first, second, skip)
    np.testing.assert_allclose(kernel_distance(first, second), expected, rtol=1e-10)


def test_kernel_distance_of_two_sets_of_one_distribution_is_zero_in_the_mean():
    random = np.random.default_rng(1)
    draws = [kernel_distance(*random.normal(size=(2, 6, 4))) for _ in range(3000)]
    assert abs(np.mean(draws)) < 4 * np.std(draws) / np.sqrt(len(draws))
    assert min(draws) < 0 < max(draws)


def test_kernel_distance_grows_with_the_shift_between_the_sets():
    first, second = np.random.default_rng(2).normal(size=(2, 200, 4))
    distances = [kernel_distance(first, second + shift) for shift in (0, 0.5, 1)]
    assert distances == sorted(distances)
    assert distances[2] > 1


@pytest.mark.parametrize("shapes", [((1, 3), (4, 3)), ((4, 3), (1, 3)), ((4, 3), (4, 2))])
def test_sets_that_kernel_distance_cannot_compare_are_refused(shapes):
    with pytest.raises(ValueError, match=r"Expected two sets of at least 2 .*first="):
        kernel_distance(*(np.zeros(shape) for shape in shapes))


# Bootstrap.


def test_the_interval_of_additive_effects_has_the_width_of_both_resamplings():
    random = np.random.default_rng(0)
    contents, styles = random.normal(size=60), random.normal(size=40)
    values = contents[:, None] + styles
    low, high = bootstrap_interval(values)
    deviation = np.sqrt(contents.var() / 60 + styles.var() / 40)
    np.testing.assert_allclose((low + high) / 2, values.mean(), atol=0.02)
    np.testing.assert_allclose(high - low, 2 * 1.96 * deviation, rtol=0.03)


def test_a_smaller_confidence_makes_a_narrower_interval_inside():
    values = np.random.default_rng(0).random((10, 12))
    low, high = bootstrap_interval(values)
    inner_low, inner_high = bootstrap_interval(values, confidence=0.5)
    assert low < inner_low < values.mean() < inner_high < high


def test_the_interval_of_equal_values_is_their_value():
    for shape in ((1, 1), (3, 1), (4, 5)):
        np.testing.assert_allclose(bootstrap_interval(np.full(shape, 0.7)), [0.7, 0.7])


def test_the_interval_is_the_same_for_one_seed_and_another_for_another():
    values = np.random.default_rng(0).random((5, 6))
    interval = bootstrap_interval(values, seed=3)
    assert all(type(bound) is float for bound in interval)
    assert bootstrap_interval(values, seed=3) == interval
    assert bootstrap_interval(values, seed=4) != interval


def test_values_that_are_no_matrix_are_refused():
    for values in (np.zeros(4), np.zeros((0, 3))):
        with pytest.raises(ValueError, match=r"Expected \(num_contents, num_styles\) values"):
            bootstrap_interval(values)


# Figures at an equal level of another.


def test_the_value_at_a_level_is_read_off_the_curve_of_the_means():
    along = np.multiply.outer([0, 1, 3], np.ones((2, 2))) + [[0, 0.2], [-0.2, 0]]
    values = np.multiply.outer([9, 5, 1], np.ones((2, 2))) + [[2, 0], [0, -2]]
    for level, expected in ((0, 9), (0.25, 8), (1, 5), (2, 3), (3, 1)):
        value, (low, high) = value_at(level, along[::-1], values[::-1])
        np.testing.assert_allclose(value, expected)
        assert low <= value <= high
    assert value_at(3.1, along, values) is None
    assert value_at(-0.1, along, values) is None


def test_the_interval_at_a_level_is_that_of_the_curves_shift():
    """`y = a + b - x` for each pair: at any x the value varies as the mean of `a + b` does."""
    random = np.random.default_rng(0)
    contents, styles = 0.1 * random.normal(size=(60, 1)), 0.1 * random.normal(size=40)
    along = np.multiply.outer(np.linspace(0, 1, 3), np.ones((60, 40)))
    values = contents + styles - along
    value, (low, high) = value_at(0.4, along, values)
    np.testing.assert_allclose(value, (contents + styles).mean() - 0.4)
    deviation = np.sqrt(contents.var() / 60 + styles.var() / 40)
    np.testing.assert_allclose(high - low, 2 * 1.96 * deviation, rtol=0.03)


def test_pairs_that_go_further_along_a_common_curve_leave_no_doubt():
    """Where all pairs lie on one line, resampling moves along it and not away from it."""
    along = np.random.default_rng(0).random((5, 6)) * np.linspace(0, 1, 3)[:, None, None]
    value, interval = value_at(0.3, along, 2 - 3 * along)
    np.testing.assert_allclose([value, *interval], 2 - 3 * 0.3)


def test_curves_that_do_not_fit_are_refused():
    for shapes in (((3, 2, 2), (3, 2, 1)), ((1, 2, 2),) * 2, ((3, 2),) * 2):
        with pytest.raises(ValueError, match="2 strengths or more. Received: along="):
            value_at(0.5, *map(np.zeros, shapes))


# Wins.


@pytest.mark.parametrize(("wins", "trials"), [(0, 1), (3, 3), (7, 20), (60, 100)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_of_wins_is_scipys(wins, trials, confidence):
    expected = binomtest(wins, trials).proportion_ci(confidence, method="wilson")
    actual = wilson_interval(wins, trials, confidence)
    np.testing.assert_allclose(actual, [expected.low, expected.high], atol=1e-12)


def test_without_trials_nothing_is_known_and_more_wins_than_trials_are_refused():
    assert wilson_interval(0, 0) == (0, 1)
    with pytest.raises(ValueError, match="Expected 0 to trials wins. Received: wins=3, trials=2"):
        wilson_interval(3, 2)
