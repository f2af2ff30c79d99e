import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from stylegan_transfer.discriminator import StyleDiscriminator


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
