"""The distillation script: what it measures, and a run."""

import json

import distill_validation
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from stylegan_transfer.pictures.files import load_image

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


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
    figures = distill_validation.validate(same, make_images(4, 0), make_images(3, 1))
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
    figures = distill_validation.validate(unrelated, make_images(20, 0), make_images(20, 1))
    for layer in LAYERS:
        assert figures[layer]["explained_variance"] == pytest.approx(0.0, abs=0.01)
        assert abs(figures[layer]["content_correlation"]) < 0.2  # 400 pairs: 0.05 by chance


def test_spearman_is_scipys():
    first, second = np.random.default_rng(0).random((2, 50))
    expected = stats.spearmanr(first, second + first).statistic
    assert distill_validation.spearman(first, second + first) == pytest.approx(expected)


def test_load_squares_takes_the_middle(save_picture, tmp_path):
    save_picture("wide.png", size=(32, 48))
    image = load_image(tmp_path / "wide.png")
    squares = distill_validation.load_squares(tmp_path, 32)
    np.testing.assert_allclose(squares, image[None, :, 8:40], atol=1e-6)


@pytest.mark.slow
def test_a_run_writes_features_and_figures(run_python, save_picture, tmp_path):
    for name in ("a.png", "b.png"):
        save_picture(f"held_out/{name}", seed=ord(name[0]))
    held_out, workdir = tmp_path / "held_out", tmp_path / "run"
    process = run_python(
        "experiments/distill.py",
        *("--photos=samples", "--paintings=samples", "--teacher=random", f"--workdir={workdir}"),
        *("--steps=2", "--batch_size=2", "--image_size=32", "--validation_size=32"),
        *(f"--validation_photos={held_out}", f"--validation_paintings={held_out}"),
    )
    assert process.returncode == 0, process.stderr
    assert "| relu1_1 to relu3_1 |" in process.stdout
    figures = json.loads((workdir / "validation.json").read_text())
    assert figures["relu5_1"]["explained_variance"] < 1
    with np.load(workdir / "vgg19_distilled.npz") as arrays:
        assert arrays["block5_conv1/kernel"].dtype == "float16"
        assert arrays["block5_conv1/kernel"].shape == (3, 3, 128, 128)
