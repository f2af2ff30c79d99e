"""The command `export`."""

import pytest

from stylegan_transfer.commands import export as command
from stylegan_transfer.exporting.export import FORMATS, WEIGHTS

pytest.importorskip("onnx")


def test_the_command_exports(run_command, toy_generator, tmp_path):
    output = tmp_path / "exported"
    flags = [f"--generator={toy_generator}", f"--output={output}"]
    process = run_command(command, *flags)
    assert process.returncode == 0, process.stderr
    assert process.stdout == f"Wrote {output}\n"
    assert (output / "synthesize.onnx").is_file()


def test_the_command_knows_the_formats():
    assert (command.FORMATS, command.WEIGHTS) == (FORMATS, WEIGHTS)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--output=o", "--format=caffe"], ["format", "onnx", "caffe"]),
        (["--output=o", "--format=litert", "--sizes=large"], ["HEIGHTxWIDTH", "large"]),
        ([], ["--output"]),
        (["--output=o", "--generator=missing.keras"], ["missing.keras"]),
    ],
)
def test_wrong_flags_are_one_line(run_command, assert_user_error, flags, words):
    process = run_command(command, *flags)
    assert_user_error(process, *words)
    assert len(process.stderr.splitlines()) == 1
