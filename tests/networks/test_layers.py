import keras
import numpy as np
import pytest
import tensorflow as tf
from channel_maps import make_maps, randomize
from scipy import ndimage
from truncating import TruncatingInt

from stylegan_transfer.networks import layers


def numpy_conv(images, kernel, bias, stride):
    """Valid convolution: the sum of kernel times patch at each position."""
    size = kernel.shape[0]
    patches = np.lib.stride_tricks.sliding_window_view(images, (size, size), axis=(1, 2))
    return np.einsum("nhwcij,ijco->nhwo", patches[:, ::stride, ::stride], kernel) + bias


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


@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (1, 1, 2, 3)])
def test_interpolate_is_bilinear_resizing(shape):
    maps = make_maps(0, shape)
    expected = tf.image.resize(maps, (2 * shape[1], 2 * shape[2]))
    np.testing.assert_allclose(layers.interpolate(maps), expected, rtol=1e-6)


def test_smooth_noise_is_a_binomial_filter_that_keeps_the_variance():
    noise = np.random.default_rng(0).normal(size=(1, 300, 300, 1)).astype("float32")
    smooth = np.asarray(layers.smooth_noise(noise))
    binomial = np.convolve([1, 2, 1], [1, 2, 1]) / 16
    filtered = ndimage.convolve(noise, np.outer(binomial, binomial)[None, :, :, None])
    inside = (slice(None), slice(2, -2), slice(2, -2))
    expected = filtered / (70 / 256)
    np.testing.assert_allclose(smooth[inside], expected[inside], rtol=1e-4, atol=1e-5)
    assert smooth.var() == pytest.approx(1, rel=0.05)
    assert layers.smooth_noise(noise[:, :1, :2]).shape == (1, 1, 2, 1)


@pytest.mark.parametrize("factor", [2, 3])
def test_depth_to_space_is_tensorflows(factor):
    maps = make_maps(0, (2, 3, 5, 4 * factor**2))
    expected = tf.nn.depth_to_space(maps, factor)
    np.testing.assert_array_equal(layers.depth_to_space(maps, factor), expected)


def test_smooth_depth_to_space_is_a_separable_filter_of_what_it_makes():
    maps = make_maps(seed=0, shape=(2, 9, 6, 12))
    taps = np.array([-1, 4, 10, 4, -1]) / 16
    images = np.asarray(tf.nn.depth_to_space(maps, 2))
    expected = ndimage.convolve1d(images, taps, axis=1)
    expected = ndimage.convolve1d(expected, taps, axis=2)
    inside = slice(None), slice(2, -2), slice(2, -2)  # where the border does not matter
    actual = np.asarray(layers.smooth_depth_to_space(maps))
    np.testing.assert_allclose(actual[inside], expected[inside], rtol=1e-4, atol=1e-5)


def test_smooth_depth_to_space_reflects_the_maps_at_the_border():
    maps = make_maps(seed=0, shape=(2, 9, 6, 12))
    padded = np.pad(maps, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="reflect")
    expected = layers.smooth_depth_to_space(padded)[:, 6:-6, 6:-6]
    np.testing.assert_allclose(layers.smooth_depth_to_space(maps), expected, rtol=1e-4, atol=1e-5)


def test_smooth_depth_to_space_takes_waves_of_two_pixels_and_leaves_constants():
    rows, columns = np.indices((8, 10))
    waves = np.stack([(-1.0) ** rows, (-1.0) ** columns, (-1.0) ** (rows + columns)], axis=-1)
    images = (waves + [0.2, 0.5, 0.9])[None].astype("float32")
    expected = np.broadcast_to([0.2, 0.5, 0.9], images.shape)
    maps = tf.nn.space_to_depth(images, 2)
    np.testing.assert_allclose(layers.smooth_depth_to_space(maps), expected, atol=1e-6)


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


def test_reflection_padding_is_numpys_and_is_restored_from_its_config():
    padding, maps = layers.ReflectionPadding2D(2), make_maps(0, (2, 5, 4, 3))
    expected = np.pad(maps, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(padding(maps), expected)
    assert padding.compute_output_shape((None, 5, None, 3)) == (None, 9, None, 3)
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(padding))
    assert restored.get_config() == padding.get_config()


def test_reflection_conv_is_restored_from_its_config():
    conv = layers.ReflectionConv2D(4, 5, strides=2, use_bias=False, activation="relu")
    config = keras.saving.serialize_keras_object(conv)
    restored = keras.saving.deserialize_keras_object(config)
    assert isinstance(restored, layers.ReflectionConv2D)
    assert restored.get_config() == conv.get_config()
