import os
import pathlib
import zipfile

import h5py
import keras
import numpy as np
import pytest

from stylegan_transfer.networks.document_generator import DocumentGenerator
from stylegan_transfer.networks.features import VGG19Features
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.networks.saving import load_generator, save_generator

# Generators, and what they painted, saved while `generator` and `features` were modules of the
# package itself: a `.keras` file names the module of each class.
FLAT_LAYOUT = pathlib.Path(__file__).parent / "flat_layout"
CODE_SIZE = 8


@pytest.fixture(scope="module")
def generator():
    """A tiny generator whose weights are all random: noise and styles matter, as in training."""
    generator = StyleGenerator(width=4, num_blocks=1, code_size=CODE_SIZE)
    random = np.random.default_rng(0)
    for weight in generator.trainable_variables:
        weight.assign(random.normal(0, 0.2, weight.shape))
    return generator


@pytest.fixture(scope="module")
def content():
    return np.random.default_rng(0).random((2, 33, 47, 3), dtype="float32")


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(1).normal(0, 1, (2, CODE_SIZE)).astype("float32")


@pytest.fixture(scope="module")
def plain(generator, content, codes):
    return np.asarray(generator.synthesize(content, codes))


def test_a_saved_generator_is_loaded_exactly(tmp_path, generator, content, codes, plain):
    save_generator(generator, tmp_path / "new folder" / "a.keras")
    loaded = load_generator(tmp_path / "new folder" / "a.keras")
    assert isinstance(loaded, StyleGenerator)
    np.testing.assert_array_equal(loaded.synthesize(content, codes), plain)
    noise = generator.draw_noise(2, 33, 47, seed=4)
    noisy = [g.synthesize(content, codes, noise=noise) for g in (generator, loaded)]
    np.testing.assert_array_equal(*noisy)
    np.testing.assert_array_equal(loaded.encode_style(content), generator.encode_style(content))


def test_half_precision_files_are_half_as_big_and_nearly_equal(tmp_path, content, codes):
    generator = StyleGenerator(width=16, num_blocks=2, code_size=CODE_SIZE)
    full, half = tmp_path / "full.keras", tmp_path / "half.keras"
    save_generator(generator, full)
    save_generator(generator, os.fspath(half), half_precision=True)
    loaded = load_generator(half)
    assert {w.dtype for w in loaded.trainable_variables} == {"float32"}
    expected = generator.synthesize(content, codes)
    np.testing.assert_allclose(loaded.synthesize(content, codes), expected, atol=0.01)
    for weight, original in zip(
        loaded.trainable_variables, generator.trainable_variables, strict=True
    ):
        np.testing.assert_array_equal(weight, np.float32(np.float16(original)))

    def size_of_weights(path):
        total = 0

        def add(_, item):
            nonlocal total
            total += item.nbytes if isinstance(item, h5py.Dataset) else 0

        with (
            zipfile.ZipFile(path) as archive,
            archive.open("model.weights.h5") as file,
            h5py.File(file) as weights,
        ):
            weights.visititems(add)
        return total

    assert size_of_weights(half) < 0.51 * size_of_weights(full)
    assert half.stat().st_size < 0.75 * full.stat().st_size  # HDF5's own bookkeeping remains


@pytest.mark.parametrize("half_precision", [False, True])
def test_saving_leaves_one_file_and_replaces_an_older_one(tmp_path, generator, half_precision):
    path = tmp_path / "a.keras"
    path.write_text("older")
    save_generator(generator, path, half_precision)
    assert [file.name for file in tmp_path.iterdir()] == ["a.keras"]
    load_generator(path)


def test_a_failed_save_leaves_the_older_file_alone(tmp_path, monkeypatch, generator):
    path = tmp_path / "a.keras"
    path.write_text("older")
    monkeypatch.setattr(StyleGenerator, "save", lambda self, path: path.write_text("x") and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_generator(generator, path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.keras"]
    assert path.read_text() == "older"


@pytest.mark.parametrize("name", ["generator", "generator.h5"])
def test_a_path_that_does_not_end_in_keras_is_refused(tmp_path, generator, name):
    with pytest.raises(
        ValueError, match=r"Expected a path that ends in \.keras, or hf.*Received: "
    ):
        save_generator(generator, tmp_path / name)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Expected a trained generator.*missing\.keras"):
        load_generator(tmp_path / "missing.keras")


@pytest.mark.parametrize("data", [b"", b"not a zip file", b"PK\x03\x04 cut off"])
def test_a_file_of_garbage_is_refused(tmp_path, data):
    path = tmp_path / "garbage.keras"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"Expected a generator saved by.*garbage\.keras"):
        load_generator(path)


def test_a_truncated_file_is_refused(tmp_path, generator):
    path = tmp_path / "truncated.keras"
    save_generator(generator, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"Expected a generator saved by.*truncated\.keras"):
        load_generator(path)


def test_another_keras_model_is_refused(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "dense.keras")
    with pytest.raises(ValueError, match=r"Expected a generator\. Received: .*Sequential"):
        load_generator(tmp_path / "dense.keras")


def test_code_in_a_file_is_not_run(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)])
    model.save(tmp_path / "lambda.keras")
    with pytest.raises(ValueError, match=r"Expected a generator saved by.*lambda\.keras"):
        load_generator(tmp_path / "lambda.keras")


def test_document_generator_is_loaded_without_the_file_of_its_features(tmp_path, content):
    network = keras.applications.VGG19(include_top=False, weights=None)
    arrays = {
        f"{layer.name}/{weight.name}": np.asarray(weight)
        for layer in network.layers
        for weight in layer.weights
    }
    np.savez(tmp_path / "vgg19.npz", **arrays)
    generator = DocumentGenerator(
        VGG19Features(tmp_path / "vgg19.npz", ("relu4_1",), scales={"relu4_1": 3.0}), noise=True
    )
    save_generator(generator, tmp_path / "document.keras")
    (tmp_path / "vgg19.npz").unlink()
    loaded = load_generator(tmp_path / "document.keras")
    assert isinstance(loaded, DocumentGenerator)
    assert loaded.noise
    assert loaded.features.scales == {"relu4_1": 3.0}
    inputs = [content, content[::-1]]
    np.testing.assert_array_equal(loaded(inputs), generator(inputs))


def flat_layout_images():
    """The content and the style that `expected.npz` was painted from."""
    y, x = np.mgrid[:32, :40].astype("float32")
    content = np.stack([np.cos(0.1 * x), np.cos(0.2 * y), np.cos(0.1 * x + 0.2 * y)], -1) ** 2
    style = np.stack([np.sin(0.9 * x), np.sin(0.5 * x - 0.4 * y), np.ones_like(x)], -1) ** 2
    return content[None], style[None]


@pytest.mark.parametrize("name", ["style", "document"])
def test_files_from_before_the_modules_had_folders_give_the_same_images(name):
    generator = load_generator(FLAT_LAYOUT / f"{name}.keras")
    content, style = flat_layout_images()
    with np.load(FLAT_LAYOUT / "expected.npz") as expected:
        actual = np.asarray(generator.synthesize(content, generator.encode_style(style)))
        inside = slice(None), slice(2, -2), slice(2, -2)  # the filter's border was another one
        np.testing.assert_allclose(actual[inside], expected[name][inside], atol=1e-3)
