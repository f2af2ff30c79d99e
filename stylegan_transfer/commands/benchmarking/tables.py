"""The tables of the benchmark as text, and the machine that they are from."""

import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence

LEGENDS = {
    "pictures": "to_ours: the contestant's median time, or peak memory, over ours",
    "commands": "from the start of a program to its end, one picture, on all cores; medians",
    "clips": "a pan of 8 frames, painted only; to_ours: the median time over ours, steady",
    "formats": "mb: on disk; ms, peak_mib: of one picture of 301x451; differences from Keras' own",
    "megapixels": "ms: of the second picture; in tiles beyond 1 megapixel",
    "steps": "to_plain: plain time over this one's; to_limit: at the rate of matrix products, "
    "convolutions and matrix products alone would take this share of the time",
    "goals": "of ours, without the discriminator",
    "points": "of fresh processes; painting_mib: the peak's growth while painting or training",
    "exponents": "of a power of the variable, fitted to the points",
}


def describe_machine(threads: int) -> dict:
    """Returns what the figures depend on."""
    packages = ("tensorflow", "keras", "numpy")
    return {
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "threads of every contestant": threads,
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
