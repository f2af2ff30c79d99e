import functools

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

from stylegan_transfer.networks import layers
from stylegan_transfer.networks.saving import load_generator, save_generator
from stylegan_transfer.networks.transport_generator import TransportGenerator


def make_generator(**options):
    """A tiny generator in which styles and noise matter as they do after training, and whose
    images are of so little contrast that no palette makes them clip."""
    keras.utils.set_random_seed(0)
    generator = TransportGenerator(**{"width": 4, "code_size": 8, **options})
    generator.to_pixels.kernel.assign(0.3 * generator.to_pixels.kernel)
    return make_styles_and_noise_matter(generator)


def palettes_of(images):
    """Mean colour, and below it the covariance of colours, of each image."""
    pixels = np.reshape(images, (len(images), -1, 3)).astype("float64")
    return np.stack([np.vstack([p.mean(axis=0), np.cov(p.T, bias=True)]) for p in pixels])


def with_own_colors(generator, content, codes, **kwargs):
    """The images before they get a palette: their colours are mapped onto themselves."""
    moments = generator.synthesize(content, codes, return_moments=True, **kwargs)[1]
    identity = np.zeros(moments[-1].shape, "float32")
    identity[..., 1:, :] = np.eye(3)
    return generator.synthesize(content, codes, moments=[*moments[:-1], identity], **kwargs)


@pytest.fixture(scope="module")
def generator():
    return make_generator()


@pytest.fixture(scope="module")
def content():
    return make_images(0)


@pytest.fixture(scope="module")
def codes(generator):
    return np.asarray(generator.encode_style(make_images(1, 64, 48)))


@pytest.fixture(scope="module")
def plain(generator, content, codes):
    """The reference: two contents, one code each."""
    return np.asarray(generator.synthesize(content, codes))


# Sizes, range and files.


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 47), (40, 39), (50, 34)])
def test_result_has_the_contents_size_whatever_the_styles(generator, height, width):
    stylized = generator([make_images(0, height, width), make_images(1, 35, 44)])
    assert stylized.shape == (2, height, width, 3)
    assert 0 <= np.min(stylized) <= np.max(stylized) <= 1


def test_padding_to_a_multiple_of_sixteen_is_a_reflection(generator, content, codes, plain):
    padded = np.pad(content, ((0, 0), (0, 15), (0, 1), (0, 0)), mode="reflect")
    assert_same(generator.synthesize(padded, codes)[:, :33, :47], plain, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "now", "before"),
    [
        ("features", "slim", "distilled"),
        ("antialiased", True, False),
        ("lean", True, False),
        ("low_rank", True, False),
    ],
)
def test_a_file_that_does_not_name_it_has_what_there_was_before(name, now, before):
    config = TransportGenerator(width=4, code_size=8).get_config()
    assert config.pop(name) == now
    assert TransportGenerator.from_config(config).get_config()[name] == before


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"features": "imagenet"}, "one of .*slim"),
        ({"antialiased": 1}, "a bool"),
        ({"lean": "very"}, "a bool"),
        ({"low_rank": None}, "a bool"),
    ],
)
def test_unknown_parts_are_refused(wrong, expected):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"Expected {expected}.*{name}={value!r}"):
        TransportGenerator(**wrong)


@pytest.mark.parametrize(
    ("lean", "channels"),
    [
        (True, [8, 16, 16, 6, 16, 6, 16, 5, 8, 3, 4]),
        (False, [16, 16, 16, 16, 16, 16, 16, 8, 8, 4, 4]),
    ],
)
def test_lean_generators_have_fewer_channels_inside_of_pairs(lean, channels):
    generator = TransportGenerator(width=4, num_blocks=2, code_size=8, lean=lean)
    assert [conv.filters for conv in generator.convs] == channels


@pytest.mark.parametrize(("low_rank", "channels"), [(True, [4, 4, 3]), (False, [16, 8, 4])])
def test_levels_join_a_decoder_of_low_rank_with_fewer_channels(low_rank, channels):
    generator = TransportGenerator(width=4, code_size=8, low_rank=low_rank)
    assert [conv.filters for conv in generator.descents] == channels
    assert [conv.filters for conv in generator.skips] == channels


def test_filters_against_a_lattice_are_of_small_maps_and_of_noise(monkeypatch):
    content, style = make_images(0, 32, 32)[:1], make_images(1, 40, 44)[:1]
    generator = TransportGenerator(width=4, code_size=8, antialiased=False)
    codes, noise = generator.encode_style(style), generator.draw_noise(1, 32, 32, 0)

    def paint():
        return generator.synthesize(content, codes, noise=noise)

    rough, calls = paint(), []
    for name in ("interpolate", "smooth_noise"):
        function = getattr(layers, name)
        record = functools.partial(lambda f, maps: calls.append(f.__name__) or f(maps), function)
        monkeypatch.setattr(layers, name, record)
    assert_same(paint(), rough)
    generator.antialiased = True
    assert np.abs(paint() - rough).max() > 1e-3
    assert sorted(calls) == ["interpolate"] * 3 + ["smooth_noise"] * generator.num_layers


@pytest.mark.parametrize("shape", [(1, 31, 64, 3), (1, 64, 64, 4), (64, 64, 3)])
def test_small_or_misshapen_images_are_refused(generator, codes, shape):
    wrong = np.zeros(shape, "float32")
    with pytest.raises(ValueError, match=r"Expected style images .*at least 32 pixels"):
        generator.encode_style(wrong)
    with pytest.raises(ValueError, match=r"Expected content images .*at least 32 pixels"):
        generator.synthesize(wrong, codes[:1])


def test_misshapen_codes_are_refused(generator, content, codes):
    for wrong in (codes[:, :-1], codes[:, None], codes[None, None]):
        with pytest.raises(ValueError, match=r"Expected codes of shape \(batch, \d+\) or \(batch"):
            generator.synthesize(content, wrong)
    masks = np.ones((2, 1, 33, 47), "float32")
    with pytest.raises(ValueError, match=r"Expected codes of shape \(batch, styles, "):
        generator.synthesize(content, codes, masks=masks)


def test_a_saved_generator_paints_the_same(generator, content, codes, plain, tmp_path):
    save_generator(generator, tmp_path / "generator.keras")
    loaded = load_generator(tmp_path / "generator.keras")
    assert_same(loaded.synthesize(content, codes), plain)


# Codes.


def test_call_is_encoding_then_synthesis_with_the_noise_of_seed_0(generator, content):
    style = make_images(1, 40, 36)
    noise = generator.draw_noise(1, *content.shape[1:3], seed=0)
    expected = generator.synthesize(content, generator.encode_style(style), noise=noise)
    assert_same(generator([content, style]), expected)


def test_results_of_a_batch_are_those_of_its_images(generator):
    content, style = make_images(0), make_images(1)
    singles = [generator([content[i : i + 1], style[i : i + 1]]) for i in range(2)]
    assert_same(generator([content, style]), np.concatenate(singles), atol=1e-4)


def test_a_code_holds_the_statistics_of_every_second_place_of_the_styles_maps(generator):
    style = make_images(1, 64, 48)
    maps = generator.features(style)
    code = np.asarray(generator.encode_style(style))
    relu2_1 = np.asarray(maps["relu2_1"])[:, ::2, ::2]
    covariance = [np.cov(m.reshape(-1, 32).T, bias=True) for m in relu2_1]
    expected = [np.vstack([m.mean((0, 1)), c]) for m, c in zip(relu2_1, covariance, strict=True)]
    np.testing.assert_allclose(code[:, -12 - 33 * 32 : -12].reshape(2, -1, 32), expected, atol=1e-3)
    np.testing.assert_allclose(code[:, -12:].reshape(2, 4, 3), palettes_of(style), atol=1e-5)


def test_one_code_for_each_layer_may_be_given(generator, content, codes, plain):
    repeated = np.repeat(codes[:, None], generator.num_layers, axis=1)
    assert_same(generator.synthesize(content, repeated), plain)


def test_every_layer_hears_its_own_code(generator, content, codes, plain):
    assert generator.num_layers == 9
    for layer in range(generator.num_layers):
        mixed = np.repeat(codes[:, None], generator.num_layers, axis=1)
        mixed[:, layer] = codes[::-1]
        assert_differs(generator.synthesize(content, mixed), plain)


# Palette.


def test_images_have_the_mean_colour_and_the_ratios_of_variances_of_their_styles(generator):
    content = make_images(0, 32, 48)  # nothing is padded
    style = 0.5 + 0.1 * (make_images(1) - 0.5) @ np.float32([[1, 0.5, 0], [0, 1, 0], [0, 0, 2]])
    stylized = generator([content, style])
    assert np.min(stylized) > 0 and np.max(stylized) < 1  # nothing is clipped
    for own, wanted in zip(palettes_of(stylized), palettes_of(style), strict=True):
        np.testing.assert_allclose(own[0], wanted[0], atol=1e-5)
        ratio = np.trace(own[1:]) / np.trace(wanted[1:])
        np.testing.assert_allclose(own[1:] / ratio, wanted[1:], atol=0.03 * wanted[1:].max())


def test_images_vary_as_much_as_without_a_palette(generator):
    content = make_images(0, 32, 48)
    style = 0.3 + 0.4 * make_images(1)
    codes = generator.encode_style(style)
    own, plain = generator.synthesize(content, codes), with_own_colors(generator, content, codes)
    variances = [palettes_of(images)[:, 1:].trace(axis1=1, axis2=2) for images in (own, plain)]
    np.testing.assert_allclose(*variances, rtol=0.03)


def test_grey_styles_make_grey_images(generator, content):
    grey = np.repeat(make_images(1)[..., :1], 3, axis=-1)
    stylized = np.asarray(generator([content, grey]))
    plain = np.asarray(with_own_colors(generator, content, generator.encode_style(grey)))
    assert np.ptp(plain, axis=-1).mean() > 0.02
    assert np.ptp(stylized, axis=-1).mean() < 0.002
    assert stylized.std() > 0.5 * plain.std()


@pytest.mark.parametrize("color", [(0.0, 0.0, 0.0), (0.9, 0.2, 0.1)])
def test_styles_of_one_colour_give_it_to_the_mean(generator, content, color):
    style = np.full((2, 32, 32, 3), color, "float32")
    stylized = np.asarray(generator([content, style]))
    np.testing.assert_allclose(stylized.mean(axis=(1, 2)), [color] * 2, atol=0.1)


def test_each_region_has_the_palette_of_its_style(generator):
    content = make_images(0, 32, 48)
    styles = 0.5 + 0.2 * make_images(1), 0.3 + 0.2 * make_images(2)  # nothing is clipped
    codes = np.stack([generator.encode_style(style) for style in styles], axis=1)
    masks = np.zeros((2, 2, 32, 48), "float32")
    masks[:, 0, :, :12] = masks[:, 1, :, 12:] = 1
    stylized = generator.synthesize(content, codes, masks=masks)
    for part, style in zip((stylized[:, :, :12], stylized[:, :, 12:]), styles, strict=True):
        np.testing.assert_allclose(palettes_of(part)[:, 0], palettes_of(style)[:, 0], atol=0.005)


def test_a_region_without_pixels_leaves_no_trace(generator, content, codes, plain):
    masks = np.zeros((2, 2, 33, 47), "float32")
    masks[:, 1] = 1
    both = np.stack([0 * codes, codes], axis=1)
    assert_same(generator.synthesize(content, both, masks=masks), plain, atol=1e-4)


# Masks.


def test_a_mask_chooses_its_style_everywhere(generator, content, codes, plain):
    masks = np.zeros((2, 2, 33, 47), "float32")
    masks[:, 1] = 1
    both = np.stack([codes[::-1], codes], axis=1)
    assert_same(generator.synthesize(content, both, masks=masks), plain, atol=1e-4)


def test_equal_codes_hide_the_masks_also_where_each_layer_has_its_own(generator, content, codes):
    plain = with_own_colors(generator, content, codes)  # palettes are of regions
    share = np.random.default_rng(0).random((2, 1, 33, 47), dtype="float32")
    masks = np.concatenate([share, 1 - share], axis=1)
    both = np.stack([codes, codes], axis=1)
    repeated = np.repeat(both[:, :, None], generator.num_layers, axis=2)
    for given in (both, repeated):
        images = with_own_colors(generator, content, given, masks=masks)
        assert_same(images, plain, atol=1e-4)


# Moments.


def test_an_images_own_moments_reproduce_it(generator, content, codes, plain):
    images, moments = generator.synthesize(content, codes, return_moments=True)
    assert_same(images, plain)
    assert_same(generator.synthesize(content, codes, moments=moments), plain)
    _, used = generator.synthesize(content[::-1], codes, moments=moments, return_moments=True)
    for given, returned in zip(moments, used, strict=True):
        np.testing.assert_array_equal(given, returned)


def test_content_beyond_the_receptive_radius_does_not_matter(generator, codes):
    content = make_images(0, 32, 560)
    moments = generator.synthesize(content, codes, return_moments=True)[1]
    plain = generator.synthesize(content, codes, moments=moments)
    reach = 0
    for column in range(256, 272, 3):  # places in the grid of 16
        changed = content.copy()
        changed[:, :, column] = 1 - changed[:, :, column]
        difference = generator.synthesize(changed, codes, moments=moments) - plain
        columns = np.flatnonzero(np.abs(difference).max(axis=(0, 1, 3)))
        reach = max(reach, column - columns.min(), columns.max() - column)
    assert generator.receptive_radius - 32 < reach <= generator.receptive_radius


# Noise.


def test_a_seed_decides_the_noise(generator, content, codes, plain):
    first, again, other = (
        generator.synthesize(content, codes, noise=noise_of(generator, content, seed))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert_differs(first, plain)
    assert_differs(first, other)


# Gradients and graphs.


def test_gradients_are_finite_on_flat_and_grey_images_and_leave_the_features_alone():
    generator = make_generator()
    assert not generator.features.trainable_variables
    flat = tf.fill((1, 32, 32, 3), 0.5)
    grey = np.repeat(make_images(0, 32, 32)[..., :1], 3, axis=-1)
    images = make_images(0, 32, 32), make_images(1, 32, 32)
    for content, style in ((flat, flat), (grey, grey), (images[0], grey), images):
        with tf.GradientTape() as tape:
            loss = ops.mean(ops.square(generator([content, style], training=True)))
        gradients = tape.gradient(loss, [w.value for w in generator.trainable_variables])
        for weight, gradient in zip(generator.trainable_variables, gradients, strict=True):
            assert gradient is not None, weight.path
            assert np.isfinite(gradient).all(), weight.path


def test_training_sees_the_images_that_are_shown(generator, content, codes, plain):
    assert_same(generator.synthesize(content, codes, training=True), plain, atol=1e-3)


def test_gradients_know_that_the_mean_colour_is_the_styles_whatever_the_decoder_paints(generator):
    content, style = make_images(3, 32, 48), 0.4 + 0.2 * make_images(1)  # nothing is clipped
    codes = generator.encode_style(style)
    bias, slopes = generator.to_pixels.bias.value, []
    for paint in (TransportGenerator.synthesize, with_own_colors):
        with tf.GradientTape() as tape:
            mean = ops.mean(paint(generator, content, codes, training=True))
        slopes.append(np.abs(tape.gradient(mean, bias)).max())
    assert slopes[0] < 1e-5 < 1e-3 < slopes[1]


def test_a_graph_of_unknown_sizes_gives_the_same_images(generator, content, codes, plain):
    image = tf.TensorSpec((None, None, None, 3))
    code = tf.TensorSpec((None, codes.shape[-1]))
    graph = tf.function(generator.synthesize, input_signature=[image, code])
    assert_same(graph(content, codes), plain, atol=1e-4)
