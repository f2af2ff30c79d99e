import numpy as np
import pytest
import tensorflow as tf
from feature_maps import make_maps
from keras import ops

from stylegan_transfer import losses

MAP_LOSSES = [losses.content_loss, losses.style_loss, losses.moments_loss]


def take(maps, sample):
    return {name: values[sample : sample + 1] for name, values in maps.items()}


def scaled(maps, factor):
    return {name: factor * values for name, values in maps.items()}


def numpy_gram(values):
    """G_ij = 1/(H W) sum over positions of F_i F_j, of one sample, in float64."""
    height, width, _ = values.shape
    return np.einsum("hwi,hwj->ij", *[values.astype("float64")] * 2) / (height * width)


def numpy_relative_losses(statistics, actual, expected):
    """The relative squared distance of any statistics: a list of samples of each layer."""
    return [
        np.sum((statistics(y) - statistics(s)) ** 2) / np.sum(statistics(s) ** 2)
        for layer in actual
        for y, s in zip(actual[layer], expected[layer], strict=True)
    ]


# Gram matrices and moments.


def test_gram_matrix_of_ones_is_ones_for_every_size():
    for height, width in ((1, 1), (3, 8)):
        gram = losses.gram_matrix(np.ones((2, height, width, 5), "float32"))
        np.testing.assert_allclose(gram, np.ones((2, 5, 5)), rtol=1e-6)


def test_gram_matrix_is_the_mean_product_of_channels():
    maps = make_maps(0)["relu1_1"]
    expected = [numpy_gram(sample) for sample in maps]
    np.testing.assert_allclose(losses.gram_matrix(maps), expected, rtol=1e-5)


def test_gram_matrix_does_not_depend_on_positions():
    maps = make_maps(0)["relu1_1"]
    rolled = np.roll(maps, (1, 2), axis=(1, 2))
    np.testing.assert_allclose(losses.gram_matrix(rolled), losses.gram_matrix(maps), rtol=1e-5)


def test_channel_moments_are_the_mean_and_standard_deviation():
    maps = make_maps(1)["relu1_1"]
    expected = np.stack([maps.mean((1, 2)), maps.std((1, 2))], axis=1)
    np.testing.assert_allclose(losses.channel_moments(maps), expected, rtol=1e-5)


def test_instance_normalized_maps_have_mean_zero_and_deviation_one():
    maps = 3.0 + 20.0 * make_maps(2)["relu1_1"]
    normalized = np.asarray(losses.instance_normalize(maps))
    np.testing.assert_allclose(normalized.mean((1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(normalized.std((1, 2)), 1, rtol=1e-5)


# Content loss.


def test_content_loss_is_the_squared_error_of_instance_normalized_maps():
    stylized, content = make_maps(0), make_maps(1)

    def normalize(values):
        variance = values.var((1, 2), keepdims=True)
        return (values - values.mean((1, 2), keepdims=True)) / np.sqrt(variance + 1e-5)

    expected = np.mean(
        [np.mean((normalize(stylized[k]) - normalize(content[k])) ** 2) for k in content]
    )
    np.testing.assert_allclose(losses.content_loss(stylized, content), expected, rtol=1e-5)


def test_content_loss_ignores_brightness_and_contrast_of_each_channel():
    stylized, content = make_maps(0), make_maps(1)
    changed = {
        name: values * np.linspace(0.5, 3, values.shape[-1], dtype="float32")
        + np.linspace(-2, 2, values.shape[-1], dtype="float32")
        for name, values in stylized.items()
    }
    np.testing.assert_allclose(
        losses.content_loss(changed, content), losses.content_loss(stylized, content), rtol=1e-4
    )


def test_content_loss_of_a_negative_is_four():
    content = make_maps(0)
    np.testing.assert_allclose(losses.content_loss(scaled(content, -1), content), 4, rtol=1e-4)


def test_content_loss_of_unrelated_maps_is_about_two():
    loss = losses.content_loss(make_maps(0, 4, 60, 60), make_maps(1, 4, 60, 60))
    np.testing.assert_allclose(loss, 2, rtol=0.05)


# Style and moments loss.


def test_style_loss_is_the_relative_distance_of_gram_matrices():
    stylized, style = make_maps(0), make_maps(1)
    expected = np.mean(numpy_relative_losses(numpy_gram, stylized, style))
    np.testing.assert_allclose(losses.style_loss(stylized, style), expected, rtol=1e-4)


def test_moments_loss_is_the_relative_distance_of_means_and_deviations():
    stylized, style = make_maps(0), make_maps(1)
    expected = np.mean(
        numpy_relative_losses(
            lambda values: np.stack([values.mean((0, 1)), values.std((0, 1))]), stylized, style
        )
    )
    np.testing.assert_allclose(losses.moments_loss(stylized, style), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("loss", "statistics"),
    [
        (losses.style_loss, numpy_gram),
        (losses.moments_loss, lambda m: np.stack([m.mean((0, 1)), np.sqrt(m.var((0, 1)) + 1e-6)])),
    ],
)
def test_without_normalization_per_sample_the_batchs_mean_norm_divides(loss, statistics):
    actual, expected = make_maps(0), make_maps(1)
    expected = {name: m * np.array([1, 3])[:, None, None, None] for name, m in expected.items()}
    means = []
    for name in actual:
        ours, theirs = ([statistics(m) for m in maps[name]] for maps in (actual, expected))
        distances = [np.sum((y - s) ** 2) for y, s in zip(ours, theirs, strict=True)]
        means.append(np.mean(distances) / np.mean([np.sum(s**2) for s in theirs]))
    np.testing.assert_allclose(loss(actual, expected, per_sample=False), np.mean(means), rtol=1e-4)


@pytest.mark.parametrize("loss", MAP_LOSSES)
def test_losses_are_zero_for_identical_maps(loss):
    assert float(loss(make_maps(0), make_maps(0))) == 0


def test_style_loss_is_one_for_a_black_result():
    style = make_maps(0)
    np.testing.assert_allclose(losses.style_loss(scaled(style, 0), style), 1, rtol=1e-5)


@pytest.mark.parametrize(("factor", "expected"), [(2, 9), (3, 64)])
def test_style_loss_of_scaled_maps_is_the_square_of_the_change_in_energy(factor, expected):
    style = make_maps(0)  # (factor^2 - 1)^2
    np.testing.assert_allclose(losses.style_loss(scaled(style, factor), style), expected, rtol=1e-4)


@pytest.mark.parametrize("loss", [losses.style_loss, losses.moments_loss])
@pytest.mark.parametrize("factor", [0.1, 30.0])
def test_relative_losses_ignore_a_common_scale(loss, factor):
    stylized, style = make_maps(0), make_maps(1)
    np.testing.assert_allclose(
        loss(scaled(stylized, factor), scaled(style, factor)), loss(stylized, style), rtol=1e-3
    )


def test_weak_and_strong_styles_of_a_batch_weigh_the_same():
    stylized, style = make_maps(0, batch=1), make_maps(1, batch=1)
    batch = [
        {name: np.concatenate([values, 10 * values]) for name, values in maps.items()}
        for maps in (stylized, style)
    ]
    np.testing.assert_allclose(
        losses.style_loss(*batch), losses.style_loss(stylized, style), rtol=1e-4
    )


@pytest.mark.parametrize("loss", MAP_LOSSES)
def test_loss_of_a_batch_is_the_mean_over_its_samples(loss):
    stylized, target = make_maps(0, batch=3), make_maps(1, batch=3)
    singles = [float(loss(take(stylized, i), take(target, i))) for i in range(3)]
    np.testing.assert_allclose(loss(stylized, target), np.mean(singles), rtol=1e-5)
    assert np.ptp(singles) > 1e-3


@pytest.mark.parametrize("loss", MAP_LOSSES)
def test_loss_is_the_mean_over_layers_whatever_their_order(loss):
    stylized, target = make_maps(0), make_maps(1)
    singles = [float(loss({name: stylized[name]}, {name: target[name]})) for name in target]
    backwards = dict(reversed(target.items()))
    np.testing.assert_allclose(loss(stylized, backwards), np.mean(singles), rtol=1e-5)


@pytest.mark.parametrize("loss", [losses.style_loss, losses.moments_loss])
def test_the_style_image_may_have_another_size(loss):
    stylized, style = make_maps(0), make_maps(1)
    tiled = {name: np.tile(values, (1, 2, 3, 1)) for name, values in style.items()}
    np.testing.assert_allclose(loss(stylized, tiled), loss(stylized, style), rtol=1e-4)


@pytest.mark.parametrize("loss", MAP_LOSSES)
@pytest.mark.parametrize("layers", [(), ("relu1_1",), ("relu1_1", "relu4_1")])
def test_maps_of_other_layers_are_refused(loss, layers):
    other = dict.fromkeys(layers, make_maps(1)["relu1_1"])
    with pytest.raises(ValueError, match=r"Expected maps of the same layers.*relu2_1"):
        loss(make_maps(0), other)
    with pytest.raises(ValueError, match="at least one"):
        loss({}, {})


# Identity and total variation.


def test_identity_loss_is_the_pixel_distance_plus_the_relative_distance_of_maps():
    random = np.random.default_rng(0)
    painted, images = random.random((2, 2, 8, 9, 3), dtype="float32")
    reconstructed, maps = make_maps(0), make_maps(1)
    expected = np.abs(painted - images).mean() + np.mean(
        numpy_relative_losses(lambda values: values, reconstructed, maps)
    )
    actual = losses.identity_loss(painted, images, reconstructed, maps)
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_identity_loss_is_zero_for_a_perfect_reconstruction():
    images = np.random.default_rng(0).random((2, 8, 9, 3), dtype="float32")
    assert float(losses.identity_loss(images, images, make_maps(0), make_maps(0))) == 0


def test_total_variation_of_a_ramp_is_its_slopes():
    y, x = np.mgrid[:7, :11].astype("float32")
    ramp = (0.01 * y - 0.03 * x)[None, :, :, None]
    np.testing.assert_allclose(losses.total_variation_loss(ramp), 0.04, rtol=1e-5)


def test_total_variation_is_the_mean_absolute_difference_of_neighbours():
    images = np.random.default_rng(0).random((2, 5, 9, 3), dtype="float32")
    expected = np.abs(np.diff(images, axis=1)).mean() + np.abs(np.diff(images, axis=2)).mean()
    np.testing.assert_allclose(losses.total_variation_loss(images), expected, rtol=1e-5)


def test_total_variation_of_a_flat_image_is_zero():
    assert float(losses.total_variation_loss(np.full((1, 4, 4, 3), 0.7, "float32"))) == 0


# Adversarial losses.


@pytest.fixture
def logits():
    return np.random.default_rng(0).normal(0, 2, (2, 3, 4, 4, 1)).astype("float32")


def test_hinge_losses_are_the_formulas(logits):
    real, fake = logits
    expected = 0.5 * (np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean())
    np.testing.assert_allclose(losses.discriminator_loss(real, fake), expected, rtol=1e-5)
    np.testing.assert_allclose(losses.adversarial_loss(fake), -fake.mean(), rtol=1e-5)


def test_cross_entropy_losses_are_the_formulas(logits):
    real, fake = logits
    probability = {"real": 1 / (1 + np.exp(-real)), "fake": 1 / (1 + np.exp(-fake))}
    expected = -0.5 * (np.log(probability["real"]).mean() + np.log(1 - probability["fake"]).mean())
    actual = losses.discriminator_loss(real, fake, "cross_entropy")
    np.testing.assert_allclose(actual, expected, rtol=1e-5)
    actual = losses.adversarial_loss(fake, "cross_entropy")
    np.testing.assert_allclose(actual, -np.log(probability["fake"]).mean(), rtol=1e-5)


def test_an_undecided_discriminator_pays_one_or_log_two():
    zeros = np.zeros((2, 4, 4, 1), "float32")
    np.testing.assert_allclose(losses.discriminator_loss(zeros, zeros, "hinge"), 1)
    for loss in (
        losses.discriminator_loss(zeros, zeros, "cross_entropy"),
        losses.adversarial_loss(zeros, "cross_entropy"),
    ):
        np.testing.assert_allclose(loss, np.log(2), rtol=1e-6)


def test_a_certain_discriminator_pays_nothing():
    certain = np.full((2, 4, 4, 1), 40.0, "float32")
    for kind in ("hinge", "cross_entropy"):
        assert float(losses.discriminator_loss(certain, -certain, kind)) < 1e-6


def test_cross_entropy_stays_finite_for_extreme_logits():
    extreme = np.full((1, 1), 1e4, "float32")
    wrong = losses.discriminator_loss(-extreme, extreme, "cross_entropy")
    np.testing.assert_allclose(wrong, 1e4, rtol=1e-5)


def test_unknown_kinds_are_refused(logits):
    real, fake = logits
    expected = "Expected kind .*Received: kind='wasserstein'"
    with pytest.raises(ValueError, match=expected):
        losses.discriminator_loss(real, fake, "wasserstein")
    with pytest.raises(ValueError, match=expected):
        losses.adversarial_loss(fake, "wasserstein")


# Numerical safety.


@pytest.mark.parametrize("loss", MAP_LOSSES)
@pytest.mark.parametrize("stylized_value", [0.0, 1.0, 50.0])
@pytest.mark.parametrize("target_value", [0.0, 1.0, None])
def test_gradients_are_finite_on_flat_maps(loss, stylized_value, target_value):
    stylized = tf.fill((1, 4, 4, 3), stylized_value)
    target = make_maps(0, 1, 4, 4, (3, 1))["relu1_1"]
    if target_value is not None:
        target = np.full_like(target, target_value)
    with tf.GradientTape() as tape:
        tape.watch(stylized)
        value = loss({"relu1_1": stylized}, {"relu1_1": target})
    assert np.isfinite(value)
    assert np.isfinite(tape.gradient(value, stylized)).all()


def test_image_gradients_are_finite_on_flat_images():
    image = tf.zeros((1, 8, 8, 3))
    with tf.GradientTape() as tape:
        tape.watch(image)
        maps = {"relu1_1": image}
        loss = losses.identity_loss(image, image, maps, maps) + losses.total_variation_loss(image)
    assert np.isfinite(tape.gradient(loss, image)).all()


def test_style_loss_moves_a_map_towards_the_style():
    stylized, style = tf.constant(make_maps(0)["relu1_1"]), {"relu1_1": make_maps(1)["relu1_1"]}
    with tf.GradientTape() as tape:
        tape.watch(stylized)
        before = losses.style_loss({"relu1_1": stylized}, style)
    step = stylized - 0.1 * tape.gradient(before, stylized)
    assert float(losses.style_loss({"relu1_1": step}, style)) < float(before)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_maps_give_a_float32_loss_that_does_not_overflow(dtype):
    large = {name: 100 + 300 * values for name, values in make_maps(0).items()}  # squares > 65504
    target = {name: 100 + 300 * values for name, values in make_maps(1).items()}
    half, half_target = (
        {name: ops.cast(values, dtype) for name, values in maps.items()} for maps in (large, target)
    )
    for loss in MAP_LOSSES:
        value = loss(half, half_target)
        assert value.dtype == "float32"
        np.testing.assert_allclose(value, loss(large, target), rtol=0.02)
    for statistics in (losses.gram_matrix, losses.channel_moments, losses.instance_normalize):
        value = statistics(half["relu1_1"])
        assert value.dtype == "float32"
        assert np.isfinite(value).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_images_and_logits_give_float32_losses(dtype):
    image = ops.cast(np.random.default_rng(0).random((1, 8, 8, 3), dtype="float32"), dtype)
    maps = {"relu1_1": ops.ones((1, 4, 4, 2), dtype)}
    logits = ops.full((1, 2, 2, 1), 3.0, dtype)
    for loss in (
        losses.total_variation_loss(image),
        losses.identity_loss(image, image, maps, maps),
        losses.adversarial_loss(logits),
        losses.discriminator_loss(logits, logits, "cross_entropy"),
    ):
        assert loss.dtype == "float32"
        assert np.isfinite(loss)
