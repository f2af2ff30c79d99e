"""Measures time and memory: of stylising pictures and clips beside another package, of training
beside a plainly written step and the machine's limit, and how both grow.

stylegan-transfer benchmark
stylegan-transfer benchmark --parts=stylising --sizes=256,512 --repetitions=3

Contestants take turns, so that whatever else the machine does hits them alike: trust the ratios
more than the figures. Contestants in processes of their own (all parts but training) see no GPU.
"""

import json
import pathlib
from collections.abc import Sequence

from stylegan_transfer.atomic import check_place, renamed_when_done
from stylegan_transfer.commands import launch
from stylegan_transfer.commands.benchmarking.options import BenchmarkOptions


def main(argv: Sequence[str]) -> int:
    """Measures the parts that the flags name; returns the exit code: 1 if a part of ours failed."""
    options = launch.Flags(argv, __doc__, BenchmarkOptions).make(BenchmarkOptions)
    report = benchmark(options)
    rows = [row for part in options.parts for rows in report[part].values() for row in rows]
    return int(any("failure" in row and row.get("contestant") in _OURS for row in rows))


_OURS = (
    "stylegan_transfer",
    "stylegan_transfer, steady clip",
    "training",
)  # the other package may fail


def benchmark(options: BenchmarkOptions) -> dict:
    """Returns the tables of all parts; prints and saves each as soon as it is there."""
    from stylegan_transfer.commands.benchmarking import (
        clips,
        commands,
        formats,
        stylising,
        tables,
        training,
    )

    measures = {
        "stylising": stylising.measure_stylising,
        "commands": commands.measure_commands,
        "clips": clips.measure_clips,
        "formats": formats.measure_formats,
        "curves": stylising.measure_curves,
        "training": training.measure_training,
    }
    output = pathlib.Path(options.output)
    check_place(output)
    report = {"machine": tables.describe_machine(options.threads)}
    print(*(f"{name}: {value}" for name, value in report["machine"].items()), sep="\n")
    for part in options.parts:
        report[part] = measures[part](options)
        for table, rows in report[part].items():
            text = tables.format_table(rows)
            print(f"\n{part}, {table} ({tables.LEGENDS[table]})\n{text}", flush=True)
        with renamed_when_done(output) as temporary:
            temporary.write_text(json.dumps(report, indent=2) + "\n")
    print(f"\nWrote {output}")
    return report
