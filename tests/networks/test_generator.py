import keras
import numpy as np
import pytest
import tensorflow as tf
from generator_images import (
    assert_differs,
    assert_same,
    make_images,
    make_styles_and_noise_matter,
    noise_of,
)
from keras import ops

from stylegan_transfer.networks.generator import StyleGenerator

CODE_SIZE = 8


def make_generator(**options):
    """A tiny generator in which styles and noise matter as they do after training."""
    options = {"width": 4, "num_blocks": 1, "code_size": CODE_SIZE, **options}
    return make_styles_and_noise_matter(StyleGenerator(**options))


@pytest.fixture(scope="module")
def generator():
    return make_generator()


@pytest.fixture(scope="module")
def content():
    return make_images(0)


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(1).normal(0, 1, (2, CODE_SIZE)).astype("float32")


@pytest.fixture(scope="module")
def plain(generator, content, codes):
    """The reference: two contents, one code each."""
    return np.asarray(generator.synthesize(content, codes))


# Sizes and range.


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 47), (40, 39), (48, 34)])
def test_result_has_the_contents_size_whatever_the_styles(generator, height, width):
    stylized = generator([make_images(0, height, width), make_images(1, 35, 44)])
    assert stylized.shape == (2, height, width, 3)
    assert stylized.dtype == "float32"
    assert generator.compute_output_shape([(2, height, width, 3), None]) == stylized.shape


def test_result_lies_in_zero_to_one_and_reaches_both_ends(generator, content, codes):
    extreme = np.asarray(generator.synthesize(content, 1000 * codes))
    assert extreme.min() >= 0
    assert extreme.max() <= 1
    assert np.ptp(extreme) > 0.99


def test_pixels_are_the_tanh_of_the_last_convolution_without_checkerboard(content, codes):
    generator = make_generator()
    bias = np.linspace(-2, 2, 12, dtype="float32")
    generator.to_pixels.set_weights([np.zeros((3, 3, 4, 12)), bias])
    color = bias.reshape(4, 3).mean(axis=0)  # the four phases differ, and their mean remains
    expected = np.broadcast_to((np.tanh(color) + 1) / 2, content.shape)
    assert_same(generator.synthesize(content, codes), expected)


@pytest.mark.parametrize("shape", [(1, 31, 64, 3), (1, 64, 31, 3), (1, 64, 64, 4), (64, 64, 3)])
def test_small_or_misshapen_images_are_refused(generator, content, codes, shape):
    wrong = np.zeros(shape, "float32")
    with pytest.raises(ValueError, match=r"Expected style images .*at least 32 pixels"):
        generator.encode_style(wrong)
    with pytest.raises(ValueError, match=r"Expected content images .*at least 32 pixels"):
        generator.synthesize(wrong, codes[:1])


@pytest.mark.parametrize("shape", [(2, CODE_SIZE + 1), (2, 3, CODE_SIZE), (2, 1, 4, CODE_SIZE)])
def test_misshapen_codes_are_refused(generator, content, shape):
    with pytest.raises(ValueError, match=r"Expected codes of shape \(batch, 8\) or \(batch, 4, 8"):
        generator.synthesize(content, np.zeros(shape, "float32"))


def test_masks_without_several_codes_are_refused(generator, content, codes):
    masks = np.ones((2, 1, 33, 47), "float32")
    with pytest.raises(ValueError, match=r"Expected codes of shape \(batch, styles, 8\)"):
        generator.synthesize(content, codes, masks=masks)


def test_padding_to_a_multiple_of_eight_is_a_reflection(generator, content, codes, plain):
    padded = np.pad(content, ((0, 0), (0, 7), (0, 1), (0, 0)), mode="reflect")
    assert_same(generator.synthesize(padded, codes)[:, :33, :47], plain)


# Codes.


def test_call_is_encoding_then_synthesis_with_the_noise_of_seed_0(generator, content):
    style = make_images(1, 40, 36)
    noise = generator.draw_noise(1, *content.shape[1:3], seed=0)
    expected = generator.synthesize(content, generator.encode_style(style), noise=noise)
    np.testing.assert_array_equal(generator([content, style]), expected)


def test_the_style_decides_the_result(generator, content, codes, plain):
    assert_differs(generator.synthesize(content, codes[::-1]), plain, by=0.1)


def test_results_of_a_batch_are_those_of_its_images(generator):
    content, style = make_images(0), make_images(1)
    singles = [generator([content[i : i + 1], style[i : i + 1]]) for i in range(2)]
    assert_same(generator([content, style]), np.concatenate(singles))


def test_one_code_for_each_layer_may_be_given(generator, content, codes, plain):
    repeated = np.repeat(codes[:, None], generator.num_layers, axis=1)
    assert_same(generator.synthesize(content, repeated), plain)


def test_every_layer_hears_its_own_code(generator, content, codes, plain):
    assert generator.num_layers == 4
    for layer in range(generator.num_layers):
        mixed = np.repeat(codes[:, None], generator.num_layers, axis=1)
        mixed[:, layer] = codes[::-1]
        assert_differs(generator.synthesize(content, mixed), plain)


# Masks.


def test_a_mask_of_ones_is_no_mask(generator, content, codes, plain):
    masks = np.ones((2, 1, 33, 47), "float32")
    assert_same(generator.synthesize(content, codes[:, None], masks=masks), plain)


def test_a_mask_chooses_its_style_everywhere(generator, content, codes, plain):
    masks = np.zeros((2, 2, 33, 47), "float32")
    masks[:, 1] = 1
    both = np.stack([codes[::-1], codes], axis=1)
    assert_same(generator.synthesize(content, both, masks=masks), plain)


def test_equal_codes_hide_the_masks(generator, content, codes, plain):
    share = np.random.default_rng(0).random((2, 1, 33, 47), dtype="float32")
    masks = np.concatenate([share, 1 - share], axis=1)
    both = np.stack([codes, codes], axis=1)
    assert_same(generator.synthesize(content, both, masks=masks), plain)


def test_masks_and_codes_for_each_layer_combine(generator, content, codes):
    masks = np.zeros((2, 2, 33, 47), "float32")
    masks[:, 0, :16], masks[:, 1, 16:] = 1, 1
    both = np.stack([codes[::-1], codes], axis=1)
    repeated = np.repeat(both[:, :, None], generator.num_layers, axis=2)
    assert_same(
        generator.synthesize(content, repeated, masks=masks),
        generator.synthesize(content, both, masks=masks),
    )


def test_each_side_of_a_mask_is_near_to_its_own_style(generator, codes):
    content = make_images(0, 32, 128)
    masks = np.zeros((2, 2, 32, 128), "float32")
    masks[:, 0, :, :64], masks[:, 1, :, 64:] = 1, 1
    given = generator.synthesize(content, codes, return_moments=True)[1]  # holds statistics equal
    left, right = (
        np.asarray(generator.synthesize(content, c, moments=given)) for c in (codes, codes[::-1])
    )
    both = np.stack([codes, codes[::-1]], axis=1)
    split = np.asarray(generator.synthesize(content, both, masks=masks, moments=given))
    assert_same(split[:, :, :16], left[:, :, :16])
    assert_same(split[:, :, -16:], right[:, :, -16:])
    assert_differs(left, right)


def test_masks_are_padded_as_the_content_is(generator, content, codes):
    masks = np.zeros((2, 2, 33, 47), "float32")
    masks[:, 0, :, :25], masks[:, 1, :, 25:] = 1, 1
    both = np.stack([codes, codes[::-1]], axis=1)
    border = ((0, 7), (0, 1))
    padded = generator.synthesize(
        np.pad(content, ((0, 0), *border, (0, 0)), mode="reflect"),
        both,
        masks=np.pad(masks, ((0, 0), (0, 0), *border), mode="reflect"),
    )
    assert_same(generator.synthesize(content, both, masks=masks), padded[:, :33, :47])


# Moments.


def test_an_images_own_moments_reproduce_it_exactly(generator, content, codes, plain):
    images, moments = generator.synthesize(content, codes, return_moments=True)
    np.testing.assert_array_equal(images, plain)
    again = generator.synthesize(content, codes, moments=moments)
    np.testing.assert_array_equal(again, plain)


def test_there_are_moments_for_every_normalization(generator, content, codes):
    _, moments = generator.synthesize(content, codes, return_moments=True)
    channels = [4, 8, 16, 16, 16, 8, 4]  # three of the encoder, two of the block, two upsampling
    assert [tuple(m.shape) for m in moments] == [(2, 2, c) for c in channels]
    assert len(moments) == len(generator.encoder_norms) + generator.num_layers


def test_first_moments_are_those_of_the_first_convolution(generator, codes):
    content = make_images(0, 32, 40)
    _, moments = generator.synthesize(content, codes, return_moments=True)
    maps = np.asarray(generator.encoder[0](2 * content - 1))
    np.testing.assert_allclose(moments[0][:, 0], maps.mean((1, 2)), atol=1e-5)
    np.testing.assert_allclose(moments[0][:, 1], maps.var((1, 2)), rtol=1e-3)


def test_given_moments_are_returned_unchanged(generator, content, codes):
    _, moments = generator.synthesize(content, codes, return_moments=True)
    _, used = generator.synthesize(content[::-1], codes, moments=moments, return_moments=True)
    for given, returned in zip(moments, used, strict=True):
        np.testing.assert_array_equal(given, returned)


def test_given_moments_make_the_inside_of_tiles_seamless(generator, codes):
    whole, tile = slice(0, 128), slice(0, 96)  # the tile's own end may differ
    content = make_images(0, 32, 128)
    expected, moments = generator.synthesize(content[:, :, whole], codes, return_moments=True)
    cut = content[:, :, tile]
    seamless = generator.synthesize(cut, codes, moments=moments)
    assert_same(seamless[:, :, :40], expected[:, :, :40])
    assert_differs(generator.synthesize(cut, codes)[:, :, :40], expected[:, :, :40])


@pytest.mark.parametrize("num_blocks", [1, 2])
def test_content_beyond_the_receptive_radius_does_not_matter(num_blocks, codes):
    generator = make_generator(num_blocks=num_blocks)
    content = make_images(0, 32, 240)
    moments = generator.synthesize(content, codes, return_moments=True)[1]
    reach = 0
    for column in range(96, 104):  # each place in the grid of 8
        changed = content.copy()
        changed[:, :, column] = 1 - changed[:, :, column]
        difference = generator.synthesize(changed, codes, moments=moments) - generator.synthesize(
            content, codes, moments=moments
        )
        columns = np.flatnonzero(np.abs(difference).max(axis=(0, 1, 3)))
        reach = max(reach, column - columns.min(), columns.max() - column)
    assert generator.receptive_radius - 8 < reach <= generator.receptive_radius


# Noise.


def test_without_noise_the_result_is_deterministic(generator, content, codes, plain):
    np.testing.assert_array_equal(generator.synthesize(content, codes), plain)


def test_a_seed_decides_the_noise(generator, content, codes, plain):
    first, again, other = (
        generator.synthesize(content, codes, noise=noise_of(generator, content, seed))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert_differs(first, plain)
    assert_differs(first, other)


def test_a_seed_generator_gives_new_noise_each_time(generator, content):
    seed = keras.random.SeedGenerator(5)
    first, second = (noise_of(generator, content, seed) for _ in range(2))
    assert_differs(first[0], second[0])
    again = noise_of(generator, content, keras.random.SeedGenerator(5))
    for a, b in zip(again, first, strict=True):
        np.testing.assert_array_equal(a, b)


def test_noise_matters_before_training_already(content, codes):
    untrained = StyleGenerator(width=4, num_blocks=1, code_size=CODE_SIZE)
    noise = noise_of(untrained, content, 1)
    noisy = untrained.synthesize(content, codes, noise=noise)
    assert_differs(noisy, untrained.synthesize(content, codes))


def test_every_layer_and_image_has_its_own_standard_normal_noise(generator):
    noise = [np.asarray(maps) for maps in generator.draw_noise(2, 60, 90, seed=3)]
    assert [maps.shape for maps in noise] == [
        (2, 8, 12, 1),
        (2, 8, 12, 1),
        (2, 16, 24, 1),
        (2, 32, 48, 1),
    ]
    assert_differs(noise[0], noise[1], by=1)
    assert_differs(noise[0][0], noise[0][1], by=1)
    assert np.std(noise[-1]) == pytest.approx(1, abs=0.1)


def test_noise_of_one_image_serves_a_batch(generator, content, codes):
    noise = generator.draw_noise(1, *content.shape[1:3], seed=2)
    both = generator.synthesize(content, codes, noise=noise)
    for i in range(2):
        single = generator.synthesize(content[i : i + 1], codes[i : i + 1], noise=noise)
        assert_same(single, both[i : i + 1])


@pytest.mark.parametrize("noise", [True, False])
def test_training_adds_noise_only_if_asked_to(content, noise):
    generator = make_generator(noise=noise)
    inputs = [content, content]
    first, second = (np.asarray(generator(inputs, training=True)) for _ in range(2))
    assert (np.abs(first - second).max() > 0.01) == noise
    np.testing.assert_array_equal(generator(inputs), generator(inputs, training=False))


# Gradients, graphs and precision.


def test_gradients_are_finite_on_flat_images_and_reach_every_weight():
    generator = make_generator()
    flat = tf.fill((1, 32, 32, 3), 0.5)
    for content, style in ((flat, flat), (make_images(0, 32, 32), make_images(1, 32, 32))):
        with tf.GradientTape() as tape:
            loss = ops.mean(ops.square(generator([content, style], training=True)))
        gradients = tape.gradient(loss, [w.value for w in generator.trainable_variables])
        for weight, gradient in zip(generator.trainable_variables, gradients, strict=True):
            assert gradient is not None, weight.path
            assert np.isfinite(gradient).all(), weight.path


def test_a_graph_of_unknown_sizes_gives_the_same_images(generator, content):
    image = tf.TensorSpec((None, None, None, 3))
    graph = tf.function(lambda c, s: generator([c, s]), input_signature=[image, image])
    for c, s in ((content, make_images(1, 40, 36)), (make_images(2, 35, 32), content)):
        assert_same(graph(c, s), generator([c, s]))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_gives_nearly_the_same_float32_images(generator, content, policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        mixed = make_generator()
    finally:
        keras.config.set_dtype_policy(before)
    mixed.set_weights(generator.get_weights())
    codes = mixed.encode_style(content)
    images, moments = mixed.synthesize(content, codes, return_moments=True)
    assert images.dtype == codes.dtype == moments[0].dtype == "float32"
    expected = generator.synthesize(content, generator.encode_style(content))
    assert_same(images, expected, atol=0.2)
    assert np.abs(images - expected).mean() < 0.01
    np.testing.assert_array_equal(mixed.synthesize(content, codes, moments=moments), images)


# Configuration.


def test_a_generator_is_restored_from_its_config():
    options = {"width": 2, "num_blocks": 2, "code_size": 5, "noise": False, "seed": 7}
    generator = StyleGenerator(**options)
    assert generator.get_config() == options
    restored = StyleGenerator.from_config(generator.get_config())
    assert restored.get_config() == options
    assert [w.shape for w in restored.weights] == [w.shape for w in generator.weights]


def test_the_default_generator_has_the_size_that_is_documented():
    generator = StyleGenerator()
    assert generator.num_layers == 12
    assert generator.code_size == 256
    assert 3e6 < generator.count_params() < 5e6
