"""Exported generators paint what the Keras generator paints, with every control there is."""

import functools
import importlib.util

import numpy as np
import pytest
from painting_cases import CASES, draw, paint_case

from stylegan_transfer.runtimes.loading import load_generator
from stylegan_transfer.stylizing.codes import encode_style, join_codes
from stylegan_transfer.stylizing.video import stylize_frames
from stylegan_transfer.stylizing.with_code import stylize_with_code

MODULES = {"onnx": "onnxruntime", "openvino": "openvino"}
pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def generator(make_generator):
    generator = make_generator(code_size=8)
    generator.compiled_synthesize = generator.synthesize  # tracing takes longer than it saves
    return generator


@pytest.fixture(scope="module", params=MODULES)
def exported(request, folder):
    if importlib.util.find_spec(MODULES[request.param]) is None:
        pytest.skip(f"{request.param} is not installed")
    return load_generator(folder, request.param)


def assert_same(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=2e-5)


def test_style_codes_agree(generator, exported):
    styles = np.stack([draw(45, 70, seed) for seed in (1, 2)])
    assert_same(exported.encode_style(styles), generator.encode_style(styles))


@pytest.fixture(scope="module")
def paint_with_keras(generator):
    return functools.cache(functools.partial(paint_case, generator=generator))


@pytest.mark.parametrize("name", CASES)
def test_pictures_agree(paint_with_keras, exported, name):
    picture = paint_case(name, exported)
    assert picture.shape == (*CASES[name][0], 3)
    assert_same(picture, paint_with_keras(name))


def test_batches_with_a_code_for_each_picture_agree(generator, exported):
    contents = np.stack([draw(40, 50, seed) for seed in range(3)])
    codes = [encode_style(generator, draw(50, 50, seed), style_size=40) for seed in (3, 4, 5)]
    codes[0] = join_codes(generator, codes[0], codes[1])
    codes[1:] = [np.repeat(code[:, None], generator.num_layers, axis=1) for code in codes[1:]]
    results = [
        stylize_with_code(paints, contents, np.concatenate(codes))
        for paints in (generator, exported)
    ]
    assert_same(results[1], results[0])


def test_clips_agree(generator, exported):
    code = encode_style(generator, draw(50, 50, 3), style_size=40)
    frames = [draw(40, 60)[:, i : i + 40] for i in range(0, 9, 4)]
    results = [
        np.stack([*stylize_frames(paints, frames, code, strength=0.7, style_size=32)])
        for paints in (generator, exported)
    ]
    assert_same(results[1], results[0])


def test_many_sizes_in_turn_agree(generator, exported):
    code = encode_style(generator, draw(50, 50, 3), style_size=40)
    for size in [(32, 40), (40, 32), (32, 40), (40, 32), (40, 32)]:
        pictures = [stylize_with_code(p, draw(*size), code) for p in (generator, exported)]
        assert_same(pictures[1], pictures[0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda g: g.encode_style(np.zeros((1, 31, 40, 3))), "at least 32 pixels"),
        (lambda g: g.synthesize(np.zeros((1, 40, 31, 3)), np.zeros((1, 8))), "at least 32 pixels"),
        (lambda g: g.synthesize(np.zeros((1, 40, 40, 3)), np.zeros((1, 9))), "codes="),
    ],
)
def test_wrong_shapes_are_errors_of_one_line(exported, call, words):
    with pytest.raises(ValueError, match=f"^Expected .*{words}"):
        call(exported)
