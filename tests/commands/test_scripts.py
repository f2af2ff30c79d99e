"""The scripts and the installed command, run as a user runs them: one good and one bad run each."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from stylegan_transfer import samples
from stylegan_transfer.commands import optimize
from stylegan_transfer.commands.main import COMMANDS, main
from stylegan_transfer.pictures.files import load_image

ROOT = pathlib.Path(__file__).parents[2]
SCRIPTS = {name: f"experiments/{name}.py" for name in COMMANDS}
SCRIPTS["beam"] = "experiments/stylize_beam.py"


def test_every_command_is_a_script_of_a_few_lines_too():
    for script in SCRIPTS.values():
        code = (ROOT / script).read_text().rpartition('"""')[2]
        assert len(code.split("\n")) < 10


def test_stylize_paints_and_prints_one_line(
    run_python, save_picture, toy_generator, tmp_path, monkeypatch
):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")  # TensorFlow at its most talkative
    flags = [f"--content={save_picture('a.png')}", f"--style={save_picture('s.png')}"]
    flags += [f"--generator={toy_generator}", f"--output={tmp_path / 'out.png'}"]
    process = run_python(SCRIPTS["stylize"], *flags)
    assert process.returncode == 0
    assert process.stdout == f"Wrote 1 of 1 pictures: {tmp_path / 'out.png'}\n"
    assert process.stderr == ""  # none of TensorFlow's start-up messages
    assert (tmp_path / "out.png").exists()


def test_optimize_paints(run_command, save_picture, tmp_path):
    flags = [f"--content={save_picture('a.png')}", f"--style={save_picture('s.png')}"]
    flags += ["--size=32", "--steps=1", f"--output={tmp_path / 'out.png'}"]
    process = run_command(optimize, *flags)
    assert process.returncode == 0, process.stderr
    assert process.stdout == f"Wrote {tmp_path / 'out.png'}\n"
    lines = filter(None, process.stderr.splitlines())
    assert all("step/s" in line or "?step" in line or "s/step" in line for line in lines)
    assert (tmp_path / "out.png").exists()


@pytest.mark.slow
def test_demo_paints_the_samples_with_the_generator_that_ships(run_python, tmp_path):
    process = run_python(SCRIPTS["demo"], "--size=32", f"--output={tmp_path}")
    assert process.returncode == 0, process.stderr
    assert str(tmp_path / "stylized" / "contact_sheet.png") in process.stdout
    painted = {path.name for path in (tmp_path / "stylized").glob("*.png")}
    pairs = {f"{c}_{s}.png" for c in samples.CONTENT_NAMES for s in samples.STYLE_NAMES}
    assert painted == pairs | {"contact_sheet.png"}
    qualities = {path.name for path in (tmp_path / "qualities").glob("*.png")}
    assert qualities == {"fast.png", "fine.png", "best.png", "contact_sheet.png"}
    fast = load_image(tmp_path / "qualities" / "fast.png")
    np.testing.assert_array_equal(fast, load_image(tmp_path / "stylized" / "harbour_swirls.png"))
    assert np.abs(fast - load_image(tmp_path / "qualities" / "best.png")).mean() > 0.01


@pytest.mark.parametrize(
    ("name", "flags", "words"),
    [
        ("stylize", ["--content=a", "--style=b"], ["Error: Expected --output: "]),
        ("optimize", ["--content=a", "--style=b", "--output=c"], ["Error: ", "output='c'"]),
        ("demo", ["--size=8"], ["Error: ", "size=8"]),
        ("train", ["--workdir=w", "--steps=0"], ["Error: ", "steps=0"]),
    ],
)
def test_wrong_flags_are_one_line_at_once(run_python, assert_user_error, name, flags, words):
    started = time.perf_counter()
    process = run_python(SCRIPTS[name], *flags)
    assert time.perf_counter() - started < 10
    assert_user_error(process, *words)
    assert process.returncode == 1
    assert len(process.stderr.splitlines()) == 1
    assert not (ROOT / "w").exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_lists_the_flags_without_loading_tensorflow(run_python, name):
    flag = {
        "beam": "--num_workers",
        "benchmark": "--megapixels",
        "demo": "--size",
        "distill": "--steps",
        "evaluate": "--measure_size",
        "export": "--weights",
        "optimize": "--save_every",
        "pack": "--max_mb",
        "page": "--keep_minutes",
        "stylize": "--style_size",
        "train": "--adversarial_weight",
    }[name]
    process = run_python("-X", "importtime", SCRIPTS[name], "--help")
    modules = {line.rpartition("|")[2].strip() for line in process.stderr.splitlines()}
    assert not modules & {"tensorflow", "keras"}
    assert process.returncode == 0
    assert flag in process.stdout


def test_the_module_runs_the_command_that_is_named(run_python):
    process = run_python("-m", "stylegan_transfer", "stylize", "--content=a", "--output=b")
    assert process.returncode == 1
    assert process.stderr.startswith("Error: Expected style: --style or --style_collection.")
    process = run_python("-m", "stylegan_transfer", "--help")
    assert process.returncode == 0
    for name in COMMANDS:
        assert f"\n  {name} " in process.stdout


def test_the_installed_command_takes_its_arguments_from_the_surroundings(monkeypatch, capsys):
    """As a console script calls it: without arguments."""
    monkeypatch.setattr(sys, "argv", ["/usr/bin/stylegan-transfer", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("stylegan_transfer ")
    monkeypatch.setattr(sys, "argv", ["/usr/bin/stylegan-transfer", "train"])
    assert main() == 1
    assert capsys.readouterr().err.startswith("Error: Expected --workdir: ")
    setup = (ROOT / "setup.py").read_text()
    assert "stylegan-transfer = stylegan_transfer.commands.main:main" in setup


@pytest.mark.parametrize("name", ["", "paint"])
def test_another_command_is_an_error_that_lists_them(capsys, name):
    assert main(["stylegan-transfer", *filter(None, [name])]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    error = captured.err.splitlines()[-1]
    assert error.startswith("Error: Expected a command out of stylize, ")
    assert error.endswith(f"Received: {name or 'none'}")


TRAIN_TOYS = """
import runpy, sys
sys.path.insert(0, "tests/training")
from toy_networks import toy_model
from stylegan_transfer.training import run
from stylegan_transfer.training.gan import StyleTransferGAN

run.build_model = lambda config: toy_model(StyleTransferGAN, config)
runpy.run_path("experiments/train.py", run_name="__main__")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_a_checkpoint_and_exits_with_130(tiny_flags, tmp_path, number):
    workdir = tmp_path / "run"
    flags = [*tiny_flags, "--steps=100000", "--adversarial_weight=0", "--checkpoint_every=1"]
    process = subprocess.Popen(
        [sys.executable, "-c", TRAIN_TOYS, "--preset=smoke", f"--workdir={workdir}", *flags],
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
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in errors
    message = errors.strip().splitlines()[-1]
    assert message.startswith(f"Interrupted. Stopped by {number.name} at step ")
    step = int(message.partition("at step ")[2].partition(";")[0])
    assert (workdir / "checkpoints" / f"ckpt-{step}.index").exists()
    assert (workdir / "generator.keras").exists()
