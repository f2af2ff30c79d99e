"""What the tests of the commands share: a call in this process, and a toy generator."""

import functools
import subprocess

import pytest

from stylegan_transfer.commands import launch
from stylegan_transfer.networks import saving


@pytest.fixture
def run_command(capsys):
    """Calls a command as its script does; returns what a finished process would show."""

    def run(command, *flags):
        name = command.__name__.rpartition(".")[2]
        try:
            code = launch.run(command.main, [name, *map(str, flags)])
        except SystemExit as end:
            code = end.code
        return subprocess.CompletedProcess(name, code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def toy_generator(make_generator, tmp_path_factory):
    """The file of a tiny generator."""
    path = tmp_path_factory.mktemp("toy") / "generator.keras"
    saving.save_generator(make_generator(), path)
    return path


@pytest.fixture(scope="session")
def load_once():
    """`load_generator`, for many runs in one process."""
    return functools.lru_cache(saving.load_generator)


@pytest.fixture
def run_stylize(run_command, toy_generator, load_once, monkeypatch):
    """Calls `stylize` with the toy generator."""
    from stylegan_transfer.commands import stylize

    monkeypatch.setattr(saving, "load_generator", load_once)

    def run(*flags, output):
        first = f"--generator={toy_generator}", "--style_size=32", f"--output={output}"
        return run_command(stylize, *first, *flags)

    return run
