import numpy as np
import pytest
from channel_maps import make_maps, randomize
from keras import ops

from stylegan_transfer.losses import instance_moments
from stylegan_transfer.networks import normalization


def numpy_normalize(maps):
    mean, variance = maps.mean((1, 2), keepdims=True), maps.var((1, 2), keepdims=True)
    return (maps - mean) / np.sqrt(variance + normalization.EPSILON)


# Statistics.


def test_instance_moments_are_mean_and_variance_over_positions():
    maps = make_maps(0)
    expected = np.stack([maps.mean((1, 2)), maps.var((1, 2))], axis=1)
    np.testing.assert_allclose(instance_moments(maps), expected, rtol=1e-4)


def test_instance_moments_of_half_precision_maps_do_not_overflow():
    maps = ops.cast(1000 * make_maps(0), "float16")
    moments = instance_moments(maps)
    assert moments.dtype == "float32"
    expected = np.asarray(maps, "float32").var((1, 2))
    assert expected.max() > 65504
    np.testing.assert_allclose(moments[:, 1], expected, rtol=1e-4)


def test_rescale_is_normalization_then_scale_then_shift():
    maps, scale, shift = make_maps(0), make_maps(1), make_maps(2)
    actual = normalization.rescale(maps, instance_moments(maps), scale, shift)
    np.testing.assert_allclose(actual, numpy_normalize(maps) * scale + shift, rtol=1e-4, atol=1e-3)


def test_rescale_keeps_the_precision_of_the_maps():
    maps = ops.cast(make_maps(0), "float16")
    actual = normalization.rescale(maps, instance_moments(maps), 1.0, 0.0)
    assert actual.dtype == "float16"
    np.testing.assert_allclose(actual, numpy_normalize(make_maps(0)), atol=0.02)


def test_adaptive_instance_normalization_gives_the_styles_moments():
    content, style = make_maps(0, (2, 8, 6, 5)), 3.0 - make_maps(1, (2, 4, 9, 5))
    moments = instance_moments(style)
    actual = np.asarray(normalization.adaptive_instance_normalization(content, moments))
    np.testing.assert_allclose(instance_moments(actual), moments, rtol=1e-4)
    np.testing.assert_allclose(numpy_normalize(actual), numpy_normalize(content), atol=1e-4)


def test_adaptive_instance_normalization_with_its_own_moments_changes_nothing():
    content = make_maps(0)
    actual = normalization.adaptive_instance_normalization(content, instance_moments(content))
    np.testing.assert_allclose(actual, content, rtol=1e-4, atol=1e-4)


# Normalization.


def test_instance_normalization_scales_and_shifts_normalized_channels():
    maps, norm = make_maps(0), normalization.InstanceNormalization()
    norm.build(maps.shape)
    np.testing.assert_allclose(norm(maps)[0], numpy_normalize(maps), atol=1e-4)
    scale, shift = randomize(norm).get_weights()
    np.testing.assert_allclose(norm(maps)[0], numpy_normalize(maps) * scale + shift, atol=1e-4)


def test_instance_normalization_uses_given_moments():
    maps, norm = make_maps(0), normalization.InstanceNormalization()
    _, moments = norm(maps)
    np.testing.assert_allclose(moments, instance_moments(maps))
    given = ops.convert_to_tensor(np.stack([np.ones((2, 5)), np.full((2, 5), 4)], 1), "float32")
    outputs, used = norm(maps, moments=given)
    np.testing.assert_allclose(outputs, (maps - 1) / 2, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(used, given)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_given_moments_stay_float32_in_mixed_precision(policy):
    maps = ops.cast(make_maps(0), policy.removeprefix("mixed_"))
    large = ops.full((2, 2, 5), 1e6)  # inf in float16
    for norm, code in (
        (normalization.InstanceNormalization(dtype=policy), []),
        (normalization.ModulatedNormalization(dtype=policy), [ops.ones((2, 4))]),
    ):
        outputs, used = norm(maps, *code, moments=large)
        assert outputs.dtype == maps.dtype
        assert used.dtype == "float32"
        np.testing.assert_array_equal(used, large)
        assert np.isfinite(outputs).all()


@pytest.fixture
def modulated():
    norm = normalization.ModulatedNormalization()
    norm.build((None, None, None, 5), (None, 4))
    return norm


@pytest.fixture
def codes():
    return np.random.default_rng(3).normal(0, 1, (2, 3, 4)).astype("float32")  # three styles


def test_modulated_normalization_without_affine_is_plain_instance_normalization(modulated, codes):
    modulated.affine.kernel.assign(ops.zeros((4, 10)))
    outputs, moments = modulated(make_maps(0), codes[:, 0])
    np.testing.assert_allclose(outputs, numpy_normalize(make_maps(0)), atol=1e-4)
    np.testing.assert_allclose(moments, instance_moments(make_maps(0)))


def test_modulated_normalization_takes_scale_and_shift_from_the_code(modulated, codes):
    randomize(modulated.affine)
    kernel, bias = modulated.affine.get_weights()
    scale, shift = np.split(codes[:, 0] @ kernel + bias, 2, axis=-1)
    expected = numpy_normalize(make_maps(0)) * (1 + scale)[:, None, None] + shift[:, None, None]
    outputs, _ = modulated(make_maps(0), codes[:, 0])
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-3)


def test_a_mask_of_one_style_everywhere_is_that_style(modulated, codes):
    randomize(modulated.affine)
    masks = np.zeros((2, 3, 8, 6), "float32")
    masks[:, 1] = 1
    outputs, _ = modulated(make_maps(0), codes, masks=masks)
    expected, _ = modulated(make_maps(0), codes[:, 1])
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)


def test_half_and_half_masks_paint_each_half_in_its_style(modulated, codes):
    randomize(modulated.affine)
    masks = np.zeros((2, 3, 8, 6), "float32")
    masks[:, 0, :, :2], masks[:, 2, :, 2:] = 1, 1
    outputs, _ = modulated(make_maps(0), codes, masks=masks)
    left, right = (np.asarray(modulated(make_maps(0), codes[:, i])[0]) for i in (0, 2))
    expected = np.concatenate([left[:, :, :2], right[:, :, 2:]], axis=2)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)


def test_mixed_masks_blend_styles_linearly(modulated, codes):
    randomize(modulated.affine)
    masks = np.full((2, 3, 8, 6), 0, "float32")
    masks[:, 0], masks[:, 1] = 0.25, 0.75
    outputs, _ = modulated(make_maps(0), codes, masks=masks)
    first, second = (np.asarray(modulated(make_maps(0), codes[:, i])[0]) for i in (0, 1))
    np.testing.assert_allclose(outputs, 0.25 * first + 0.75 * second, rtol=1e-3, atol=1e-3)


def test_noise_is_added_to_normalized_maps_with_a_strength_for_each_channel(modulated, codes):
    randomize(modulated.affine)
    maps, code = make_maps(0), codes[:, 0]
    noise = np.random.default_rng(5).normal(0, 1, (2, 8, 6, 1)).astype("float32")
    strength = np.arange(5, dtype="float32")
    modulated.noise_strength.assign(strength)
    mean, deviation = maps.mean((1, 2), keepdims=True), maps.std((1, 2), keepdims=True)
    scale, shift = np.split(np.asarray(modulated.affine(code))[:, None, None], 2, axis=-1)
    expected = ((maps - mean) / deviation + strength * noise) * (1 + scale) + shift
    actual, moments = modulated(maps, code, noise=noise)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(moments, instance_moments(maps))
