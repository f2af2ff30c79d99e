"""Training on several devices and in several processes, beside one device."""

import json
import pathlib
import types

import keras
import numpy as np
import pytest

from stylegan_transfer.training.strategies import (
    compile_step,
    lost_workers_named,
    open_strategy,
    share_state,
)

RUNS = pathlib.Path(__file__).parent / "replica_runs.py"


@pytest.fixture(scope="module")
def runs(run_python, tmp_path_factory):
    """The folder in which `replica_runs` has run, and the ends of its processes."""
    folder = tmp_path_factory.mktemp("replicas")
    process = run_python(RUNS, folder)
    assert process.returncode == 0, process.stderr
    ends = json.loads((folder / "ends.json").read_text())
    assert ends["mirror"]["codes"] == [0], process.stderr
    return folder, ends


def arrays(folder, name):
    with np.load(folder / f"{name}.npz") as file:
        return {key: file[key] for key in file.files}


def assert_equal(actual, expected, **tolerance):
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(actual[name], value, err_msg=name, **tolerance)


@pytest.mark.slow
def test_two_devices_with_half_the_batch_each_step_as_one_does(runs):
    """With clipping, identity images, the adversarial share and other paintings, three times."""
    single, mirrored = (arrays(runs[0], name) for name in ("single", "mirrored"))
    assert_equal(mirrored, single, rtol=1e-5, atol=1e-6)
    assert single["generator_gradient_norm"] > 1.0  # clipped at 0.5
    assert single["discriminator_gradient_norm"] > 1.0  # clipped at 1.0
    assert single["adversarial_scale"] > 0.1


@pytest.mark.slow
def test_first_device_draws_the_noise_of_one_device_and_the_second_one_its_own(runs):
    plain, first, second = arrays(runs[0], "noise").values()
    np.testing.assert_array_equal(first, plain)
    assert np.abs(second - first).min() > 1e-3


@pytest.mark.slow
def test_two_processes_end_with_equal_weights(runs):
    folder, ends = runs
    assert ends["whole"]["codes"] == [0, 0]
    assert_equal(arrays(folder, "whole-1"), arrays(folder, "whole-0"), rtol=0)


@pytest.mark.slow
def test_death_of_one_ends_the_other_within_seconds_with_one_line(runs):
    folder, ends = runs
    assert ends["killed"]["codes"] == [75, -9]
    lost = json.loads((folder / "lost.json").read_text())
    assert lost["error"].startswith("Expected all workers to go on. Received: another one has")
    assert "\n" not in lost["error"]
    assert ends["killed"]["end"] - json.loads((folder / "death.json").read_text()) < 20


@pytest.mark.slow
def test_both_started_again_end_as_if_nothing_had_happened(runs):
    folder, ends = runs
    assert ends["resumed"]["codes"] == [0, 0]
    for worker in ("killed-0", "killed-1"):
        assert_equal(arrays(folder, worker), arrays(folder, "whole-0"), rtol=0)


@pytest.mark.slow
def test_one_process_writes(runs):
    folder, _ = runs
    assert len(list((folder / "whole" / "logs").iterdir())) == 1
    assert {path.name for path in (folder / "whole").iterdir()} == {
        *("config.json", "checkpoints", "logs", "generator.keras")
    }


@pytest.mark.parametrize(
    "text",
    [
        None,
        "{",
        "[]",
        "{}",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": -1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": "b"}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
        '{"cluster": {"worker": 3}, "task": {"type": "worker", "index": 0}}',
    ],
)
def test_cluster_that_is_none_is_an_error_in_one_line(monkeypatch, text):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="^Expected the environment variable TF_CONFIG, .*$"):
        open_strategy("multi_worker", 4)


def test_devices_that_another_backend_does_not_have_are_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="strategy: mirrored. Received: backend='jax'"):
        open_strategy("mirrored", 4)


@pytest.mark.parametrize("compiled", [{"jit_compile": True}, {"steps_per_execution": 2}])
def test_what_does_not_go_with_several_devices_is_refused(compiled):
    options = {"jit_compile": False, "steps_per_execution": 1, **compiled}
    model = types.SimpleNamespace(run_eagerly=True, **options)
    with pytest.raises(ValueError, match=r"with a strategy\. Received: jit_compile="):
        compile_step(model, strategy="any")
    compile_step(model)


def test_one_device_needs_no_strategy():
    assert open_strategy("single", 3) is None
    share_state(None, [], [], fingerprint=1)
    with pytest.raises(ZeroDivisionError), lost_workers_named(None):
        raise ZeroDivisionError
