"""Exported transport generators: the matrices between two graphs, and what is painted."""

import keras
import numpy as np
import pytest
from generator_images import make_styles_and_noise_matter
from painting_cases import CASES, draw, paint_case

from stylegan_transfer.networks import transport as networks_transport
from stylegan_transfer.networks.transport_generator import TransportGenerator
from stylegan_transfer.runtimes.loading import load_generator
from stylegan_transfer.runtimes.roots import transport_matrix
from stylegan_transfer.stylizing.codes import encode_style
from stylegan_transfer.stylizing.video import stylize_frames

pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def generator():
    """A tiny generator in which styles and noise matter as they do after training."""
    keras.utils.set_random_seed(3)
    generator = make_styles_and_noise_matter(TransportGenerator(width=4, code_size=8))
    generator.compiled_synthesize = generator.synthesize  # tracing takes longer than it saves
    return generator


@pytest.fixture(scope="module")
def exported(folder):
    pytest.importorskip("onnxruntime")
    return load_generator(folder, "onnx")


def assert_same(actual, expected):
    """Square roots of covariances enlarge what float32 leaves of eigenvalues near 0."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-2)
    assert np.abs(actual - np.asarray(expected)).mean() < 1e-3


def test_style_codes_agree(generator, exported):
    styles = np.stack([draw(45, 70, seed) for seed in (1, 2)])
    codes = exported.encode_style(styles)
    assert codes.shape == (2, generator.length_of_codes) == (2, exported.length_of_codes)
    assert_same(codes, generator.encode_style(styles))


def test_matrices_are_those_of_the_network():
    maps = np.random.default_rng(0).normal(0, 1, (2, 40, 6)).astype("float32")
    covariances = [np.cov(m.T).astype("float32") for m in maps]
    expected = networks_transport.transport_matrix(*covariances)
    np.testing.assert_allclose(transport_matrix(*covariances), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["odd sides", "fine style", "masks in tiles"])
def test_pictures_agree(generator, exported, name):
    picture = paint_case(name, exported)
    assert picture.shape == (*CASES[name][0], 3)
    assert_same(picture, paint_case(name, generator))


def test_a_content_is_analysed_once_for_several_styles(folder, monkeypatch):
    exported, analysed = load_generator(folder, "onnx"), []
    run = exported.session

    def record(name, feeds, *others):
        if name == "analyse":
            analysed.append(feeds["content"].mean())
        return run(name, feeds, *others)

    exported.session = record
    content, codes = draw(48, 96)[None], exported.encode_style(np.stack([draw(40, 40, 1)] * 2))
    first = exported.synthesize(content, codes[:1])
    second = exported.synthesize(content.copy(), codes[1:])
    np.testing.assert_array_equal(first, second)
    assert len(analysed) == 1
    content[...] = draw(48, 96, 2)  # in place, as frames of a clip may come
    assert np.abs(exported.synthesize(content, codes[:1]) - first).max() > 0.1
    assert len(analysed) == 2


def test_openvino_paints_the_same(folder, exported):
    pytest.importorskip("openvino")
    other = load_generator(folder, "openvino")
    assert_same(paint_case("masks", other), paint_case("masks", exported))


def test_clips_agree(generator, exported):
    code = encode_style(generator, draw(50, 50, 3), style_size=40)
    frames = [draw(40, 60)[:, i : i + 40] for i in range(0, 9, 4)]
    clips = [[*stylize_frames(paints, frames, code)] for paints in (generator, exported)]
    assert_same(clips[1], np.stack(clips[0]))
