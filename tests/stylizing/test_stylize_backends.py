"""`stylize` paints the same picture whatever runs Keras."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from stylegan_transfer.networks import saving
from stylegan_transfer.stylizing.stylize import stylize

ROOT = pathlib.Path(__file__).parents[2]
PATHS = os.pathsep.join([os.fspath(ROOT), os.fspath(pathlib.Path(__file__).parent)])
# JAX compiles each operation for each shape, and most of the time goes there.
QUICK_COMPILATION = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}


def draw(seed):
    coarse = np.random.default_rng(seed).random((6, 7, 3), dtype="float32")
    return np.kron(coarse, np.ones((6, 6, 1), "float32"))  # 36 x 42: no multiples of 8


def paint(path):
    """One picture that takes masks, a fine style and a strength in between."""
    styles = [draw(1), draw(2)]
    options = {"masks": styles, "fine_style": styles[1], "strength": 0.5, "style_size": 36}
    return stylize(saving.load_generator(path), draw(0), styles, **options)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_picture_is_that_of_tensorflow(backend, make_generator, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    saving.save_generator(make_generator(code_size=8), tmp_path / "generator.keras")
    program = f"""
import sys, keras, numpy as np, test_stylize_backends
assert keras.backend.backend() == {backend!r}
painted = test_stylize_backends.paint({os.fspath(tmp_path / "generator.keras")!r})
assert "tensorflow" not in sys.modules
np.save({os.fspath(tmp_path / "painted.npy")!r}, painted)
"""
    process = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": PATHS, **QUICK_COMPILATION},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    expected = paint(tmp_path / "generator.keras")
    np.testing.assert_allclose(np.load(tmp_path / "painted.npy"), expected, rtol=0, atol=2e-4)
