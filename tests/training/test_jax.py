"""Training under JAX: TensorFlow's numbers, on two devices, whole runs, and no TensorFlow."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import jax_runs
import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from toy_networks import ToyDiscriminator, toy_features, toy_generator

HERE = pathlib.Path(__file__).parent
ENVIRONMENT = {
    "KERAS_BACKEND": "jax",
    "XLA_FLAGS": "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "NPROC": "16",  # threads of XLA: simulated devices wait for each other on them
    "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE)]),
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where `jax_runs` has trained, beside the weights and batches that it was given."""
    folder, random = tmp_path_factory.mktemp("jax"), np.random.default_rng(0)
    networks = toy_generator(), ToyDiscriminator(), toy_features()
    np.savez(folder / "weights.npz", *(w for network in networks for w in network.get_weights()))
    shape = (jax_runs.NUM_STEPS, jax_runs.BATCH)
    np.savez(
        folder / "batches.npz",
        content=random.random((*shape, 24, 24, 3), "float32"),
        style=random.random((*shape, 2, 24, 24, 3), "float32"),
        painting=random.integers(0, 3, shape).astype("int32"),
    )
    # What is compiled for one run is compiled for the others.
    cache = {"JAX_COMPILATION_CACHE_DIR": str(folder / "compiled")}
    environment = {**os.environ, **ENVIRONMENT, **cache}
    command = [sys.executable, HERE / "jax_runs.py", folder]
    process = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr[-3_000:]
    return folder


def test_ten_steps_on_two_devices_are_those_of_tensorflow_on_one(folder):
    expected = jax_runs.take_steps(jax_runs.toys_with(folder), folder)
    with np.load(folder / "jax.npz") as actual:
        assert {*actual.files} == {*expected}
        for name, value in expected.items():
            np.testing.assert_allclose(actual[name], value, rtol=1e-4, atol=1e-5, err_msg=name)
    assert expected["9 adversarial_scale"] > 0 and "2 adversarial_scale" not in expected


def test_a_run_leaves_what_it_leaves_under_tensorflow(folder):
    run = folder / "whole"
    assert {path.name for path in run.iterdir()} == {
        "config.json",
        "checkpoints",
        "logs",
        "generator.keras",
    }
    states = {path.name for path in (run / "checkpoints").glob("ckpt-*")}
    assert states == {f"ckpt-{step}.{kind}" for step in (4, 6) for kind in ("npz", "sha256")}
    events = EventAccumulator(str(run / "logs"))
    events.Reload()
    assert [event.step for event in events.Scalars("training/loss")] == [2, 4, 6]
    assert [event.step for event in events.Scalars("validation/loss")] == [6]
    assert [event.step for event in events.Images("stylized")] == [0, 6]


def test_an_interrupted_run_ends_as_an_uninterrupted_one(folder):
    whole, resumed = (
        keras.models.load_model(folder / name / "generator.keras").get_weights()
        for name in ("whole", "resumed")
    )
    for actual, expected in zip(resumed, whole, strict=True):
        np.testing.assert_array_equal(actual, expected)
