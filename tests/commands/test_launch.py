"""What the commands share: flags from options, errors as one line, a quiet start."""

import dataclasses
import errno
import os
import signal
import subprocess
import sys

import pytest

from stylegan_transfer.commands import launch
from stylegan_transfer.options import Options, option


@dataclasses.dataclass(frozen=True)
class Brush(Options):
    width: int = option(description="In pixels.", minimum=1)
    length: float | None = option(None, description="In pixels.", above=0)
    colors: tuple[str, ...] = option(("red", "blue"), description="Names.", not_empty=True)
    wet: bool = option(True, description="Whether it is wet.")
    tips: tuple[float, ...] = option((), description="Sizes.", repeatable=True)


def make(*flags, base=None):
    return launch.Flags(["paint", *flags], "Paints.", Brush).make(Brush, base)


def test_flags_become_options_of_their_types():
    flags = "--width=3", "--length=1e-2", "--colors=a,b,c", "--nowet", "--tips=1", "--tips=2.5"
    assert make(*flags) == Brush(3, 0.01, ("a", "b", "c"), False, (1.0, 2.5))
    assert make("--width=3") == Brush(3)


def test_flags_that_are_not_given_come_from_the_base():
    base = Brush(7, 2.0, ("green",), False, (3.0,))
    assert make(base=base) == base
    assert make("--wet", base=base) == dataclasses.replace(base, wet=True)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "Expected --width: In pixels. Received: none"),
        (["--width=wide"], "Expected --width: a whole number. Received: --width=wide"),
        (["--width=1", "--tips=b"], "Expected --tips: a number. Received: --tips=b"),
        (["--width=0"], "Expected width: at least 1. Received: width=0"),
        (
            ["--width=1", "--length=inf"],
            "Expected length: a finite number, above 0. Received: length=inf",
        ),
        (["--width=1", "--colors="], "Expected colors: at least one. Received: colors=()"),
        (["--width=1", "more", "--wet"], "Expected flags only. Received: more"),
        (["--widht=1"], "Unknown flag 'widht'. Did you mean: width ?"),
    ],
)
def test_wrong_flags_are_said(flags, message):
    with pytest.raises(ValueError) as error:
        make(*flags)
    assert str(error.value) == message


def test_help_lists_flags_limits_and_defaults(capsys):
    with pytest.raises(SystemExit) as end:
        make("--help")
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith("Paints.\n\nFlags:\n  --width=N\n")
    for words in (
        "In pixels. (at least 1; required)",
        "--colors=A,B\n      Names. (default: red,blue)",
        "--wet, --nowet",
        "--tips=A --tips=B",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("name", "value", "flag"),
    [
        ("size", 3, "--size=3"),
        ("wet", False, "--nowet"),
        ("wet", True, "--wet"),
        ("colors", ("a", "b"), "--colors=a,b"),
    ],
)
def test_an_option_is_written_as_its_flag(name, value, flag):
    assert launch.as_flag(name, value) == flag


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ValueError("bad"), 1, "Error: bad"),
        (FileNotFoundError("gone"), 1, "Error: gone"),
        (ImportError("extra"), 1, "Error: extra"),
        (FloatingPointError("nan"), 1, "Error: nan"),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (InterruptedError("At 3."), 130, "Interrupted. At 3."),
        (
            OSError(errno.ENOSPC, "No space left on device", "a.png"),
            1,
            "Error: Expected a file or folder that can be used. "
            "Received: 'a.png' (No space left on device)",
        ),
        (MemoryError(), 1, "Error: Expected more free memory. Received: none"),
        (
            TypeError("no brush"),
            1,
            "Error: Unexpected TypeError: 'no brush'. "
            "Please report it with what --traceback prints",
        ),
    ],
)
def test_mistakes_are_one_line_and_an_exit_code(capsys, error, code, line):
    def main(argv):
        raise error

    assert launch.run(main, ["paint"]) == code
    assert capsys.readouterr().err == f"{line}\n"
    assert launch.run(main, ["paint", "--traceback"]) == code
    text = capsys.readouterr().err
    assert text.startswith("Traceback") and text.endswith(f"{line}\n") and "in main" in text


def test_sigterm_is_like_ctrl_c_and_is_as_before_afterwards(capsys):
    before = signal.getsignal(signal.SIGTERM)

    def main(argv):
        signal.raise_signal(signal.SIGTERM)

    assert launch.run(main, ["paint"]) == 130
    assert signal.getsignal(signal.SIGTERM) is before


def test_file_names_that_are_no_text_can_be_printed(run_python):
    code = (
        "from stylegan_transfer.commands import launch\n"
        r"launch.run(lambda argv: print('Wrote \udcff.png'), ['paint'])"
    )
    process = run_python("-c", code)
    assert process.returncode == 0, process.stderr
    assert process.stdout == "Wrote \\udcff.png\n"


NOISE = """
import os, types
os.write(2, b'no such instruction\\n')
config = types.SimpleNamespace(list_physical_devices=lambda: os.write(2, b'no device\\n'))
{then}
"""


@pytest.fixture
def import_noisily(run_python, tmp_path):
    """Runs a command that imports a TensorFlow which writes to the terminal's descriptor."""

    def run(flags="", then="", look=""):
        (tmp_path / "tensorflow.py").write_text(NOISE.format(then=then))
        code = (
            f"import importlib.util, sys\nsys.path.insert(0, {str(tmp_path)!r})\n"
            "from stylegan_transfer.commands import launch\n"
            f"launch.run(lambda argv: [{look}__import__('tensorflow')], ['paint'{flags}])"
        )
        return run_python("-c", code)

    return run


def test_tensorflow_starts_silently_unless_asked(import_noisily):
    assert import_noisily().stderr == ""
    assert import_noisily(", '--verbose'").stderr == "no such instruction\n"


def test_tensorflow_starts_silently_after_a_look_whether_it_is_there(import_noisily):
    assert import_noisily(look="importlib.util.find_spec('tensorflow'), ").stderr == ""


def test_a_failing_import_of_tensorflow_shows_what_it_wrote(import_noisily):
    process = import_noisily(then="raise ImportError('broken')")
    assert process.stderr == "no such instruction\nError: broken\n"


def test_a_reader_that_has_enough_is_no_error():
    """As in `stylegan-transfer stylize --help | head -1`; 141 is what the shell says of it."""
    code = (
        "import sys\nfrom stylegan_transfer.commands import launch\n"
        "def main(argv):\n    for i in range(100_000):\n        print('flag')\n"
        "sys.exit(launch.run(main, ['paint']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "flag\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == 141


def test_a_warning_is_one_line_without_code(run_python):
    code = (
        "import warnings\nfrom stylegan_transfer.commands import launch\n"
        "launch.run(lambda argv: warnings.warn('Skipped a picture.'), ['paint'])"
    )
    assert run_python("-c", code).stderr == "Warning: Skipped a picture.\n"


def test_a_package_that_a_lite_environment_lacks_is_one_line(capsys):
    def main(argv):
        raise ModuleNotFoundError("No module named 'keras'", name="keras")

    assert launch.run(main, ["train"]) == 1
    message = capsys.readouterr().err
    assert message.startswith("Error: Expected the package keras: pip install ")
    assert len(message.splitlines()) == 1


def test_gradients_are_computed_with_onednn_unless_the_user_has_said_something(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")  # so that what was there comes back
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    launch.speed_up_gradients()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    launch.speed_up_gradients()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"
