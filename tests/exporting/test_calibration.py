"""Ranges of maps, and what is painted in 8 bits."""

import keras
import numpy as np
import pytest
from generator_images import make_styles_and_noise_matter

from stylegan_transfer import samples, shipped
from stylegan_transfer.exporting.export import export
from stylegan_transfer.networks.transport_generator import TransportGenerator
from stylegan_transfer.runtimes import sessions
from stylegan_transfer.runtimes.description import read_description
from stylegan_transfer.runtimes.loading import load_generator
from stylegan_transfer.stylizing.stylize import stylize

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module", autouse=True)
def few_samples():
    with pytest.MonkeyPatch.context() as patch:
        for names in ("CONTENT_NAMES", "STYLE_NAMES"):
            patch.setattr(samples, names, getattr(samples, names)[:3])
        yield


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(1)
    return make_styles_and_noise_matter(TransportGenerator(width=8, code_size=8))


@pytest.fixture(scope="module")
def folder(generator, tmp_path_factory):
    path = tmp_path_factory.mktemp("calibrated") / "exported"
    export(generator, path, weights="float16", calibrate=True)
    return path


@pytest.fixture(scope="module")
def ranges(folder):
    return read_description(folder).ranges


def test_ranges_are_the_medians_of_the_extremes_on_the_samples(generator, ranges):
    """An early and a deep level of the content encoder, computed by Keras."""
    features = generator.features
    highs = {"relu2_1": [], "relu4_1": []}
    for name in samples.CONTENT_NAMES:
        maps = features(samples.draw_content(name, 256)[None])
        for layer in highs:
            highs[layer].append(np.max(maps[layer]))
    for values in highs.values():
        expected = pytest.approx([0.0, np.median(values)], abs=2e-3)
        assert expected in [*ranges["analyse"].values()]


def test_ranges_are_of_all_that_is_convolved_but_pixels(ranges):
    assert ranges.keys() == {"analyse", "synthesize"}
    assert len(ranges["analyse"]) == 11  # of 12 convolutions: the first takes pixels
    assert len(ranges["synthesize"]) == 6  # of 13: at this width, seven take too few channels
    for low, high in (bounds for tensors in ranges.values() for bounds in tensors.values()):
        assert low <= 0 < high


def test_the_generator_that_ships_has_ranges_of_tensors_that_are_in_its_graphs():
    onnx = pytest.importorskip("onnx")
    ranges = read_description(shipped.GRAPHS).ranges
    assert {name: len(tensors) for name, tensors in ranges.items()} == {
        "analyse": 11,
        "synthesize": 13,
    }
    for name, tensors in ranges.items():
        nodes = onnx.load(shipped.GRAPHS / f"{name}.onnx").graph.node
        assert tensors.keys() <= {output for node in nodes for output in node.output}


@pytest.mark.parametrize("format", ["onnx", "openvino"])
def test_8_bits_paint_nearly_the_same(generator, folder, format, monkeypatch, tmp_path):
    pytest.importorskip("openvino")
    monkeypatch.setattr(sessions, "_has_matrix_units", lambda: False)
    if format == "openvino":
        folder = tmp_path / "exported"
        export(generator, folder, format, calibrate=True)
    content, style = samples.draw_content("city", 96), samples.draw_style("swirls", 96)
    exact, fast = (
        stylize(load_generator(folder, "openvino", precision), content, style, style_size=96)
        for precision in ("float32", "fast")
    )
    difference = np.abs(fast - exact)
    assert 1e-4 < difference.mean() < 0.02
    assert difference.max() < 0.3


def test_without_ranges_fast_is_exact_where_there_are_no_matrix_units(
    generator, monkeypatch, tmp_path
):
    pytest.importorskip("openvino")
    monkeypatch.setattr(sessions, "_has_matrix_units", lambda: False)
    export(generator, tmp_path / "exported")
    style = samples.draw_style("swirls", 64)
    pictures = [
        stylize(load_generator(tmp_path / "exported", "openvino", precision), style, style)
        for precision in ("float32", "fast")
    ]
    np.testing.assert_array_equal(*pictures)


@pytest.mark.parametrize("format", ["saved_model", "litert"])
def test_formats_without_ranges_are_named(generator, tmp_path, format):
    with pytest.raises(ValueError, match=f"^Expected calibrate for onnx.*format='{format}'"):
        export(generator, tmp_path / "exported", format, calibrate=True)
