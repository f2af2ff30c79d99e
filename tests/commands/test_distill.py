"""The command `distill`: what its validation measures, and runs."""

import contextlib
import io
import json
import sys

import numpy as np
import pytest
import tensorflow as tf

from stylegan_transfer import shipped
from stylegan_transfer.commands import distill, launch
from stylegan_transfer.commands.distillation import student, teachers, validation
from stylegan_transfer.networks import features
from stylegan_transfer.networks.vgg19 import build_distilled_network
from stylegan_transfer.pictures.files import load_image, save_image

SCRIPT = "experiments/distill.py"
LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
SOURCES = ("--photos=samples", "--paintings=samples")


def run(*flags):
    return launch.run(distill.main, ["distill", *map(str, flags)])


class FakeDistiller:
    """Maps are powers of the image; heads and teacher are what the test gives."""

    def __init__(self, head, teacher):
        self._head, self._teacher = head, teacher

    def __call__(self, image):
        maps = {layer: tf.constant(image ** (i + 1)) for i, layer in enumerate(LAYERS)}
        return maps, {layer: self._head(values) for layer, values in maps.items()}

    def teacher(self, image):
        return {layer: self._teacher(values) for layer, values in self(image)[0].items()}


def make_images(number, seed):
    return np.random.default_rng(seed).random((number, 8, 8, 3), "float32")


def test_a_student_that_is_its_teacher_agrees_in_everything():
    same = FakeDistiller(lambda m: m, lambda m: m)
    figures = validation.validate(same, make_images(4, 0), make_images(3, 1))
    assert list(figures) == [*LAYERS, "relu1_1 to relu3_1"]
    for row, values in figures.items():
        names = {"gram_correlation", "content_correlation"}
        names |= {"explained_variance"} if row in LAYERS else set()
        assert values == {name: pytest.approx(1.0) for name in names}


def test_heads_of_means_explain_nothing_and_an_unrelated_student_does_not_correlate():
    noise = np.random.default_rng(2)
    unrelated = FakeDistiller(
        lambda m: tf.zeros_like(m) + 0.5, lambda m: noise.random(m.shape).astype("float32")
    )
    figures = validation.validate(unrelated, make_images(20, 0), make_images(20, 1))
    for layer in LAYERS:
        assert figures[layer]["explained_variance"] == pytest.approx(0.0, abs=0.01)
        assert abs(figures[layer]["content_correlation"]) < 0.2  # 400 pairs: 0.05 by chance


def test_squares_are_the_middle(save_picture, tmp_path):
    save_picture("wide.png", size=(32, 48))
    image = load_image(tmp_path / "wide.png")
    squares = validation.load_squares(tmp_path, 32)
    np.testing.assert_allclose(squares, image[None, :, 8:40], atol=1e-6)


def test_normalized_weights_give_the_same_maps_with_a_mean_of_1():
    images = make_images(2, 0) - 0.5
    network = build_distilled_network(LAYERS)
    before = network(np.tile(images, (1, 4, 4, 1)))
    student.normalize_activations(network, np.tile(images, (1, 4, 4, 1)))
    after = network(np.tile(images, (1, 4, 4, 1)))
    for layer in LAYERS:
        assert float(tf.reduce_mean(after[layer])) == pytest.approx(1.0, rel=1e-4)
        scaled = before[layer] / tf.reduce_mean(before[layer])
        np.testing.assert_allclose(after[layer], scaled, rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """The folder of a run with everything."""
    folder = tmp_path_factory.mktemp("distill")
    for i in range(2):
        pixels = np.random.default_rng(i).random((40, 50, 3), "float32")
        save_image(pixels, folder / "held_out" / f"{i}.png")
    printed, compile_model = io.StringIO(), student.Distiller.compile

    def compile_eagerly(self, **kwargs):  # for two steps that is quicker than to trace a graph
        compile_model(self, **kwargs, run_eagerly=True)

    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr(student.Distiller, "compile", compile_eagerly)
        code = run(
            *(*SOURCES, "--teacher=random", f"--workdir={folder / 'run'}"),
            *("--steps=2", "--batch_size=2", "--image_size=32", "--validation_size=32"),
            f"--validation_photos={folder / 'held_out'}",
            f"--validation_paintings={folder / 'held_out'}",
        )
    assert code == 0
    assert "| relu1_1 to relu3_1 |" in printed.getvalue()
    assert f"Wrote {folder / 'run' / 'vgg19_distilled.npz'}" in printed.getvalue()
    return folder / "run"


def test_a_run_writes_features_that_the_package_can_ship(workdir, monkeypatch):
    with np.load(workdir / "vgg19_distilled.npz") as arrays:
        assert arrays["block5_conv1/kernel"].dtype == "float16"
        assert arrays["block5_conv1/kernel"].shape == (3, 3, 128, 128)
    monkeypatch.setitem(shipped.FEATURES, "distilled", workdir / "vgg19_distilled.npz")
    maps = features.VGG19Features("distilled", LAYERS)(np.zeros((1, 32, 32, 3)))
    assert maps["relu5_1"].shape == (1, 2, 2, 128)


def test_a_run_writes_figures_and_logs(workdir):
    figures = json.loads((workdir / "validation.json").read_text())
    assert figures["relu5_1"]["explained_variance"] < 1
    assert list((workdir / "logs").rglob("events.*"))


def test_a_slim_student_predicts_the_maps_of_the_distilled_features(tmp_path, monkeypatch):
    teacher = teachers.load_teacher("distilled")
    distiller = student.Distiller(teacher, 0.0, "slim")
    assert not distiller.heads
    images = make_images(2, 0).repeat(4, axis=1).repeat(4, axis=2)
    maps, predicted = distiller(images)
    for layer, expected in teacher(images).items():
        assert predicted[layer] is maps[layer]
        assert maps[layer].shape == expected.shape
    student.save_student(distiller.student, tmp_path / "vgg19_slim.npz")
    monkeypatch.setitem(shipped.FEATURES, "slim", tmp_path / "vgg19_slim.npz")
    for layer, loaded in features.VGG19Features("slim", LAYERS)(images).items():
        np.testing.assert_allclose(loaded, maps[layer], rtol=2e-3, atol=1e-2)


def test_a_slim_run_learns_from_the_distilled_features_and_names_its_file(tmp_path):
    flags = "--student=slim", "--teacher=distilled", "--steps=0", "--image_size=32"
    assert run(*SOURCES, *flags, f"--workdir={tmp_path}") == 0
    with np.load(tmp_path / "vgg19_slim.npz") as arrays:
        assert arrays["stem/kernel"].shape == (6, 6, 3, 24)


def test_no_steps_from_the_weights_of_another_run_keep_them(workdir, tmp_path, capsys):
    weights = f"--initial_weights={workdir / 'distiller.weights.h5'}"
    flags = "--teacher=random", weights, "--steps=0", "--image_size=32", f"--workdir={tmp_path}"
    assert run(*SOURCES, *flags) == 0
    assert "Wrote" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["vgg19_distilled.npz"]
    first, second = (np.load(folder / "vgg19_distilled.npz") for folder in (workdir, tmp_path))
    for name in first.files:  # up to a factor: it comes from a few crops
        if name.endswith("kernel"):
            pair = [file[name].astype("float64").ravel() for file in (first, second)]
            assert np.corrcoef(*pair)[0, 1] > 0.999


def test_a_collaborative_encoder_is_the_teacher_of_the_deep_layers(tmp_path):
    random, arrays = np.random.default_rng(0), {}
    widths, channels = (2, 3, 4, 5, 6), 3

    def add(name, size, inputs, outputs):
        arrays[f"{name}/kernel"] = random.random((size, size, inputs, outputs), "f4")
        arrays[f"{name}/bias"] = np.zeros(outputs, "f4")

    add("conv0", 1, 3, 3)
    for block, (convs, width) in enumerate(zip((2, 2, 4, 4, 1), widths, strict=True), start=1):
        for conv in range(1, convs + 1):
            add(f"conv{block}{conv}", 3, channels, width)
            channels = width
    add("conv41_aux", 1, widths[3], 512)
    add("conv51_aux", 1, widths[4], 512)
    np.savez(tmp_path / "encoder.npz", **arrays)
    teacher = teachers.load_teacher("random", str(tmp_path / "encoder.npz"))
    maps = teacher(np.full((1, 64, 64, 3), 0.5, "float32"))
    assert [*maps] == [*LAYERS]
    assert (maps["relu4_1"].shape, maps["relu5_1"].shape) == ((1, 8, 8, 512), (1, 4, 4, 512))
    for layer in ("relu4_1", "relu5_1"):  # a flat picture, padded by reflection, stays flat
        values = maps[layer].numpy()
        assert values.min() > 0
        np.testing.assert_allclose(values, values[:, :1, :1] + 0 * values, rtol=1e-4)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--validation_photos=a"], "Expected validation_paintings"),
        (["--validation_paintings=a"], "Expected validation_photos"),
        (
            ["--image_size=16"],
            "Expected image_size: at least 32 and at most 4096. Received: image_size=16",
        ),
        (["--steps=-1"], "Expected steps: at least 0"),
        (["--student=slim"], 'Expected teacher: "distilled"'),
        (
            ["--student=slim", "--teacher=distilled", "--deep_teacher=deep.npz"],
            "Expected deep_teacher: none",
        ),
        (["--learning_rate=fast"], "Expected --learning_rate: a number"),
        (["--validation_photos=no_a", "--validation_paintings=no_b"], "no_a"),
    ],
)
def test_wrong_flags_are_named_before_any_work(tmp_path, capsys, flags, words):
    assert run(*SOURCES, f"--workdir={tmp_path / 'run'}", *flags) == 1
    message = capsys.readouterr().err
    assert message.startswith("Error: ") and words in message
    assert not (tmp_path / "run").exists()


def test_without_scipy_there_is_no_validation(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    flags = "--validation_photos=a", "--validation_paintings=b"
    assert run(*SOURCES, f"--workdir={tmp_path / 'run'}", *flags) == 1
    assert 'pip install "stylegan_transfer[evaluate]"' in capsys.readouterr().err


def test_the_script_ends_with_one_line_and_exit_code_1(run_python, assert_user_error):
    assert_user_error(run_python(SCRIPT, "--photos=samples"), "Error: ", "--paintings")
