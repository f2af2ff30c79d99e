"""The formats of exports: size, time, memory, and how far their picture is from that of Keras."""

import pathlib
import sys
import tempfile

import numpy as np

from stylegan_transfer import samples
from stylegan_transfer.commands.benchmarking import peer
from stylegan_transfer.commands.benchmarking.contestants import make_entry, race
from stylegan_transfer.commands.benchmarking.options import BenchmarkOptions
from stylegan_transfer.commands.benchmarking.painters import load_painter
from stylegan_transfer.exporting.export import export
from stylegan_transfer.networks.saving import load_generator, save_generator
from stylegan_transfer.stylizing.noise import draw_noise

SIZE = (301, 451)  # no multiples of 8
KERAS = ("keras", "float16", "TensorFlow")
FORMATS = (
    ("onnx", "float32", "onnxruntime"),
    ("onnx", "float16", "onnxruntime"),
    ("onnx", "float16", "OpenVINO"),
    ("openvino", "float16", "OpenVINO"),
    ("saved_model", "float32", "TensorFlow"),
    ("litert", "float32", "LiteRT"),
    ("litert", "float16", "LiteRT"),
    ("litert", "int8", "LiteRT"),
)


def measure_formats(options: BenchmarkOptions, formats=FORMATS) -> dict[str, list[dict]]:
    """Returns a table of the generator that ships and its exports.

    Each paints one picture, half in its own style and half in the mean of two others; then another
    one again and again, in turns, each in a process of its own. A format whose package is missing
    is a row that says so.
    """
    peer.start_tensorflow(options.threads)
    rows = [dict(zip(("format", "weights", "runtime"), k, strict=True)) for k in (KERAS, *formats)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder, str(i)) for i in range(len(rows))]
        paths[0] = paths[0].with_suffix(".keras")
        save_generator(load_generator(), paths[0], half_precision=True)
        generator = load_generator(paths[0])
        content, codes = _make_inputs(generator)
        noise, expected = draw_noise(generator.strides, *SIZE, seed=0), None
        codes_path = str(pathlib.Path(folder, "codes.npy"))
        np.save(codes_path, codes)
        entries = {}
        for i, (row, path) in enumerate(zip(rows, paths, strict=True)):
            try:
                if row["format"] != "keras":
                    sizes = [SIZE] if row["format"] == "litert" else []
                    export(generator, path, row["format"], weights=row["weights"], sizes=sizes)
                loaded = [row["format"], row["runtime"], generator.strides, options.threads]
                painted = np.asarray(load_painter(path, *loaded)(content, codes, noise))
            except ImportError as error:
                row["failure"] = str(error)
                continue
            expected = painted if expected is None else expected
            row |= {"mb": _count_bytes(path) / 1e6, **_compare(painted, expected)}
            export_of = {"path": str(path), "codes": codes_path, "strides": generator.strides}
            export_of |= {"export_format": row["format"], "runtime": row["runtime"]}
            shape = (1, *SIZE)
            entries[i] = make_entry("export", sys.executable, options.threads, shape, **export_of)
        for i, figures in race(entries, options.repetitions).items():
            rows[i] |= figures
    return {"formats": rows}


def _make_inputs(generator):
    content = samples.draw_content("city", max(SIZE))[None, : SIZE[0], : SIZE[1]]
    styles = [samples.draw_style(name, 256)[None] for name in samples.STYLE_NAMES[:2]]
    own, *others = (np.asarray(generator.encode_style(image)) for image in (content, *styles))
    return content, 0.5 * own + 0.25 * sum(others)


def _count_bytes(path):
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(file.stat().st_size for file in files)


def _compare(painted, expected):
    difference = np.abs(painted - expected)
    return {
        "max_difference": float(difference.max()),
        "mean_difference": float(difference.mean()),
    }
