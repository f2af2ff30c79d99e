"""What `stylize` is given: arguments of another type, masks of all kinds, several threads."""

import concurrent.futures

import numpy as np
import pytest
from PIL import Image

from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.stylizing.codes import encode_style, join_codes
from stylegan_transfer.stylizing.stylize import stylize
from stylegan_transfer.stylizing.with_code import stylize_with_code


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    return rng.random((40, 56, 3), "float32"), rng.random((48, 64, 3), "float32")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("generator", [None, "generator.keras", StyleGenerator, object()]),
        ("content", [None, 3, np.ones((2, 40, 56, 3)), np.ones((0, 40, 56, 3)), np.ones(3)]),
        ("style", [None, 3, [], [None], {}]),
        ("weights", ["1", 3, [None], [np.inf], [[1]]]),
        ("masks", [3, [], "missing.png", [np.full((40, 56), np.nan)]]),
        ("strength", ["0.5", None, np.nan, [0.5], np.ones(2), 1j]),
        ("style_size", ["64", None, 64.5, np.inf, 10**7]),
        ("tile_size", ["1024", None, 64.5, 100, np.nan]),
        ("seed", ["3", 1.5, [1]]),
        ("preserve_color", [3, [], ["match"], np.ones(2)]),
        ("tileable", ["no", 1]),
        ("progress", [3]),
    ],
)
def test_arguments_of_another_type_are_named(generator, pictures, name, values):
    arguments = {"generator": generator, "content": pictures[0], "style": pictures[1]}
    for value in values:
        with pytest.raises((ValueError, FileNotFoundError), match="Expected .*Received: "):
            stylize(**{**arguments, name: value})


@pytest.mark.parametrize(
    "code",
    [None, "code", [], np.zeros(8), np.zeros((1, 9)), np.zeros((0, 8)), np.zeros((1, 3, 8))]
    + [np.full((1, 8), np.nan), np.full((1, 8), None), np.zeros((1, 8), complex)],
)
def test_a_code_of_another_shape_or_without_numbers_is_named(generator, pictures, code):
    with pytest.raises(ValueError, match="Expected code .*Received: code="):
        stylize_with_code(generator, pictures[0], code)
    with pytest.raises(ValueError, match="Expected fine .*Received: fine="):
        join_codes(generator, np.zeros((1, 8)), code)


def test_weights_may_be_as_large_as_floats(generator, pictures):
    styles = [pictures[1], pictures[1][::-1]]
    equal = encode_style(generator, styles, style_size=32)
    huge = encode_style(generator, styles, style_size=32, weights=[1e308, 1e308])
    np.testing.assert_array_equal(huge, equal)


def test_a_generator_with_weights_that_are_not_finite_is_named(pictures):
    class Broken:
        noise, synthesize = False, print

        def encode_style(self, style):
            return np.full((1, 3), np.inf)

    with pytest.raises(ValueError, match="Expected a generator with finite weights"):
        encode_style(Broken(), pictures[1])


@pytest.mark.parametrize("mask", ["mask.png", Image.new("L", (56, 40), 255), np.ones((40, 56))])
def test_one_mask_need_not_be_in_a_list(generator, pictures, tmp_path, monkeypatch, mask):
    monkeypatch.chdir(tmp_path)
    Image.new("L", (56, 40), 255).save("mask.png")
    masked = stylize(generator, *pictures, masks=mask, style_size=32)
    np.testing.assert_array_equal(
        masked, stylize(generator, *pictures, masks=[mask], style_size=32)
    )


def test_transparent_parts_of_a_mask_cover_nothing(generator, pictures):
    mask = Image.new("RGBA", (56, 40), (255, 255, 255, 0))
    masked = stylize(generator, *pictures, masks=[mask], style_size=32)
    np.testing.assert_array_equal(masked, pictures[0])


def test_threads_paint_what_one_after_the_other_does(generator, pictures):
    def paint(seed):
        return stylize(generator, *pictures, style_size=32, seed=seed, strength=0.5)

    expected = [paint(seed) for seed in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        painted = [*threads.map(paint, range(8))]
    np.testing.assert_allclose(painted, expected, atol=1e-5)
