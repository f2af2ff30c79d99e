"""Exports as files: what is written, replaced and refused."""

import sys

import numpy as np
import pytest

from stylegan_transfer.exporting.export import export
from stylegan_transfer.networks.document_generator import DocumentGenerator
from stylegan_transfer.networks.features import VGG19Features

onnx = pytest.importorskip("onnx")


def test_a_folder_holds_the_graphs_and_their_description(generator, tmp_path):
    export(generator, tmp_path / "new" / "exported")
    names = {path.name for path in (tmp_path / "new" / "exported").iterdir()}
    assert names == {"encode_style.onnx", "generator.json", "synthesize.onnx"}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["exported"]


def test_sizes_of_the_graphs_are_open(generator, tmp_path):
    export(generator, tmp_path / "exported")
    graph = onnx.load(tmp_path / "exported" / "synthesize.onnx").graph
    (content,) = (value for value in graph.input if value.name == "content")
    axes = [axis.dim_param or axis.dim_value for axis in content.type.tensor_type.shape.dim]
    assert axes == ["batch", "height", "width", 3]


def test_half_precision_halves_the_file_and_hardly_changes_the_picture(generator, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    style = np.random.default_rng(0).random((1, 40, 48, 3), dtype="float32")
    codes, sizes = [], []
    for weights in ("float32", "float16"):
        export(generator, tmp_path / "exported", weights=weights)
        path = tmp_path / "exported" / "encode_style.onnx"
        sizes.append(path.stat().st_size)
        codes.append(runtime.InferenceSession(path).run(None, {"style": style})[0])
    assert sizes[1] < 0.6 * sizes[0]
    np.testing.assert_allclose(codes[1], codes[0], atol=5e-3)


def test_only_an_export_is_replaced(generator, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"^Expected a new folder"):
        export(generator, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("format", ["tflow", ""])
def test_an_unknown_format_is_one_line(generator, tmp_path, format):
    with pytest.raises(ValueError, match=f"^Expected one of .*onnx.* Received: format='{format}'"):
        export(generator, tmp_path / "exported", format=format)
    assert not [*tmp_path.iterdir()]


def test_another_kind_of_generator_is_one_line(tmp_path):
    generator = DocumentGenerator(VGG19Features(layers=("relu4_1",)))
    with pytest.raises(ValueError, match=r"generator='DocumentGenerator'$"):
        export(generator, tmp_path / "exported")


def test_a_missing_package_is_one_line_that_says_how_to_get_it(generator, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install .stylegan_transfer\[export\]"):
        export(generator, tmp_path / "exported")
