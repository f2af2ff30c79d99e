import numpy as np
import pytest
from scipy.ndimage import uniform_filter
from skimage.feature import match_template
from skimage.metrics import structural_similarity

from stylegan_transfer import samples
from stylegan_transfer.measuring import figures

LUMINANCE = np.array([0.299, 0.587, 0.114])
WAVES = {2: 0.0, 4: 0.4, 8: 0.4}  # period: a phase, which at period 2 must not hit the zeros


def natural_picture(height=256, width=256, seed=0, contrast=0.2):
    """A grey picture with the 1/f spectrum of photographs, and 8 bits."""
    noise = np.random.default_rng(seed).standard_normal((height, width))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    values = np.fft.ifft2(np.fft.fft2(noise) / np.maximum(frequency, 1 / width)).real
    values = np.clip(0.5 + contrast * values / values.std(), 0, 1)
    return np.repeat(np.round(255 * values)[..., None] / 255, 3, axis=2).astype("float32")


def wave(size, period):
    return np.cos(2 * np.pi * np.arange(size) / period + WAVES[period])


def weave(height, width, period, amplitude=0.02):
    return amplitude * np.outer(wave(height, period), wave(width, period))[..., None]


def random_pictures(*sizes, seed=0):
    random = np.random.default_rng(seed)
    return [random.random((*size, 3), dtype="float32") for size in sizes]


# Pairs of pictures.


@pytest.mark.parametrize("size", [(11, 11), (40, 61)])
def test_ssim_is_that_of_scikit_image(size):
    first, second = random_pictures(size, size)
    second = np.clip(0.6 * first + 0.3 * second, 0, 1)
    expected = structural_similarity(
        first @ LUMINANCE,
        second @ LUMINANCE,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
    )
    actual = figures.ssim(first, second)
    assert type(actual) is float
    np.testing.assert_allclose(actual, expected, rtol=1e-4)


def test_ssim_of_equal_pictures_is_one_and_of_a_negative_is_below_zero():
    (picture,) = random_pictures((32, 32))
    np.testing.assert_allclose(figures.ssim(picture, picture), 1, rtol=1e-6)
    assert figures.ssim(picture, 1 - picture) < 0


def test_ssim_of_unequal_or_small_pictures_is_refused():
    first, second, small = random_pictures((16, 16), (16, 17), (10, 16))
    with pytest.raises(ValueError, match=r"Expected two pictures of one size.*\(16, 17\)"):
        figures.ssim(first, second)
    with pytest.raises(ValueError, match="at least 11 pixels"):
        figures.ssim(small, small)
    with pytest.raises(ValueError, match=r"Expected a picture \(height, width, 3\)"):
        figures.ssim(first[None], first[None])


def test_color_histogram_distance_is_zero_whatever_the_places():
    (picture,) = random_pictures((20, 30))
    moved = np.tile(picture[::-1, ::-1], (2, 1, 1))
    assert figures.color_histogram_distance(picture, moved) < 1e-7


def test_color_histogram_distance_of_colours_that_never_meet_is_one():
    black, white = np.zeros((8, 8, 3)), np.ones((9, 7, 3))
    assert figures.color_histogram_distance(black, white) == 1
    assert figures.color_histogram_distance(black, black + 0.12) == 0  # one of 8 bins
    assert figures.color_histogram_distance(black, black + 0.12, bins=16) == 1


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_color_histogram_distance_is_hellingers(share):
    red, mixed = np.zeros((2, 8, 8, 3))
    red[..., 0] = 1
    mixed[: round(8 * share), :, 0] = 1
    mixed[round(8 * share) :, :, 1] = 1  # overlap: sqrt(1 * share)
    distance = figures.color_histogram_distance(red, mixed)
    np.testing.assert_allclose(distance, np.sqrt(1 - np.sqrt(share)), rtol=1e-6)


def test_color_histogram_distance_sees_combinations_of_channels():
    first, second = np.zeros((2, 8, 8, 3))
    first[:4, :, :2] = 1  # yellow and black
    second[:4, :, 0] = second[4:, :, 1] = 1  # red and green: the same histogram in each channel
    assert figures.color_histogram_distance(first, second) == 1


# Patch correlation.


def test_patch_correlation_is_the_template_match_of_scikit_image():
    picture, other = natural_picture(48, 64, 1), natural_picture(56, 45, 2)
    first, second = (
        values - uniform_filter(values, 5, mode="mirror")
        for values in ((image @ LUMINANCE) for image in (picture, other))
    )
    best = [
        match_template(second, first[y : y + 16, x : x + 16]).max()
        for y in range(0, 48, 16)
        for x in range(0, 64, 16)
    ]
    for quantile in (0.5, 0.9):
        actual = figures.patch_correlation(picture, other, patch_size=16, quantile=quantile)
        np.testing.assert_allclose(actual, np.quantile(best, quantile), rtol=1e-6)


@pytest.fixture(scope="module")
def unrelated():
    return samples.draw_content("hills", 128), samples.draw_style("cubism", 160)


def test_patch_correlation_tells_a_pasted_region_from_unrelated_pictures(unrelated):
    picture, other = unrelated
    pasted = picture.copy()
    pasted[19:97, 37:111] = other[40:118, 70:144]
    assert figures.patch_correlation(picture, other) < 0.5
    assert figures.patch_correlation(pasted, other) > 0.9
    recoloured = np.clip(0.7 * pasted**1.2 + 0.1, 0, 1)
    assert figures.patch_correlation(recoloured, other) > 0.85


def test_patch_correlation_with_itself_is_one_and_never_more(unrelated):
    for picture in unrelated:
        correlation = figures.patch_correlation(picture, picture)
        assert 1 - 1e-9 < correlation <= 1


def test_patch_correlation_of_patches_without_detail_is_zero(unrelated):
    flat = np.full((64, 96, 3), 0.4)
    rounding = flat + np.random.default_rng(0).choice([0, 1 / 255], (64, 96, 1))
    ramp = np.repeat(np.outer(np.linspace(0, 1, 64), np.linspace(1, 0, 96))[..., None], 3, axis=2)
    for picture in (flat, rounding, ramp):
        for other in (flat, rounding, ramp, unrelated[0]):
            assert figures.patch_correlation(picture, other) == 0
            assert figures.patch_correlation(other, picture) == 0


def test_flat_patches_beside_others_are_left_out(unrelated):
    picture = unrelated[1][:64, :64].copy()
    picture[:, 28:] = 0.5
    assert figures.patch_correlation(picture, unrelated[1], quantile=0.0) > 0.6


def test_pictures_smaller_than_a_patch_are_refused():
    large, small = random_pictures((40, 40), (31, 40))
    for pair in ((large, small), (small, large)):
        with pytest.raises(ValueError, match=r"patch_size=32 pixels.*\(31, 40\)"):
            figures.patch_correlation(*pair)


# Grid artifacts.


@pytest.mark.parametrize("period", [2, 4, 8])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_faint_weave_is_found_at_its_period_and_no_other(period, seed):
    picture = natural_picture(seed=seed) + weave(256, 256, period)
    assert figures.grid_artifact_index(picture) > 4
    assert figures.grid_artifact_index(picture, periods=(period,)) > 4
    others = tuple({2, 4, 8} - {period})
    assert figures.grid_artifact_index(picture, periods=others) < 3


@pytest.mark.parametrize("period", [2, 4, 8])
@pytest.mark.parametrize("axis", [0, 1])
def test_faint_stripes_are_found_in_both_directions(period, axis):
    stripes = 0.02 * np.expand_dims(wave(256, period), (1 - axis, 2))
    assert figures.grid_artifact_index(natural_picture() + stripes, (period,)) > 4


@pytest.mark.parametrize("size", [(128, 128), (131, 200), (255, 300), (256, 256), (300, 389)])
def test_natural_pictures_and_noise_have_no_grid_at_any_size(size):
    indices = [figures.grid_artifact_index(natural_picture(*size, seed)) for seed in range(5)]
    assert np.median(indices) < 2.5
    assert max(indices) < 4
    noise = figures.grid_artifact_index(*random_pictures(size))
    assert 0.5 < noise < 4


@pytest.mark.parametrize("size", [128, 150])
def test_most_sample_photographs_have_no_grid(size):
    pictures = [samples.draw_content(name, size) for name in samples.CONTENT_NAMES]
    assert np.median([figures.grid_artifact_index(picture) for picture in pictures]) < 2.5


def test_weaves_of_other_periods_are_no_grid():
    waves = np.cos(2 * np.pi * np.arange(256) / 7)
    picture = natural_picture() + 0.05 * np.outer(waves, waves)[..., None]
    assert figures.grid_artifact_index(picture) < 3


def test_a_weave_in_the_sky_is_not_drowned_by_a_busy_foreground():
    sky, foreground = natural_picture(128, contrast=0.005), random_pictures((128, 256))[0]
    picture = np.concatenate([sky + weave(128, 256, 8, amplitude=0.006), foreground])
    assert figures.grid_artifact_index(picture) > 4
    assert figures.grid_artifact_index(np.concatenate([sky, foreground])) < 3


def test_stripes_are_found_on_a_steep_gradient():
    gradient = np.repeat(np.tile(np.linspace(0, 1, 256), (256, 1))[..., None], 3, axis=2)
    assert figures.grid_artifact_index(gradient) < 1.5
    stripes = 0.005 * wave(256, 8)[:, None]
    assert figures.grid_artifact_index(gradient + stripes) > 4


def test_the_grid_index_does_not_depend_on_brightness_and_contrast():
    picture = natural_picture() + weave(256, 256, 8, 0.05)
    index = figures.grid_artifact_index(picture)
    np.testing.assert_allclose(figures.grid_artifact_index(0.3 + 0.6 * picture), index, rtol=0.05)


def test_waves_that_nobody_sees_are_no_grid():
    flat = np.full((256, 256, 3), 0.3)
    indices = [figures.grid_artifact_index(flat + weave(256, 256, 2, a / 255)) for a in (0.05, 1)]
    assert indices[0] < 2
    assert indices[1] > 4


def test_the_grid_index_of_a_flat_picture_is_one():
    np.testing.assert_allclose(figures.grid_artifact_index(np.full((128, 130, 3), 0.3)), 1)


def test_pictures_too_small_for_the_grid_index_are_refused():
    with pytest.raises(ValueError, match=r"at least 128 pixels. Received: shape=\(127, 200\)"):
        figures.grid_artifact_index(*random_pictures((127, 200)))
