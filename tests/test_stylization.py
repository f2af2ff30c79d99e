"""Stylising: strength, kinds of input, errors."""

import keras
import numpy as np
import pytest
from PIL import Image

from stylegan_transfer import samples
from stylegan_transfer.features import VGG19Features
from stylegan_transfer.generator import StyleGenerator
from stylegan_transfer.losses import content_loss, style_loss
from stylegan_transfer.saving import load_generator
from stylegan_transfer.stylization import encode_style, stylize, stylize_with_code


class ToyGenerator:
    """Mixes the content half and half with the style's mean colour."""

    def encode_style(self, style):
        return np.mean(style, axis=(1, 2))

    def synthesize(self, content, codes):
        return 0.5 * content + 0.5 * codes[:, None, None]


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(3)
    generator = StyleGenerator(width=4, num_blocks=1)
    # An untrained generator nearly ignores the style: make the modulations large.
    for norm in generator.norms:
        norm.affine.kernel.assign(10.0 * norm.affine.kernel)
    return generator


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    content = rng.uniform(0.2, 0.8, (40, 56, 3)).astype("float32")
    style = rng.uniform(0.0, 1.0, (48, 64, 3)).astype("float32") * np.float32([1.0, 0.5, 0.2])
    return content, style


def test_strength_0_is_the_photograph_itself(generator, pictures):
    content, style = pictures
    np.testing.assert_array_equal(stylize(generator, content, style, strength=0.0), content)


def test_strength_1_is_what_the_generator_paints(generator, pictures):
    content, style = pictures
    stylized = stylize(generator, content, style, style_size=48)  # the style's own size
    expected = keras.ops.convert_to_numpy(generator([content[None], style[None]]))[0]
    np.testing.assert_allclose(stylized, expected, atol=1e-5)
    assert stylized.dtype == np.float32
    assert stylized.shape == content.shape
    assert np.abs(stylized - content).mean() > 0.05


def test_strength_in_between_follows_its_formula():
    height = width = 32  # the style size: nothing is resized
    rng = np.random.default_rng(0)
    content = rng.uniform(0.4, 0.6, (height, width, 3)).astype("float32")
    style = rng.uniform(0.3, 0.7, (height, width, 3)).astype("float32")
    for strength in (0.2, 0.5, 0.9):
        mixed = content.mean((0, 1)) + strength * (style.mean((0, 1)) - content.mean((0, 1)))
        painted = 0.5 * content + 0.5 * mixed
        missed = content - (0.5 * content + 0.5 * content.mean((0, 1)))
        stylized = stylize(ToyGenerator(), content, style, strength=strength, style_size=32)
        expected = painted + (1 - strength) * missed
        np.testing.assert_allclose(stylized, expected, atol=1e-5)


def test_style_grows_steadily_from_the_photograph_to_the_full_style(generator, pictures):
    content, style = pictures
    strengths = (0.0, 1e-6, 0.25, 0.5, 0.75, 1.0 - 1e-6, 1.0)
    stylized = [
        stylize(generator, content, style, strength=strength, style_size=48)
        for strength in strengths
    ]
    distances = [np.abs(picture - content).mean() for picture in stylized]
    assert distances[1] < 1e-4
    assert np.abs(stylized[-1] - stylized[-2]).mean() < 1e-4
    assert np.all(np.diff(distances[1:-1]) > 0)
    assert all(picture.min() >= 0 and picture.max() <= 1 for picture in stylized)


def test_path_image_and_arrays_give_the_same_picture(generator, save_picture):
    paths = save_picture("content.png", seed=1), save_picture("style.png", (64, 50), seed=2)
    images = [Image.open(path).convert("RGB") for path in paths]
    bytes_ = [np.asarray(image) for image in images]
    floats = [array.astype("float32") / 255 for array in bytes_]
    expected = stylize(generator, *floats)
    assert expected.shape == (48, 40, 3)
    for pair in (paths, [str(path) for path in paths], images, bytes_):
        np.testing.assert_allclose(stylize(generator, *pair), expected, atol=1e-5)
    for image in images:
        image.close()


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_stylizing_with_a_code_equals_stylizing_with_the_picture(generator, pictures, strength):
    content, style = pictures
    code = encode_style(generator, style, style_size=40)
    actual = stylize_with_code(generator, content, code, strength=strength, style_size=40)
    expected = stylize(generator, content, style, strength=strength, style_size=40)
    np.testing.assert_array_equal(actual, expected)


def test_style_is_looked_at_in_the_style_size():
    sizes = []

    class Recorder(ToyGenerator):
        def encode_style(self, style):
            sizes.append(style.shape)
            return super().encode_style(style)

    encode_style(Recorder(), np.zeros((50, 100, 3), np.float32), style_size=32)
    encode_style(Recorder(), np.zeros((50, 100, 3), np.float32))
    assert sizes == [(1, 32, 64, 3), (1, 256, 512, 3)]


def test_one_code_a_layer_can_be_weakened_too(generator, pictures):
    content, style = pictures
    code = keras.ops.convert_to_numpy(encode_style(generator, style))
    per_layer = np.repeat(code[:, None], generator.num_layers, axis=1)
    np.testing.assert_allclose(
        stylize_with_code(generator, content, per_layer, strength=0.5),
        stylize_with_code(generator, content, code, strength=0.5),
        atol=1e-5,
    )


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_strength_out_of_range_is_refused(generator, pictures, strength):
    with pytest.raises(ValueError, match=r"strength in \[0, 1\].*Received: strength="):
        stylize(generator, *pictures, strength=strength)


def test_style_size_below_32_is_refused(generator, pictures):
    with pytest.raises(ValueError, match="style_size of at least 32.*style_size=31"):
        stylize(generator, *pictures, style_size=31)


def test_missing_file_is_named(generator, pictures):
    with pytest.raises(FileNotFoundError, match=r"no_such\.png"):
        stylize(generator, "no_such.png", pictures[1])
    with pytest.raises(FileNotFoundError, match=r"no_such\.png"):
        stylize(generator, pictures[0], "no_such.png")


def test_unreadable_file_is_named(generator, pictures, tmp_path):
    (tmp_path / "broken.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"broken\.png"):
        stylize(generator, tmp_path / "broken.png", pictures[1])


def test_content_under_32_pixels_is_refused(generator, pictures):
    with pytest.raises(ValueError, match="32"):
        stylize(generator, np.zeros((31, 64, 3), np.float32), pictures[1])


def test_the_generator_that_ships_brings_photographs_near_the_style_and_keeps_their_content():
    generator = load_generator()
    features = VGG19Features()
    content = samples.draw_content("harbour", 128)
    for name in ("swirls", "pointillism", "waves"):
        style = samples.draw_style(name, 128)
        result = stylize(generator, content, style)
        maps = {k: features(v[None]) for k, v in (("c", content), ("s", style), ("y", result))}
        # the untouched photograph is at a content distance of 0, another picture at about 2
        assert style_loss(maps["y"], maps["s"]) < 0.5 * style_loss(maps["c"], maps["s"])
        assert content_loss(maps["y"], maps["c"]) < 0.5 * content_loss(maps["s"], maps["c"])
