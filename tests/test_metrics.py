import numpy as np
import pytest
from feature_maps import make_maps
from keras import ops
from scipy.ndimage import uniform_filter
from skimage.feature import match_template
from skimage.metrics import structural_similarity

from stylegan_transfer import losses, metrics, samples

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


# Figures of maps.

PAIRS = [
    (metrics.content_distances, losses.content_loss),
    (metrics.gram_distances, losses.style_loss),
    (metrics.moments_distances, losses.moments_loss),
]


@pytest.mark.parametrize(("distances", "loss"), PAIRS)
def test_each_distance_is_the_loss_of_that_layer_and_sample_alone(distances, loss):
    stylized, target = make_maps(0, batch=3), make_maps(1, batch=3)
    figures = distances(stylized, target)
    assert figures.keys() == stylized.keys()
    for layer, values in figures.items():
        y, t = stylized[layer], target[layer]
        expected = [loss({layer: y[i : i + 1]}, {layer: t[i : i + 1]}) for i in range(3)]
        np.testing.assert_allclose(values, expected, rtol=1e-5)
        assert np.ptp(values) > 1e-3
    mean = np.mean([values.mean() for values in figures.values()])
    np.testing.assert_allclose(mean, loss(stylized, target), rtol=1e-5)


def test_gram_and_moments_distances_take_a_style_of_another_size():
    stylized, style = make_maps(0), make_maps(1)
    tiled = {layer: np.tile(values, (1, 2, 3, 1)) for layer, values in style.items()}
    for distances in (metrics.gram_distances, metrics.moments_distances):
        for layer, values in distances(stylized, tiled).items():
            np.testing.assert_allclose(values, distances(stylized, style)[layer], rtol=1e-4)


def test_lpips_like_distance_is_the_squared_distance_of_directions():
    first, second = make_maps(0, batch=3), make_maps(1, batch=3)
    layers = []
    for layer in first:
        f, g = (
            maps[layer] / np.maximum(np.linalg.norm(maps[layer], axis=-1, keepdims=True), 1e-12)
            for maps in (first, second)
        )
        layers.append(((f - g) ** 2).sum(-1).mean((1, 2)))
    actual = metrics.lpips_like_distance(first, second)
    assert actual.shape == (3,)
    np.testing.assert_allclose(actual, np.mean(layers, axis=0), rtol=1e-4)


def test_lpips_like_distance_ignores_how_strongly_each_position_responds():
    maps = make_maps(0)
    strength = np.random.default_rng(2).uniform(0.1, 9, (2, 6, 5, 1)).astype("float32")
    first = {"relu1_1": maps["relu1_1"]}
    distance = metrics.lpips_like_distance(first, {"relu1_1": strength * maps["relu1_1"]})
    np.testing.assert_allclose(distance, 0, atol=1e-6)


def test_lpips_like_distance_of_channels_that_never_meet_is_two():
    first, second = np.zeros((2, 1, 4, 4, 6), "float32")
    first[..., :3], second[..., 3:] = 5.0, 0.1
    distance = metrics.lpips_like_distance({"relu1_1": first}, {"relu1_1": second})
    np.testing.assert_allclose(distance, [2], rtol=1e-6)


@pytest.mark.parametrize(
    "figure", [*(distances for distances, _ in PAIRS), metrics.lpips_like_distance]
)
def test_half_precision_maps_give_the_figures_of_single_precision(figure):
    first, second = make_maps(0), make_maps(1)
    half = [
        {layer: ops.cast(100 * values, "float16") for layer, values in maps.items()}
        for maps in (first, second)
    ]
    actual, expected = figure(*half), figure(first, second)
    if not isinstance(actual, dict):
        actual, expected = {"all": actual}, {"all": expected}
    for layer, values in actual.items():
        np.testing.assert_allclose(values, expected[layer], rtol=0.02)


@pytest.mark.parametrize(
    "figure",
    [
        *(distances for distances, _ in PAIRS),
        metrics.lpips_like_distance,
        lambda first, second: metrics.style_retrieval(first, second, [0, 1]),
    ],
)
def test_maps_of_other_layers_are_refused(figure):
    with pytest.raises(ValueError, match=r"Expected maps of the same layers.*relu2_1"):
        figure(make_maps(0), {"relu1_1": make_maps(1)["relu1_1"]})
    with pytest.raises(ValueError, match="at least one"):
        figure({}, {})


def test_moments_vectors_are_the_means_and_deviations_of_all_layers():
    maps = make_maps(0, batch=3)
    expected = [m for v in maps.values() for m in (v.mean((1, 2)), v.std((1, 2)))]
    vectors = metrics.moments_vectors(maps)
    assert vectors.shape == (3, 2 * (4 + 7))
    np.testing.assert_allclose(vectors, np.concatenate(expected, axis=1), rtol=1e-4)


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
    np.testing.assert_allclose(metrics.kernel_distance(first, second), expected, rtol=1e-10)


def test_kernel_distance_of_two_sets_of_one_distribution_is_zero_in_the_mean():
    random = np.random.default_rng(1)
    draws = [metrics.kernel_distance(*random.normal(size=(2, 6, 4))) for _ in range(3000)]
    assert abs(np.mean(draws)) < 4 * np.std(draws) / np.sqrt(len(draws))
    assert min(draws) < 0 < max(draws)


def test_kernel_distance_grows_with_the_shift_between_the_sets():
    first, second = np.random.default_rng(2).normal(size=(2, 200, 4))
    distances = [metrics.kernel_distance(first, second + shift) for shift in (0, 0.5, 1)]
    assert distances == sorted(distances)
    assert distances[2] > 1


@pytest.mark.parametrize("shapes", [((1, 3), (4, 3)), ((4, 3), (1, 3)), ((4, 3), (4, 2))])
def test_sets_that_kernel_distance_cannot_compare_are_refused(shapes):
    with pytest.raises(ValueError, match=r"Expected two sets of at least 2 .*first.shape="):
        metrics.kernel_distance(*(np.zeros(shape) for shape in shapes))


def test_style_retrieval_finds_the_style_whose_statistics_a_result_has():
    styles = make_maps(0, batch=4)
    order = np.array([2, 0, 3])
    shuffled = {  # other positions, other size, a little noise
        layer: np.tile(values[order][:, ::-1], (1, 2, 1, 1)) * np.float32(1.01)
        for layer, values in styles.items()
    }
    right = metrics.style_retrieval(shuffled, styles, order)
    assert right.tolist() == [True, True, True]
    assert metrics.style_retrieval(shuffled, styles, [2, 1, 3]).tolist() == [True, False, True]


def test_style_retrieval_goes_by_the_distance_relative_to_the_style():
    result, weak, strong = 2.0, 1.0, 3.5  # |2 - 1| / 1 is more than |2 - 3.5| / 3.5
    styles = {"relu1_1": np.stack([np.full((4, 4, 3), v, "float32") for v in (weak, strong)])}
    results = {"relu1_1": np.full((1, 4, 4, 3), result, "float32")}
    assert metrics.style_retrieval(results, styles, [1]).tolist() == [True]


def test_style_retrieval_looks_at_every_layer():
    styles, other = make_maps(0, batch=2), make_maps(5, batch=2)
    swapped = {"relu1_1": styles["relu1_1"], "relu2_1": styles["relu2_1"][::-1]}
    only = {"relu1_1": swapped["relu1_1"], "relu2_1": other["relu2_1"][[0, 0]]}
    assert metrics.style_retrieval(only, styles, [0, 1]).all()
    for layer in styles:
        found = metrics.style_retrieval({layer: swapped[layer]}, {layer: styles[layer]}, [0, 1])
        assert found.all() == (layer == "relu1_1")


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
    actual = metrics.ssim(first, second)
    assert type(actual) is float
    np.testing.assert_allclose(actual, expected, rtol=1e-4)


def test_ssim_of_equal_pictures_is_one_and_of_a_negative_is_below_zero():
    (picture,) = random_pictures((32, 32))
    np.testing.assert_allclose(metrics.ssim(picture, picture), 1, rtol=1e-6)
    assert metrics.ssim(picture, 1 - picture) < 0


def test_ssim_of_unequal_or_small_pictures_is_refused():
    first, second, small = random_pictures((16, 16), (16, 17), (10, 16))
    with pytest.raises(ValueError, match=r"Expected two pictures of one size.*\(16, 17\)"):
        metrics.ssim(first, second)
    with pytest.raises(ValueError, match="at least 11 pixels"):
        metrics.ssim(small, small)
    with pytest.raises(ValueError, match=r"Expected a picture \(height, width, 3\)"):
        metrics.ssim(first[None], first[None])


def test_color_histogram_distance_is_zero_whatever_the_places():
    (picture,) = random_pictures((20, 30))
    moved = np.tile(picture[::-1, ::-1], (2, 1, 1))
    assert metrics.color_histogram_distance(picture, moved) < 1e-7


def test_color_histogram_distance_of_colours_that_never_meet_is_one():
    black, white = np.zeros((8, 8, 3)), np.ones((9, 7, 3))
    assert metrics.color_histogram_distance(black, white) == 1
    assert metrics.color_histogram_distance(black, black + 0.12) == 0  # one of 8 bins
    assert metrics.color_histogram_distance(black, black + 0.12, bins=16) == 1


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_color_histogram_distance_is_hellingers(share):
    red, mixed = np.zeros((2, 8, 8, 3))
    red[..., 0] = 1
    mixed[: round(8 * share), :, 0] = 1
    mixed[round(8 * share) :, :, 1] = 1  # overlap: sqrt(1 * share)
    distance = metrics.color_histogram_distance(red, mixed)
    np.testing.assert_allclose(distance, np.sqrt(1 - np.sqrt(share)), rtol=1e-6)


def test_color_histogram_distance_sees_combinations_of_channels():
    first, second = np.zeros((2, 8, 8, 3))
    first[:4, :, :2] = 1  # yellow and black
    second[:4, :, 0] = second[4:, :, 1] = 1  # red and green: the same histogram in each channel
    assert metrics.color_histogram_distance(first, second) == 1


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
        actual = metrics.patch_correlation(picture, other, patch_size=16, quantile=quantile)
        np.testing.assert_allclose(actual, np.quantile(best, quantile), rtol=1e-6)


@pytest.fixture(scope="module")
def unrelated():
    return samples.draw_content("hills", 128), samples.draw_style("cubism", 160)


def test_patch_correlation_tells_a_pasted_region_from_unrelated_pictures(unrelated):
    picture, other = unrelated
    pasted = picture.copy()
    pasted[19:97, 37:111] = other[40:118, 70:144]
    assert metrics.patch_correlation(picture, other) < 0.5
    assert metrics.patch_correlation(pasted, other) > 0.9
    recoloured = np.clip(0.7 * pasted**1.2 + 0.1, 0, 1)
    assert metrics.patch_correlation(recoloured, other) > 0.85


def test_patch_correlation_with_itself_is_one_and_never_more(unrelated):
    for picture in unrelated:
        correlation = metrics.patch_correlation(picture, picture)
        assert 1 - 1e-9 < correlation <= 1


def test_patch_correlation_of_patches_without_detail_is_zero(unrelated):
    flat = np.full((64, 96, 3), 0.4)
    rounding = flat + np.random.default_rng(0).choice([0, 1 / 255], (64, 96, 1))
    ramp = np.repeat(np.outer(np.linspace(0, 1, 64), np.linspace(1, 0, 96))[..., None], 3, axis=2)
    for picture in (flat, rounding, ramp):
        for other in (flat, rounding, ramp, unrelated[0]):
            assert metrics.patch_correlation(picture, other) == 0
            assert metrics.patch_correlation(other, picture) == 0


def test_flat_patches_beside_others_are_left_out(unrelated):
    picture = unrelated[1][:64, :64].copy()
    picture[:, 28:] = 0.5
    assert metrics.patch_correlation(picture, unrelated[1], quantile=0.0) > 0.6


def test_pictures_smaller_than_a_patch_are_refused():
    large, small = random_pictures((40, 40), (31, 40))
    for pair in ((large, small), (small, large)):
        with pytest.raises(ValueError, match=r"patch_size=32 pixels.*\(31, 40\)"):
            metrics.patch_correlation(*pair)


# Grid artifacts.


@pytest.mark.parametrize("period", [2, 4, 8])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_faint_weave_is_found_at_its_period_and_no_other(period, seed):
    picture = natural_picture(seed=seed) + weave(256, 256, period)
    assert metrics.grid_artifact_index(picture) > 4
    assert metrics.grid_artifact_index(picture, periods=(period,)) > 4
    others = tuple({2, 4, 8} - {period})
    assert metrics.grid_artifact_index(picture, periods=others) < 3


@pytest.mark.parametrize("period", [2, 4, 8])
@pytest.mark.parametrize("axis", [0, 1])
def test_faint_stripes_are_found_in_both_directions(period, axis):
    stripes = 0.02 * np.expand_dims(wave(256, period), (1 - axis, 2))
    assert metrics.grid_artifact_index(natural_picture() + stripes, (period,)) > 4


@pytest.mark.parametrize("size", [(128, 128), (131, 200), (255, 300), (256, 256), (300, 389)])
def test_natural_pictures_and_noise_have_no_grid_at_any_size(size):
    indices = [metrics.grid_artifact_index(natural_picture(*size, seed)) for seed in range(5)]
    assert np.median(indices) < 2.5
    assert max(indices) < 4
    noise = metrics.grid_artifact_index(*random_pictures(size))
    assert 0.5 < noise < 4


@pytest.mark.parametrize("size", [128, 150])
def test_most_sample_photographs_have_no_grid(size):
    pictures = [samples.draw_content(name, size) for name in samples.CONTENT_NAMES]
    assert np.median([metrics.grid_artifact_index(picture) for picture in pictures]) < 2.5


def test_weaves_of_other_periods_are_no_grid():
    waves = np.cos(2 * np.pi * np.arange(256) / 7)
    picture = natural_picture() + 0.05 * np.outer(waves, waves)[..., None]
    assert metrics.grid_artifact_index(picture) < 3


def test_a_weave_in_the_sky_is_not_drowned_by_a_busy_foreground():
    sky, foreground = natural_picture(128, contrast=0.005), random_pictures((128, 256))[0]
    picture = np.concatenate([sky + weave(128, 256, 8, amplitude=0.006), foreground])
    assert metrics.grid_artifact_index(picture) > 4
    assert metrics.grid_artifact_index(np.concatenate([sky, foreground])) < 3


def test_stripes_are_found_on_a_steep_gradient():
    gradient = np.repeat(np.tile(np.linspace(0, 1, 256), (256, 1))[..., None], 3, axis=2)
    assert metrics.grid_artifact_index(gradient) < 1.5
    stripes = 0.005 * wave(256, 8)[:, None]
    assert metrics.grid_artifact_index(gradient + stripes) > 4


def test_the_grid_index_does_not_depend_on_brightness_and_contrast():
    picture = natural_picture() + weave(256, 256, 8, 0.05)
    index = metrics.grid_artifact_index(picture)
    np.testing.assert_allclose(metrics.grid_artifact_index(0.3 + 0.6 * picture), index, rtol=0.05)


def test_waves_that_nobody_sees_are_no_grid():
    flat = np.full((256, 256, 3), 0.3)
    indices = [metrics.grid_artifact_index(flat + weave(256, 256, 2, a / 255)) for a in (0.05, 1)]
    assert indices[0] < 2
    assert indices[1] > 4


def test_the_grid_index_of_a_flat_picture_is_one():
    np.testing.assert_allclose(metrics.grid_artifact_index(np.full((128, 130, 3), 0.3)), 1)


def test_pictures_too_small_for_the_grid_index_are_refused():
    with pytest.raises(ValueError, match=r"at least 128 pixels. Received: \(127, 200\)"):
        metrics.grid_artifact_index(*random_pictures((127, 200)))


# Bootstrap.


def test_the_interval_of_additive_effects_has_the_width_of_both_resamplings():
    random = np.random.default_rng(0)
    contents, styles = random.normal(size=60), random.normal(size=40)
    values = contents[:, None] + styles
    low, high = metrics.bootstrap_interval(values)
    deviation = np.sqrt(contents.var() / 60 + styles.var() / 40)
    np.testing.assert_allclose((low + high) / 2, values.mean(), atol=0.02)
    np.testing.assert_allclose(high - low, 2 * 1.96 * deviation, rtol=0.03)


def test_a_smaller_confidence_makes_a_narrower_interval_inside():
    values = np.random.default_rng(0).random((10, 12))
    low, high = metrics.bootstrap_interval(values)
    inner_low, inner_high = metrics.bootstrap_interval(values, confidence=0.5)
    assert low < inner_low < values.mean() < inner_high < high


def test_the_interval_of_equal_values_is_their_value():
    for shape in ((1, 1), (3, 1), (4, 5)):
        np.testing.assert_allclose(metrics.bootstrap_interval(np.full(shape, 0.7)), [0.7, 0.7])


def test_the_interval_is_the_same_for_one_seed_and_another_for_another():
    values = np.random.default_rng(0).random((5, 6))
    interval = metrics.bootstrap_interval(values, seed=3)
    assert all(type(bound) is float for bound in interval)
    assert metrics.bootstrap_interval(values, seed=3) == interval
    assert metrics.bootstrap_interval(values, seed=4) != interval


def test_values_that_are_no_matrix_are_refused():
    for values in (np.zeros(4), np.zeros((0, 3))):
        with pytest.raises(ValueError, match=r"Expected \(num_contents, num_styles\) values"):
            metrics.bootstrap_interval(values)
