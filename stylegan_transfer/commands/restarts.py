"""Starts a command again that was killed, or that lost another worker."""

import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Sequence

import stylegan_transfer
from stylegan_transfer.commands.launch import LOST_WORKER


def supervise(command: Sequence[str], num_restarts: int) -> int:
    """Runs a command to its end in a process of its own; returns its exit code.

    It is started again after a signal such as SIGKILL, and where it has lost another worker.
    SIGINT and SIGTERM are handed on to it; what it ends with then, as after any other error,
    counts.

    Args:
        command: Program and arguments.
        num_restarts: How often it is started again at most.
    """
    for number in range(num_restarts + 1):
        code = _run(command)
        if code >= 0 and code != LOST_WORKER:
            break
        reason = "lost another worker" if code > 0 else f"killed by {signal.Signals(-code).name}"
        again = "" if number == num_restarts else f"; restart {number + 1} of {num_restarts}"
        print(f"Training was interrupted: {reason}{again}", file=sys.stderr)
    return code if code >= 0 else 128 - code


def _run(command):
    """The exit code of a process; the negative number of the signal that killed it."""
    package = str(pathlib.Path(stylegan_transfer.__file__).parents[1])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path})
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # SIGINT or SIGTERM; it saves first
            process.terminate()
