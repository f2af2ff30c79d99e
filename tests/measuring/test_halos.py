import numpy as np
import pytest

from stylegan_transfer.measuring.halos import find_ground, measure_halo

HEIGHT, WIDTH, EDGE = 128, 128, 30  # the photograph: dark to the left of a column, light beside it
STEP = 1 / 255
# The edge's luminance changes by more than .06 a pixel from column 28 to 31, with a blur of 1.
DISTANCE = np.maximum(np.arange(WIDTH) - 31, 0)
NEAR = (DISTANCE > 2) & (DISTANCE <= 16)
FAR = DISTANCE > 32


def photograph(dark=0.2, light=0.7):
    columns = np.where(np.arange(WIDTH) < EDGE, dark, light)
    return np.tile(columns[None, :, None], (HEIGHT, 1, 3))


def glow(height, decay=8.0):
    """Falls off from the edge on its light side."""
    return np.where(DISTANCE > 0, height * np.exp(-DISTANCE / decay), 0)


def texture(deviation, seed=0):
    return deviation * np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH, 1))


@pytest.mark.parametrize("height", [0.1, -0.1])
def test_a_glow_is_its_mean_difference_in_deviations_of_the_ground(height):
    added = glow(height)
    halo = measure_halo(photograph() + added[:, None], photograph())
    deviation = added[FAR].std()
    expected = abs(added[NEAR].mean() - added[FAR].mean()) / (deviation + 2 * STEP)
    np.testing.assert_allclose(halo.luminance, expected, rtol=0.05)
    assert halo.luminance > 3
    assert halo.gradient > 3


def test_a_glow_counts_less_on_rough_ground():
    added = glow(0.1)[:, None]
    figures = [
        measure_halo(photograph() + added + texture(deviation), photograph()).luminance
        for deviation in (0.02, 0.08)
    ]
    expected = glow(0.1)[NEAR].mean() / (np.array([0.02, 0.08]) + 2 * STEP)
    np.testing.assert_allclose(figures, expected, rtol=0.15)


def test_texture_that_knows_nothing_of_the_edges_has_no_halo():
    halo = measure_halo(photograph() + texture(0.05), photograph())
    assert halo.luminance < 0.1
    np.testing.assert_allclose(halo.gradient, 1, atol=0.15)


def test_a_photograph_in_any_colours_has_no_halo():
    content = photograph() + texture(0.002) + 0.1 * glow(1.0)[:, None]  # one that glows itself
    for result in (content, 1 - content, 0.5 * content, content[..., ::-1]):
        halo = measure_halo(result, content)
        np.testing.assert_allclose([halo.luminance, halo.gradient], [0, 1], atol=0.02)


def test_ground_that_was_found_before_gives_the_same_halo():
    result = photograph() + glow(0.1)[:, None]
    ground = find_ground(photograph())
    assert measure_halo(result, photograph(), ground) == measure_halo(result, photograph())
    assert measure_halo(result, photograph(), []) is None


def test_an_overshoot_of_either_sign_does_not_cancel():
    """Above, the ground is the light side of the edge and gets lighter; below, the dark side."""
    light, dark = photograph(0.2, 0.7), photograph(0.7, 0.2)
    content = np.concatenate([light, dark])
    added = glow(0.1)[:, None]
    halo = measure_halo(np.concatenate([light + added, dark - added]), content)
    assert halo.luminance > 0.5 * measure_halo(light + added, light).luminance


def test_without_edges_or_flat_ground_there_is_no_figure():
    flat = np.full((HEIGHT, WIDTH, 3), 0.5)
    assert measure_halo(flat, flat) is None
    noise = np.random.default_rng(0).random((HEIGHT, WIDTH, 3))
    assert measure_halo(flat, noise) is None


def test_a_result_of_another_size_is_refused():
    with pytest.raises(
        ValueError, match=r"Expected a result of its photograph's size.*picture=\(127, 128\)"
    ):
        measure_halo(photograph()[1:], photograph())
