import keras
import numpy as np
import pytest
import tensorflow as tf
from channel_maps import make_maps
from keras import ops

from stylegan_transfer.networks.discriminator import SpectralConv2D, StyleDiscriminator


def make_images(seed, height=33, width=47, batch=2):
    return np.random.default_rng(seed).random((batch, height, width, 3), dtype="float32")


def make_discriminator():
    """A tiny discriminator after some power iterations, with biases as training makes them."""
    discriminator = StyleDiscriminator(widths=(4, 8, 6))
    random = np.random.default_rng(0)
    for weight in discriminator.trainable_variables:
        weight.assign(random.normal(0, 0.5, weight.shape))
    for _ in range(20):
        discriminator([make_images(0), make_images(1)], training=True)
    return discriminator


@pytest.fixture(scope="module")
def discriminator():
    return make_discriminator()


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 47), (40, 31), (64, 48)])
def test_there_is_one_logit_for_each_patch_of_eight_pixels(discriminator, height, width):
    images, style = make_images(0, height, width), make_images(1, 36, 41)
    logits = discriminator([images, style])
    assert logits.shape == (2, -(-height // 8), -(-width // 8), 1)
    assert logits.dtype == "float32"
    assert discriminator.compute_output_shape([images.shape, style.shape]) == logits.shape


def test_call_is_encoding_both_images_and_judging(discriminator):
    images, style = make_images(0), make_images(1, 40, 36)
    maps, style_maps = discriminator.encode(images), discriminator.encode(style)
    assert maps.shape == (2, 5, 6, 6)
    expected = discriminator.judge(maps, style_maps)
    np.testing.assert_array_equal(discriminator([images, style]), expected)


def test_logits_are_patch_logits_plus_the_projection_of_the_styles_moments(discriminator):
    random = np.random.default_rng(0)
    maps, style_maps = random.normal(0, 1, (2, 2, 5, 4, 6)).astype("float32")
    kernel = np.asarray(discriminator.patch_logits.kernel)[0, 0]
    patch = maps @ (kernel / np.linalg.norm(kernel)) + np.asarray(discriminator.patch_logits.bias)
    moments = np.concatenate([style_maps.mean((1, 2)), style_maps.std((1, 2))], axis=-1)
    direction = moments @ np.asarray(discriminator.projection.kernel) / np.sqrt(6)
    expected = patch + np.einsum("nhwc,nc->nhw", maps, direction)[..., None]
    np.testing.assert_allclose(
        discriminator.judge(maps, style_maps), expected, rtol=1e-4, atol=1e-4
    )


def test_the_condition_matters(discriminator):
    images = make_images(0)
    right, wrong = discriminator([images, images]), discriminator([images, 0.3 * make_images(1)])
    assert np.abs(right - wrong).max() > 1e-3


def test_without_the_condition_the_style_does_not_matter():
    discriminator = StyleDiscriminator(widths=(4, 8, 6), conditional=False)
    logits = discriminator([make_images(0), make_images(1)])
    np.testing.assert_array_equal(logits, discriminator([make_images(0), make_images(2)]))
    assert logits.shape == (2, 5, 6, 1)
    restored = StyleDiscriminator.from_config(discriminator.get_config())
    assert len(restored.weights) == len(discriminator.weights) == 12


def test_the_condition_holds_no_places(discriminator):
    maps, style_maps = discriminator.encode(make_images(0)), discriminator.encode(make_images(1))
    rolled = ops.roll(style_maps, (2, 3), axis=(1, 2))
    expected = discriminator.judge(maps, style_maps)
    np.testing.assert_allclose(discriminator.judge(maps, rolled), expected, rtol=1e-4, atol=1e-5)


def test_logits_of_a_batch_are_those_of_its_images(discriminator):
    images, style = make_images(0), make_images(1)
    singles = [discriminator([images[i : i + 1], style[i : i + 1]]) for i in range(2)]
    np.testing.assert_allclose(
        discriminator([images, style]), np.concatenate(singles), rtol=1e-4, atol=1e-5
    )


def test_a_convolution_makes_no_image_difference_larger(discriminator):
    kernel = np.asarray(discriminator.convs[0].kernel)
    images = make_images(0)
    maps = discriminator.convs[0](images) - discriminator.convs[0].bias
    normalized = kernel / np.linalg.svd(kernel.reshape(-1, 4), compute_uv=False)[0]
    np.testing.assert_allclose(
        maps, tf.nn.conv2d(images, normalized, 2, "SAME"), rtol=1e-2, atol=1e-3
    )


def test_only_training_moves_the_singular_vectors():
    discriminator = StyleDiscriminator(widths=(4, 8))
    vectors = [conv.singular_vector for conv in (*discriminator.convs, discriminator.patch_logits)]
    before = [np.asarray(vector) for vector in vectors]
    discriminator([make_images(0), make_images(1)])
    for old, vector in zip(before, vectors, strict=True):
        np.testing.assert_array_equal(vector, old)
    discriminator([make_images(0), make_images(1)], training=True)
    for old, vector in zip(before, vectors, strict=True):
        assert np.abs(np.asarray(vector) - old).max() > 1e-3
    assert len(discriminator.non_trainable_variables) == len(vectors)


def test_gradients_are_finite_on_flat_images_and_reach_every_weight_and_both_images():
    discriminator = make_discriminator()
    flat = (tf.fill((1, 32, 32, 3), 0.7), tf.fill((1, 32, 32, 3), 0.2))
    for inputs in (flat, tuple(tf.constant(make_images(seed)) for seed in (0, 1))):
        weights = [weight.value for weight in discriminator.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = ops.mean(discriminator(list(inputs), training=True))
        for gradient in tape.gradient(loss, [*weights, *inputs]):
            assert np.isfinite(gradient).all()
            assert np.abs(gradient).max() > 0


def test_it_learns_to_tell_a_style_from_another():
    """Bright stripes match bright stripes, dark ones dark ones: no image is real by itself."""
    bright, dark = np.full((2, 1, 32, 32, 3), 0.2, "float32")
    bright[:, ::4] = 1.0
    images, styles = (
        np.concatenate([bright, dark] * 2),
        np.concatenate([bright, dark, dark, bright]),
    )
    sign = np.array([1.0, 1.0, -1.0, -1.0], "float32")[:, None, None, None]
    discriminator = StyleDiscriminator(widths=(4, 8))
    optimizer = keras.optimizers.Adam(0.02)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            logits = discriminator([images, styles], training=True)
            loss = ops.mean(ops.relu(1.0 - sign * logits))
        weights = discriminator.trainable_variables
        optimizer.apply(tape.gradient(loss, [w.value for w in weights]), weights)

    for _ in range(200):
        step()
    logits = np.asarray(discriminator([images, styles])).mean((1, 2, 3))
    assert (np.sign(logits) == sign.ravel()).all()


def test_a_discriminator_is_restored_from_its_config():
    discriminator = StyleDiscriminator(widths=[4, 8, 6])
    restored = StyleDiscriminator.from_config(discriminator.get_config())
    assert restored.get_config() == {"widths": (4, 8, 6), "conditional": True}
    assert [w.shape for w in restored.weights] == [w.shape for w in discriminator.weights]


def test_a_saved_discriminator_is_loaded_with_its_singular_vectors(tmp_path, discriminator):
    discriminator.save(tmp_path / "discriminator.keras")
    loaded = keras.models.load_model(tmp_path / "discriminator.keras")
    inputs = [make_images(0), make_images(1)]
    np.testing.assert_array_equal(loaded(inputs), discriminator(inputs))
    for weight, original in zip(loaded.weights, discriminator.weights, strict=True):
        np.testing.assert_array_equal(weight, original)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_gives_nearly_the_same_float32_logits(discriminator, policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        mixed = StyleDiscriminator(widths=(4, 8, 6))
    finally:
        keras.config.set_dtype_policy(before)
    mixed.set_weights(discriminator.get_weights())
    inputs = [make_images(0), make_images(1)]
    logits = mixed(inputs)
    assert logits.dtype == "float32"
    np.testing.assert_allclose(logits, discriminator(inputs), atol=0.05)


# Spectral normalization.


def largest_singular_value(kernel):
    return np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]


@pytest.fixture
def spectral():
    conv = SpectralConv2D(6, 3, strides=2, padding="same")
    conv(np.zeros((1, 8, 8, 2), "float32"))
    conv.kernel.assign(np.random.default_rng(0).normal(0, 3, conv.kernel.shape))
    conv.bias.assign(np.arange(6))
    return conv


def train(conv, times=100):
    for _ in range(times):
        conv(np.zeros((1, 8, 8, 2), "float32"), training=True)


def test_spectral_conv_divides_the_kernel_by_its_largest_singular_value(spectral):
    train(spectral)
    images = make_maps(0, (2, 9, 8, 2))
    kernel = np.asarray(spectral.kernel)
    normalized = kernel / largest_singular_value(kernel)
    expected = tf.nn.conv2d(images, normalized, 2, "SAME") + np.arange(6)
    np.testing.assert_allclose(spectral(images), expected, rtol=1e-3, atol=1e-3)
    assert largest_singular_value(kernel) > 3


def test_spectral_conv_does_not_depend_on_the_scale_of_its_kernel(spectral):
    train(spectral)
    images = make_maps(0, (2, 8, 8, 2))
    before = spectral(images)
    spectral.kernel.assign(7 * spectral.kernel)
    np.testing.assert_allclose(spectral(images), before, rtol=1e-3, atol=1e-3)


def test_spectral_conv_changes_no_state_outside_training(spectral):
    before = spectral.get_weights()
    spectral(make_maps(0, (2, 8, 8, 2)))
    spectral(make_maps(0, (2, 8, 8, 2)), training=False)
    for old, new in zip(before, spectral.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_spectral_conv_updates_its_vector_and_not_its_kernel_in_training(spectral):
    kernel, vector = np.asarray(spectral.kernel), np.asarray(spectral.singular_vector)
    train(spectral, times=1)
    np.testing.assert_array_equal(spectral.kernel, kernel)
    assert np.abs(np.asarray(spectral.singular_vector) - vector).max() > 0.01
    assert [v.path for v in spectral.trainable_variables] == [
        spectral.kernel.path,
        spectral.bias.path,
    ]


def test_gradient_of_the_spectral_conv_sees_the_division(spectral):
    train(spectral)
    with tf.GradientTape() as tape:
        loss = ops.sum(ops.square(spectral(make_maps(0, (2, 8, 8, 2)))))
    gradient = np.asarray(tape.gradient(loss, spectral.kernel.value))
    assert np.abs(gradient).max() > 0.1
    # The output ignores the kernel's scale, so that a step along the kernel changes nothing.
    cosine = np.sum(gradient * np.asarray(spectral.kernel)) / (
        np.linalg.norm(gradient) * np.linalg.norm(spectral.kernel)
    )
    assert abs(cosine) < 1e-3


def test_gradient_of_the_spectral_conv_takes_the_singular_vectors_as_constants():
    random = np.random.default_rng(0)
    images, weights = random.normal(0, 1, (7, 1, 1, 4)), random.normal(0, 1, (7, 1, 1, 6))
    conv = SpectralConv2D(6, 1)
    conv.build((None, None, None, 4))
    matrix = random.normal(0, 1, (4, 6))
    conv.kernel.assign(matrix[None, None])
    with tf.GradientTape() as tape:
        loss = ops.sum(conv(images.astype("float32")) * weights)
    left = matrix @ np.asarray(conv.singular_vector)[0]
    left /= np.linalg.norm(left)
    right = left @ matrix / np.linalg.norm(left @ matrix)
    sigma = left @ matrix @ right
    inner = images[:, 0, 0].T @ weights[:, 0, 0]  # the gradient of a plain convolution
    expected = inner / sigma - np.sum(inner * matrix) / sigma**2 * np.outer(left, right)
    actual = tape.gradient(loss, conv.kernel.value)[0, 0]
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3)
