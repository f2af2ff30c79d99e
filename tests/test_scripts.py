"""The scripts, run as a user runs them."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from stylegan_transfer import samples

ROOT = pathlib.Path(__file__).parents[1]
STYLIZE, TRAIN = "experiments/stylize.py", "experiments/train.py"


@pytest.fixture
def run_stylize(run_python, trained, tmp_path):
    def run(*flags, output):
        generator = f"--generator={trained / 'generator.keras'}"
        return run_python(STYLIZE, generator, "--style_size=32", f"--output={output}", *flags)

    return run


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def assert_user_error(process, *words):
    """One message that holds the words, no traceback, and an exit code."""
    assert process.returncode not in (0, None)
    assert "Traceback" not in process.stdout + process.stderr
    for word in words:
        assert word in process.stdout + process.stderr


def test_every_content_is_painted_in_every_style_beside_a_contact_sheet(
    run_stylize, save_picture, tmp_path
):
    save_picture("photos/a.png", (48, 40), seed=1)
    save_picture("photos/deep/b.jpg", (36, 60), seed=2)
    style = save_picture("x.png", (50, 50), seed=3), save_picture("y.png", (32, 70), seed=4)
    output = tmp_path / "out"
    process = run_stylize(
        f"--content={tmp_path / 'photos'}", *(f"--style={s}" for s in style), output=output
    )
    assert process.returncode == 0, process.stderr
    assert "Wrote 4 of 4 pictures" in process.stdout
    sizes = {path.name: read(path).shape[1::-1] for path in output.iterdir()}
    gap, cell = 256 // 32, 256
    assert sizes == {
        "a_x.png": (40, 48),
        "a_y.png": (40, 48),
        "b_x.png": (60, 36),
        "b_y.png": (60, 36),
        "contact_sheet.png": (3 * cell + 4 * gap, 3 * cell + 4 * gap),
    }
    assert np.any(read(output / "a_x.png") != read(output / "a_y.png"))


def test_one_pair_is_written_to_the_file_that_is_named(run_stylize, save_picture, tmp_path):
    content, style = save_picture("content.png"), save_picture("style.png", seed=1)
    output = tmp_path / "new" / "result.png"
    process = run_stylize(f"--content={content}", f"--style={style}", "--strength=0", output=output)
    assert process.returncode == 0, process.stderr
    assert [path.name for path in output.parent.iterdir()] == ["result.png"]
    np.testing.assert_array_equal(read(output), read(content))  # strength 0


def test_unreadable_files_are_named_and_the_others_painted(run_stylize, save_picture, tmp_path):
    for name in ("photos/good.png", "photos/last.png", "styles/style.png"):
        save_picture(name)
    (tmp_path / "photos" / "broken.png").write_text("no picture")
    (tmp_path / "styles" / "empty.png").touch()
    save_picture("photos/narrow.png", (20, 64))
    output = tmp_path / "out"
    process = run_stylize(
        f"--content={tmp_path / 'photos'}", f"--style={tmp_path / 'styles'}", output=output
    )
    assert process.returncode == 1
    assert "Wrote 2 of 8 pictures" in process.stdout
    assert "Traceback" not in process.stderr
    errors = [line for line in process.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 3
    for word in ("broken.png", "empty.png", "32"):  # the least side
        assert any(word in error for error in errors), word
    written = {path.name for path in output.iterdir()}
    assert written == {"good_style.png", "last_style.png", "contact_sheet.png"}


def test_pairs_never_share_an_output_file(run_stylize, save_picture, tmp_path):
    contents = [
        save_picture(name, size)
        for name, size in (
            ("1/a.png", (32, 33)),
            ("2/a.png", (32, 34)),
            ("a_b.png", (32, 35)),
            ("contact.png", (32, 36)),
        )
    ]
    styles = [save_picture(name) for name in ("c.png", "b_c.png", "sheet.png")]
    output = tmp_path / "out"
    process = run_stylize(
        *(f"--content={path}" for path in contents),
        *(f"--style={path}" for path in styles),
        output=output,
    )
    assert process.returncode == 0, process.stderr
    widths = sorted(read(path).shape[1] for path in output.iterdir())
    assert widths == [33] * 3 + [34] * 3 + [35] * 3 + [36] * 3 + [4 * 256 + 5 * 8]


def test_several_pairs_do_not_go_into_one_file(run_stylize, save_picture, tmp_path):
    contents = save_picture("a.png"), save_picture("b.png")
    process = run_stylize(
        *(f"--content={path}" for path in contents),
        f"--style={contents[0]}",
        output=tmp_path / "out.png",
    )
    assert_user_error(process, "Expected a folder as --output", "out.png")
    assert not (tmp_path / "out.png").exists()


def test_demo_paints_the_samples_with_the_generator_that_ships(run_python, tmp_path):
    process = run_python("experiments/demo.py", "--size=32", f"--output={tmp_path}")
    assert process.returncode == 0, process.stderr
    assert str(tmp_path / "stylized" / "contact_sheet.png") in process.stdout
    painted = {path.name for path in (tmp_path / "stylized").iterdir()}
    pairs = {f"{c}_{s}.png" for c in samples.CONTENT_NAMES for s in samples.STYLE_NAMES}
    assert painted == pairs | {"contact_sheet.png"}


def test_missing_inputs_are_named(run_python, run_stylize, save_picture, tmp_path):
    style = f"--style={save_picture('style.png')}"
    process = run_stylize("--content=no_such_photo.png", style, output=tmp_path / "out.png")
    assert_user_error(process, "Error: ", "no_such_photo.png")
    process = run_python(
        STYLIZE, f"--content={tmp_path}", style, f"--output={tmp_path}", "--generator=none.keras"
    )
    assert_user_error(process, "Error: ", "none.keras")


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
def test_wrong_flags_are_named_at_once_without_a_traceback(run_python, script, flags, words):
    started = time.perf_counter()
    assert_user_error(run_python(script, *flags), *words)
    assert time.perf_counter() - started < 10
    assert not (ROOT / "w").exists()


@pytest.mark.parametrize("script", [STYLIZE, TRAIN])
def test_help_lists_the_flags_without_loading_tensorflow(script):
    process = subprocess.run(
        [sys.executable, "-X", "importtime", script, "--help"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    modules = {line.rpartition("|")[2].strip() for line in process.stderr.splitlines()}
    assert not modules & {"tensorflow", "keras"}
    expected = "--style_size" if script == STYLIZE else "--adversarial_weight"
    assert expected in process.stdout


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
