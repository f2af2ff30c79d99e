"""The scripts, run as a user runs them."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from stylegan_transfer import samples

ROOT = pathlib.Path(__file__).parents[2]
OPTIMIZE = "experiments/optimize.py"
STYLIZE, TRAIN = "experiments/stylize.py", "experiments/train.py"


def test_demo_paints_the_samples_with_the_generator_that_ships(run_python, tmp_path):
    process = run_python("experiments/demo.py", "--size=32", f"--output={tmp_path}")
    assert process.returncode == 0, process.stderr
    assert str(tmp_path / "stylized" / "contact_sheet.png") in process.stdout
    painted = {path.name for path in (tmp_path / "stylized").glob("*.png")}
    pairs = {f"{c}_{s}.png" for c in samples.CONTENT_NAMES for s in samples.STYLE_NAMES}
    assert painted == pairs | {"contact_sheet.png"}


@pytest.mark.parametrize(
    ("script", "flags", "words"),
    [
        (STYLIZE, ["--content=a", "--style=b", "--output=c", "--strength=2"], ["strength"]),
        (STYLIZE, ["--content=a", "--style=b", "--output=c", "--style_size=8"], ["style_size"]),
        (STYLIZE, ["--content=a", "--style=b"], ["--output"]),
        (STYLIZE, ["a.png", "--content=a", "--style=b", "--output=c"], ["flags only", "a.png"]),
        (TRAIN, [], ["--workdir"]),
        (TRAIN, ["--workdir=w", "--preset=huge"], ["preset", "laptop"]),
        (TRAIN, ["--workdir=w", "--steps=many"], ["steps", "many"]),
        (TRAIN, ["--workdir=w", "--steps=0"], ["Error: ", "steps=0"]),
        (TRAIN, ["--workdir=w", "--content_resize=a,b"], ["Error: ", "content_resize", "'a'"]),
        (TRAIN, ["--workdir=w", "--discriminator_widths="], ["discriminator_widths=()"]),
        (TRAIN, ["--workdir=w", "--no_such_flag=1"], ["no_such_flag"]),
    ],
)
def test_wrong_flags_are_named_at_once_without_a_traceback(
    run_python, assert_user_error, script, flags, words
):
    started = time.perf_counter()
    assert_user_error(run_python(script, *flags), *words)
    assert time.perf_counter() - started < 10
    assert not (ROOT / "w").exists()


@pytest.mark.parametrize(
    ("script", "flag"),
    [
        ("experiments/benchmark.py", "--megapixels"),
        ("experiments/evaluate.py", "--measure_size"),
        (OPTIMIZE, "--save_every"),
        (STYLIZE, "--style_size"),
        (TRAIN, "--adversarial_weight"),
    ],
)
def test_help_lists_the_flags_without_loading_tensorflow(run_python, script, flag):
    process = run_python("-X", "importtime", script, "--help")
    modules = {line.rpartition("|")[2].strip() for line in process.stderr.splitlines()}
    assert not modules & {"tensorflow", "keras"}
    assert flag in process.stdout


@pytest.mark.slow
def test_sigterm_saves_a_checkpoint_and_exits_with_130(tiny_flags, tmp_path):
    workdir = tmp_path / "run"
    flags = [*tiny_flags, "--steps=100000", "--adversarial_weight=0", "--checkpoint_every=1"]
    process = subprocess.Popen(
        [sys.executable, TRAIN, "--preset=smoke", f"--workdir={workdir}", *flags],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 200
        while not list(workdir.glob("checkpoints/ckpt-*.index")):
            assert time.monotonic() < deadline
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in errors
    message = errors.strip().splitlines()[-1]
    assert message.startswith("Interrupted. Stopped by SIGTERM at step ")
    step = int(message.partition("at step ")[2].partition(";")[0])
    assert (workdir / "checkpoints" / f"ckpt-{step}.index").exists()
    assert (workdir / "generator.keras").exists()
