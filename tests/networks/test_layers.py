import keras
import numpy as np
import pytest
import tensorflow as tf
from channel_maps import make_maps
from keras import ops
from scipy import ndimage
from truncating import TruncatingInt

from stylegan_transfer.networks import layers


def randomize(layer, seed=0, deviation=0.5):
    """Draws all weights of a layer anew, so that none is a special value such as 0 or 1."""
    random = np.random.default_rng(seed)
    layer.set_weights([random.normal(0, deviation, w.shape) for w in layer.get_weights()])
    return layer


def numpy_conv(images, kernel, bias, stride):
    """Valid convolution: the sum of kernel times patch at each position."""
    size = kernel.shape[0]
    patches = np.lib.stride_tricks.sliding_window_view(images, (size, size), axis=(1, 2))
    return np.einsum("nhwcij,ijco->nhwo", patches[:, ::stride, ::stride], kernel) + bias


def numpy_normalize(maps):
    mean, variance = maps.mean((1, 2), keepdims=True), maps.var((1, 2), keepdims=True)
    return (maps - mean) / np.sqrt(variance + layers.EPSILON)


# Rearranging pixels.


@pytest.mark.parametrize(("height", "width"), [(32, 40), (33, 47), (39, 34)])
def test_pad_to_multiple_reflects_at_bottom_and_right(height, width):
    images = make_maps(0, (2, height, width, 3))
    expected = np.pad(images, ((0, 0), (0, -height % 8), (0, -width % 8), (0, 0)), mode="reflect")
    padded = np.asarray(layers.pad_to_multiple(images, 8))
    np.testing.assert_array_equal(padded, expected)
    assert padded.shape[1:3] == (8 * -(-height // 8), 8 * -(-width // 8))


@pytest.mark.parametrize(("height", "width"), [(32, 40), (33, 47), (301, 451)])
def test_pad_to_multiple_is_right_where_remainders_have_the_sign_of_c(monkeypatch, height, width):
    """As in an exported graph, which counts with sizes that it does not know yet."""
    images = make_maps(0, (1, height, width, 3))
    shape = (1, TruncatingInt(height), TruncatingInt(width), 3)
    monkeypatch.setattr(layers.ops, "shape", lambda _: shape)
    padded = layers.pad_to_multiple(images, 8)
    assert padded.shape[1:3] == (8 * -(-height // 8), 8 * -(-width // 8))


@pytest.mark.parametrize(
    ("rows", "columns"), [((0, 3), (0, 0)), ((2, 1), (4, 5)), ((0, 0), (1, 0))]
)
def test_reflect_pad_mirrors_rows_and_columns(rows, columns):
    maps = make_maps(0, (2, 5, 6, 3))
    expected = np.pad(maps, ((0, 0), rows, columns, (0, 0)), mode="reflect")
    np.testing.assert_array_equal(layers.reflect_pad(maps, rows, columns), expected)


def test_upsample_repeats_each_value_in_a_square():
    maps = make_maps(0, (2, 3, 4, 5))
    expected = np.kron(maps, np.ones((1, 2, 2, 1), "float32"))
    np.testing.assert_array_equal(layers.upsample(maps), expected)


@pytest.mark.parametrize("factor", [2, 3])
def test_depth_to_space_is_tensorflows(factor):
    maps = make_maps(0, (2, 3, 5, 4 * factor**2))
    expected = tf.nn.depth_to_space(maps, factor)
    np.testing.assert_array_equal(layers.depth_to_space(maps, factor), expected)


def test_remove_checkerboard_is_the_separable_filter_with_reflection():
    maps = make_maps(seed=0, shape=(2, 9, 6, 3))
    taps = np.array([-1, 4, 10, 4, -1]) / 16
    expected = ndimage.convolve1d(maps, taps, axis=1, mode="mirror")
    expected = ndimage.convolve1d(expected, taps, axis=2, mode="mirror")
    np.testing.assert_allclose(layers.remove_checkerboard(maps), expected, rtol=1e-4, atol=1e-5)


def test_remove_checkerboard_takes_waves_of_two_pixels_and_leaves_constants():
    rows, columns = np.indices((8, 10))
    waves = np.stack([(-1.0) ** rows, (-1.0) ** columns, (-1.0) ** (rows + columns)], axis=-1)
    images = (waves + [0.2, 0.5, 0.9])[None].astype("float32")
    expected = np.broadcast_to([0.2, 0.5, 0.9], images.shape)
    np.testing.assert_allclose(layers.remove_checkerboard(images), expected, atol=1e-6)


# Statistics.


def test_instance_moments_are_mean_and_variance_over_positions():
    maps = make_maps(0)
    expected = np.stack([maps.mean((1, 2)), maps.var((1, 2))], axis=1)
    np.testing.assert_allclose(layers.instance_moments(maps), expected, rtol=1e-4)


def test_instance_moments_of_half_precision_maps_do_not_overflow():
    maps = ops.cast(1000 * make_maps(0), "float16")
    moments = layers.instance_moments(maps)
    assert moments.dtype == "float32"
    expected = np.asarray(maps, "float32").var((1, 2))
    assert expected.max() > 65504
    np.testing.assert_allclose(moments[:, 1], expected, rtol=1e-4)


def test_rescale_is_normalization_then_scale_then_shift():
    maps, scale, shift = make_maps(0), make_maps(1), make_maps(2)
    actual = layers.rescale(maps, layers.instance_moments(maps), scale, shift)
    np.testing.assert_allclose(actual, numpy_normalize(maps) * scale + shift, rtol=1e-4, atol=1e-3)


def test_rescale_keeps_the_precision_of_the_maps():
    maps = ops.cast(make_maps(0), "float16")
    actual = layers.rescale(maps, layers.instance_moments(maps), 1.0, 0.0)
    assert actual.dtype == "float16"
    np.testing.assert_allclose(actual, numpy_normalize(make_maps(0)), atol=0.02)


def test_adaptive_instance_normalization_gives_the_styles_moments():
    content, style = make_maps(0, (2, 8, 6, 5)), 3.0 - make_maps(1, (2, 4, 9, 5))
    moments = layers.instance_moments(style)
    actual = np.asarray(layers.adaptive_instance_normalization(content, moments))
    np.testing.assert_allclose(layers.instance_moments(actual), moments, rtol=1e-4)
    np.testing.assert_allclose(numpy_normalize(actual), numpy_normalize(content), atol=1e-4)


def test_adaptive_instance_normalization_with_its_own_moments_changes_nothing():
    content = make_maps(0)
    actual = layers.adaptive_instance_normalization(content, layers.instance_moments(content))
    np.testing.assert_allclose(actual, content, rtol=1e-4, atol=1e-4)


# Convolution with reflection padding.


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(8, 6), (7, 9), (8, 5)])
def test_reflection_conv_is_a_valid_convolution_of_reflected_maps(size, stride, height, width):
    maps = make_maps(0, (2, height, width, 3))
    conv = layers.ReflectionConv2D(4, size, strides=stride)
    conv.build(maps.shape)
    kernel, bias = randomize(conv).get_weights()
    border = size // 2
    padded = np.pad(maps, ((0, 0), (border,) * 2, (border,) * 2, (0, 0)), mode="reflect")
    outputs = conv(maps)
    expected = numpy_conv(padded, kernel, bias, stride)
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-3)
    assert outputs.shape == (2, -(-height // stride), -(-width // stride), 4)
    assert conv.compute_output_shape(maps.shape) == outputs.shape
    assert conv.compute_output_shape((None, None, None, 3)) == (None, None, None, 4)


def test_reflection_conv_keeps_a_constant_image_constant_up_to_the_border():
    conv = layers.ReflectionConv2D(4, 5, strides=2)
    conv.build((None, None, None, 3))
    outputs = np.asarray(randomize(conv)(np.full((1, 9, 12, 3), 0.7, "float32")))
    inner = np.broadcast_to(outputs[:, 2:3, 2:3], outputs.shape)
    np.testing.assert_allclose(outputs, inner, rtol=1e-4)
    assert np.ptp(outputs) > 0.1  # the channels do differ


def test_reflection_conv_is_restored_from_its_config():
    conv = layers.ReflectionConv2D(4, 5, strides=2, use_bias=False, activation="relu")
    config = keras.saving.serialize_keras_object(conv)
    restored = keras.saving.deserialize_keras_object(config)
    assert isinstance(restored, layers.ReflectionConv2D)
    assert restored.get_config() == conv.get_config()


# Normalization.


def test_instance_normalization_scales_and_shifts_normalized_channels():
    maps, norm = make_maps(0), layers.InstanceNormalization()
    norm.build(maps.shape)
    np.testing.assert_allclose(norm(maps)[0], numpy_normalize(maps), atol=1e-4)
    scale, shift = randomize(norm).get_weights()
    np.testing.assert_allclose(norm(maps)[0], numpy_normalize(maps) * scale + shift, atol=1e-4)


def test_instance_normalization_uses_given_moments():
    maps, norm = make_maps(0), layers.InstanceNormalization()
    _, moments = norm(maps)
    np.testing.assert_allclose(moments, layers.instance_moments(maps))
    given = ops.convert_to_tensor(np.stack([np.ones((2, 5)), np.full((2, 5), 4)], 1), "float32")
    outputs, used = norm(maps, moments=given)
    np.testing.assert_allclose(outputs, (maps - 1) / 2, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(used, given)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_given_moments_stay_float32_in_mixed_precision(policy):
    maps = ops.cast(make_maps(0), policy.removeprefix("mixed_"))
    large = ops.full((2, 2, 5), 1e6)  # inf in float16
    for norm, code in (
        (layers.InstanceNormalization(dtype=policy), []),
        (layers.ModulatedNormalization(dtype=policy), [ops.ones((2, 4))]),
    ):
        outputs, used = norm(maps, *code, moments=large)
        assert outputs.dtype == maps.dtype
        assert used.dtype == "float32"
        np.testing.assert_array_equal(used, large)
        assert np.isfinite(outputs).all()


@pytest.fixture
def modulated():
    norm = layers.ModulatedNormalization()
    norm.build((None, None, None, 5), (None, 4))
    return norm


@pytest.fixture
def codes():
    return np.random.default_rng(3).normal(0, 1, (2, 3, 4)).astype("float32")  # three styles


def test_modulated_normalization_without_affine_is_plain_instance_normalization(modulated, codes):
    modulated.affine.kernel.assign(ops.zeros((4, 10)))
    outputs, moments = modulated(make_maps(0), codes[:, 0])
    np.testing.assert_allclose(outputs, numpy_normalize(make_maps(0)), atol=1e-4)
    np.testing.assert_allclose(moments, layers.instance_moments(make_maps(0)))


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
    np.testing.assert_array_equal(moments, layers.instance_moments(maps))
