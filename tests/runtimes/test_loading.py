"""Which runtime runs a generator, and what is said where none can."""

import concurrent.futures
import json
import shutil

import numpy as np
import pytest

from stylegan_transfer.exporting.export import export
from stylegan_transfer.networks.saving import save_generator
from stylegan_transfer.runtimes import loading, sessions
from stylegan_transfer.runtimes.exported import ExportedGenerator
from stylegan_transfer.runtimes.loading import choose_runtime, load_generator
from stylegan_transfer.stylizing.stylize import stylize

pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def paths(make_generator, tmp_path_factory):
    """A generator as a file and as an exported folder."""
    folder = tmp_path_factory.mktemp("loading")
    generator = make_generator(code_size=8)
    save_generator(generator, folder / "generator.keras")
    export(generator, folder / "exported")
    return {"keras": folder / "generator.keras", "exported": folder / "exported"}


@pytest.fixture
def install(monkeypatch):
    """Makes it look as if these runtimes alone were installed."""

    def install(*runtimes):
        for module in (loading, sessions):
            monkeypatch.setattr(module, "is_installed", lambda runtime: runtime in runtimes)

    return install


def test_auto_takes_what_starts_first_or_what_has_the_precision(install, paths):
    for installed, chosen, chosen_for_fast in [
        (("onnx", "openvino"), "onnx", "openvino"),
        (("openvino",), "openvino", "openvino"),
        (("onnx",), "onnx", "onnx"),
    ]:
        install(*installed)
        for path in (None, paths["exported"]):
            assert choose_runtime(path) == chosen
            assert choose_runtime(path, "fast") == chosen_for_fast
    install()
    assert choose_runtime() == "tensorflow"
    assert choose_runtime(paths["exported"]) == "onnx"  # whose absence is then the error


def test_a_keras_file_is_run_by_keras(install, paths):
    install("onnx", "openvino")
    assert load_generator(paths["keras"]).count_params() > 0


def test_a_missing_extra_is_one_line_that_says_how_to_get_it(install, paths):
    install()
    for runtime in ("auto", "onnx"):
        with pytest.raises(ImportError, match=r"stylegan_transfer\[onnx\]") as error:
            load_generator(paths["exported"], runtime)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [
        ("exported", {"runtime": "caffe"}, "runtime='caffe'"),
        ("exported", {"runtime": "tensorflow"}, r"\.keras file"),
        ("keras", {"runtime": "onnx"}, "a folder that export wrote"),
        ("exported", {"runtime": "onnx", "precision": "half"}, "precision='half'"),
        ("exported", {"runtime": "onnx", "precision": "fast"}, "openvino"),
        ("keras", {"precision": "fast"}, "TensorFlow"),
    ],
)
def test_a_generator_that_does_not_fit_the_runtime_is_one_line(
    install, paths, path, options, words
):
    install("onnx", "openvino")
    with pytest.raises(ValueError, match=f"^Expected .*{words}") as error:
        load_generator(paths[path], **options)
    assert "\n" not in str(error.value)


def test_a_missing_generator_is_one_line(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing'$"):
        load_generator(tmp_path / "missing")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 99}, "graphs of format 2.*format=99"),
        ({"format": None}, "format=None"),
        ({"unheard": 1}, "description"),
        ({"ranges": 3}, "ranges"),
        ({"ranges": {"synthesize": ["Relu_0_0"]}}, "ranges"),
        ({"ranges": {"synthesize": {"Relu_0_0": [1.0, 0.0]}}}, "ranges"),
        ({"ranges": {"synthesize": {"Relu_0_0": [0.0, None]}}}, "ranges"),
    ],
)
def test_graphs_of_another_version_are_one_line(paths, tmp_path, change, words):
    folder = tmp_path / "exported"
    folder.mkdir()
    text = (paths["exported"] / "generator.json").read_text()
    (folder / "generator.json").write_text(json.dumps(json.loads(text) | change))
    with pytest.raises(ValueError, match=f"^Expected .*{words}"):
        load_generator(folder, "onnx")


def test_a_damaged_description_is_one_line(tmp_path):
    (tmp_path / "generator.json").write_text("{")
    with pytest.raises(ValueError, match="^Expected the description of an exported generator"):
        load_generator(tmp_path, "onnx")


def test_the_exported_generator_has_what_stylize_needs(paths):
    pytest.importorskip("onnxruntime")
    generator = load_generator(paths["exported"], "onnx")
    assert isinstance(generator, ExportedGenerator)
    assert generator.strides == [8, 8, 4, 2]
    assert generator.num_layers == 4
    assert generator.receptive_radius == 48
    assert generator.noise


@pytest.mark.parametrize("path", [3, 0, True, [], b"a", "", "a\0b"])
def test_a_path_of_another_type_is_named(path):
    with pytest.raises(ValueError, match="Expected a trained generator.*Received: path="):
        load_generator(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: b"{",
        lambda text: b"\xff\xfe",
        lambda text: b"[" * 100_000,
        lambda text: text.replace(b'"code_size": 8', b'"code_size": "8"'),
        lambda text: text.replace(b'"strides": [', b'"strides": ["x", '),
    ],
)
def test_a_damaged_description_is_named(paths, tmp_path, damage):
    shutil.copytree(paths["exported"], tmp_path / "damaged")
    description = tmp_path / "damaged" / "generator.json"
    description.write_bytes(damage(description.read_bytes()))
    with pytest.raises(ValueError, match=r"Expected .*damaged/generator\.json"):
        load_generator(tmp_path / "damaged", "onnx")


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_a_damaged_graph_is_named_in_one_line(paths, tmp_path, runtime):
    pytest.importorskip({"onnx": "onnxruntime", "openvino": "openvino"}[runtime])
    shutil.copytree(paths["exported"], tmp_path / "damaged")
    graph = tmp_path / "damaged" / "encode_style.onnx"
    graph.write_bytes(graph.read_bytes()[:1_000])
    generator = load_generator(tmp_path / "damaged", runtime)
    with pytest.raises(ValueError, match=r"Expected a graph .*encode_style\.onnx") as error:
        generator.encode_style(np.zeros((1, 32, 32, 3), "float32"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_threads_share_a_generator(paths, runtime):
    pytest.importorskip({"onnx": "onnxruntime", "openvino": "openvino"}[runtime])
    generator = load_generator(paths["exported"], runtime)
    style, *contents = np.random.default_rng(0).random((17, 48, 64, 3), "float32")

    def paint(i):
        return stylize(generator, contents[i], style, style_size=32, seed=i)

    expected = [paint(i) for i in range(16)]
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        painted = [*threads.map(paint, range(16))]
    np.testing.assert_allclose(painted, expected, atol=1e-5)


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_a_missing_and_a_damaged_graph_are_named(paths, tmp_path, runtime):
    pytest.importorskip({"onnx": "onnxruntime"}.get(runtime, runtime))
    folder = tmp_path / "torn"
    shutil.copytree(paths["exported"], folder)
    (folder / "encode_style.onnx").unlink()
    graph = (folder / "synthesize.onnx").read_bytes()
    (folder / "synthesize.onnx").write_bytes(graph[: len(graph) // 2])
    generator, picture = load_generator(folder, runtime), np.zeros((1, 32, 32, 3), "float32")
    for _ in range(2):  # the second time as the first
        with pytest.raises(ValueError, match="^Expected a folder with .*encode_style.onnx.*torn"):
            generator.encode_style(picture)
        with pytest.raises(ValueError, match="^Expected a graph that can be read.*synthesize.onnx"):
            generator.synthesize(picture, np.zeros((1, 8), "float32"))
