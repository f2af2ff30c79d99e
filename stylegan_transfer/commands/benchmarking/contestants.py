"""Contestants: programs in processes of their own that take turns, and their figures."""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence

import tqdm

from stylegan_transfer.commands.benchmarking import peer

WARM_UP = 2


def order_of_turns(names: Sequence, repetitions: int) -> list:
    """Returns who is asked when: each once a repetition, each first in its turn."""
    starts = [repetition % len(names) for repetition in range(repetitions)]
    return [name for start in starts for name in (*names[start:], *names[:start])]


def take_turns(contestants: Mapping[str, Callable], repetitions: int) -> tuple[dict, dict]:
    """Returns the answers of the contestants that gave them all, and why the others did not.

    Args:
        contestants: Functions, by name. One that raises an `OSError` is asked no more.
        repetitions: How often each is asked.

    Returns:
        `{name: [answer, ...]}` and `{name: reason}`.
    """
    answers, failures = {name: [] for name in contestants}, {}
    turns = order_of_turns([*contestants], repetitions)
    for name in tqdm.tqdm(turns, unit="turn", leave=False, disable=None):
        if name in failures:
            continue
        try:
            answers[name].append(contestants[name]())
        except OSError as error:
            failures[name] = str(error)
    return {name: answers[name] for name in answers if name not in failures}, failures


class Contestant:
    """A program in a process of its own, started by the first call; each call asks it once.

    Args:
        command: The program and its arguments. It answers each line of JSON with another.
        request: What it is asked.

    Raises:
        ChildProcessError: From a call: the process has ended; says why.
    """

    def __init__(self, command: Sequence[str], request: Mapping):
        self._command, self._request = command, json.dumps(request) + "\n"
        self._process = None
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed below)

    def __call__(self) -> dict:
        started = time.perf_counter()
        if self._process is None:
            self._process = subprocess.Popen(
                self._command,
                env=make_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
            )
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(self._request)
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            code = self._process.wait()
            self._errors.seek(0)
            raise ended(self._errors.read(), code)
        return {"waited": time.perf_counter() - started, **json.loads(answer)}

    def close(self):
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._errors.close()


def ended(errors: str, code: int) -> ChildProcessError:
    """Returns the error of a program that has ended: the last line of what it wrote, its code."""
    return ChildProcessError(f"{_last_line(errors)} (exit code {code})")


def make_environment() -> dict[str, str]:
    """Returns the environment of contestants: no GPU, and Python's caches, as installed programs
    have them."""
    own = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    return own


def race(entries: Mapping, repetitions: int, warm_up: int = WARM_UP) -> dict[str, dict]:
    """Returns the figures of programs that take turns: a row for each, by name.

    Args:
        entries: `{name: (command, request)}`, as `Contestant` takes them.
        repetitions: How often each is asked.
        warm_up: How often before, not counted.

    Returns:
        `{name: row}`. Median milliseconds; peak memory, and how much of it is the growth since
        just before the first picture; seconds from the start of the process to the first picture.
        Of a program that fails: `{"failure": reason}`.
    """
    with contextlib.ExitStack() as stack:
        contestants = {
            name: stack.enter_context(contextlib.closing(Contestant(*entry)))
            for name, entry in entries.items()
        }
        answers, failures = take_turns(contestants, warm_up + repetitions)
    rows = {name: _summarize(answers[name], warm_up) for name in answers}
    return {name: rows.get(name) or {"failure": failures[name]} for name in entries}


def _summarize(answers, warm_up):
    counted, peak = answers[warm_up:], answers[-1]["peak_mib"]
    return {
        "ms": 1e3 * statistics.median(answer["seconds"] for answer in counted),
        "network_ms": 1e3 * statistics.median(answer["network_seconds"] for answer in counted),
        "peak_mib": peak,
        "painting_mib": peak - answers[0]["before_mib"],
        "first_picture_s": answers[0]["waited"],
    }


def make_entry(
    contestant: str,
    python: str,
    threads: int,
    shape: tuple[int, int, int],
    channels: int | None = None,
    **options,
) -> tuple[list[str], dict]:
    """Returns the command and the request of one of `peer.CONTESTANTS`.

    Args:
        contestant: Its name there.
        python: The Python of its environment.
        threads: How many it may use.
        shape: Pictures a request, their height and their width.
        channels: The generator's `width`. Default: the generator that ships.
        **options: More of what this contestant takes.
    """
    options |= {"contestant": contestant, "threads": threads, "width": channels}
    request = dict(zip(("batch", "height", "width"), shape, strict=True))
    return [python, peer.__file__, json.dumps(options)], request


def install(requirement: str, cache_dir: str) -> str:
    """Returns the Python of an environment that has the requirement; made at the first call.

    Raises:
        ChildProcessError: It could not be made.
    """
    folder = pathlib.Path(cache_dir).expanduser() / requirement
    python, installed = folder / "bin" / "python", folder / "installed"
    if not installed.exists():
        pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]
        for command in ([sys.executable, "-m", "venv", "--clear", folder], [python, *pip]):
            process = subprocess.run(command, capture_output=True, text=True, check=False)
            if process.returncode:
                raise ChildProcessError(_last_line(process.stdout + process.stderr))
        installed.touch()
    return str(python)


def _last_line(text):
    return text.strip().rpartition("\n")[2]
