"""`--restarts`: what starts a process again, and what does not."""

import os
import signal
import subprocess
import sys
import time

import pytest

from stylegan_transfer.commands import launch, train
from stylegan_transfer.commands.restarts import supervise

# Writes a line at each start, and ends as the text of that start says.
ENDS = """
import os, pathlib, signal, sys
log = pathlib.Path(sys.argv[1])
with log.open("a") as file:
    file.write("started\\n")
end = sys.argv[1 + len(log.read_text().splitlines())]
if end.startswith("SIG"):
    os.kill(os.getpid(), getattr(signal, end))
sys.exit(int(end))
"""


@pytest.mark.parametrize(
    ("ends", "restarts", "code"),
    [
        (["0"], 3, 0),
        (["1", "0"], 3, 1),  # a mistake of the user's
        (["130", "0"], 3, 130),  # Ctrl-C
        (["SIGKILL", "75", "SIGSEGV", "0"], 3, 0),
        (["75", "SIGKILL", "0"], 1, 137),
        (["SIGKILL", "75", "0"], 1, 75),
    ],
)
def test_what_was_killed_or_has_lost_a_worker_starts_again(tmp_path, capfd, ends, restarts, code):
    command = [sys.executable, "-c", ENDS, str(tmp_path / "log"), *ends]
    assert supervise(command, restarts) == code
    starts = len((tmp_path / "log").read_text().splitlines())
    assert ends[starts - 1] in (str(code), f"SIG{'KILL' * (code == 137)}")
    errors = capfd.readouterr().err.splitlines()
    assert sum("restart" in line for line in errors) == starts - 1


def test_sigterm_is_handed_on_and_ends_both(tmp_path):
    inner = (
        "import signal, sys, time, pathlib\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))\n"
        f"pathlib.Path({str(tmp_path / 'up')!r}).touch()\n"
        "time.sleep(60)"
    )
    outer = (
        "import sys\n"
        "from stylegan_transfer.commands import launch, restarts\n"
        f"main = lambda argv: restarts.supervise([sys.executable, '-c', {inner!r}], 5)\n"
        "sys.exit(launch.run(main, ['train']))"
    )
    process = subprocess.Popen([sys.executable, "-c", outer])
    deadline = time.monotonic() + 60
    while not (tmp_path / "up").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 130


def test_lost_worker_has_an_exit_code_of_its_own(capsys):
    def main(argv):
        raise ConnectionError("Expected all workers. Received: one has ended")

    assert launch.run(main, ["train"]) == launch.LOST_WORKER == os.EX_TEMPFAIL
    assert capsys.readouterr().err == "Error: Expected all workers. Received: one has ended\n"


def test_supervised_process_gets_the_same_flags_but_restarts(run_command, monkeypatch):
    commands = []
    monkeypatch.setattr(train, "supervise", lambda *arguments: commands.append(arguments) or 0)
    assert run_command(train, "--workdir=w", "--restarts=2", "--seed=4").returncode == 0
    ((command, restarts),) = commands
    flags = ["--workdir=w", "--restarts=2", "--seed=4", "--restarts=0"]
    assert command == [sys.executable, "-m", "stylegan_transfer", "train", *flags]
    assert restarts == 2
    assert run_command(train, "--restarts=2").returncode == 1  # a mistake is said at once
    assert len(commands) == 1
