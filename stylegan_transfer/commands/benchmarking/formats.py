"""The formats of exports: size on disk, time, and how far their picture is from that of Keras."""

import functools
import pathlib
import tempfile
from collections.abc import Callable

import numpy as np

from stylegan_transfer import samples
from stylegan_transfer.commands.benchmarking import arithmetic, peer
from stylegan_transfer.commands.benchmarking.contestants import WARM_UP, take_turns
from stylegan_transfer.commands.benchmarking.options import BenchmarkOptions
from stylegan_transfer.exporting.export import export
from stylegan_transfer.networks.saving import load_generator as load_keras
from stylegan_transfer.runtimes.loading import load_generator
from stylegan_transfer.stylizing.noise import draw_noise

SIZE = (301, 451)  # no multiples of 8
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
    """Returns a table of exports of the generator that ships.

    Each paints one picture, half in its own style and half in the mean of two others. A format
    whose package is missing is a row that says so.
    """
    peer.start_tensorflow(options.threads)
    generator = load_keras()
    content = samples.draw_content("city", max(SIZE))[None, : SIZE[0], : SIZE[1]]
    styles = [samples.draw_style(name, 256)[None] for name in samples.STYLE_NAMES[:2]]
    own, *others = (np.asarray(generator.encode_style(image)) for image in (content, *styles))
    codes = 0.5 * own + 0.25 * sum(others)
    noise = draw_noise(generator.strides, *SIZE, seed=0)
    keys = ({"format": f, "weights": w, "runtime": r} for f, w, r in formats)
    rows = [{"format": "keras", "weights": "float16", "runtime": "TensorFlow"}, *keys]
    with tempfile.TemporaryDirectory() as folder:
        paints = [functools.partial(generator.compiled_synthesize, content, codes, noise=noise)]
        for i, row in enumerate(rows[1:]):
            try:
                painter = _make_painter(generator, row, pathlib.Path(folder) / str(i))
                paints.append(functools.partial(painter, content, codes, noise))
            except ImportError as error:
                row["failure"] = str(error)
                paints.append(None)
        _fill_in(rows, paints, options.repetitions, folder)
    return {"formats": rows}


def _fill_in(rows, paints, repetitions, folder):
    """Adds the figures of those that paint to their rows."""
    expected = np.asarray(paints[0]())
    working = {i: paint for i, paint in enumerate(paints) if paint is not None}
    timed = {i: functools.partial(arithmetic.time_function, paint) for i, paint in working.items()}
    seconds, _ = take_turns(timed, WARM_UP + repetitions)
    for i, paint in working.items():
        difference = np.abs(np.asarray(paint()) - expected)
        files = [p for p in (pathlib.Path(folder) / str(i - 1)).rglob("*") if p.is_file()]
        rows[i] |= {
            "mb": sum(path.stat().st_size for path in files) / 1e6 if i else None,
            "ms": 1e3 * float(np.median(seconds[i][WARM_UP:])),
            "max_difference": float(difference.max()),
            "mean_difference": float(difference.mean()),
        }


def _make_painter(generator, row, folder) -> Callable:
    """Exports the generator; returns a function of content, codes and noise."""
    sizes = [SIZE] if row["format"] == "litert" else []
    export(generator, folder, row["format"], weights=row["weights"], sizes=sizes)
    if row["runtime"] in ("onnxruntime", "OpenVINO"):
        runtime = {"onnxruntime": "onnx", "OpenVINO": "openvino"}[row["runtime"]]
        exported = load_generator(folder, runtime)
        return lambda content, codes, noise: exported.synthesize(content, codes, noise=noise)
    load = _load_saved_model if row["format"] == "saved_model" else _load_litert
    synthesize = load(folder)

    def paint(content, codes, noise):
        inputs = {"codes": np.repeat(codes[:, None], generator.num_layers, axis=1)}
        for stride in set(generator.strides):
            layers = [i for i, other in enumerate(generator.strides) if other == stride]
            inputs[f"noise_{stride}"] = np.stack([noise[i][..., 0] for i in layers], axis=1)
        return synthesize(content=content, **inputs)["stylized"]

    return paint


def _load_saved_model(folder):
    import tensorflow as tf

    loaded = tf.saved_model.load(folder)
    return lambda loaded=loaded, **inputs: loaded.signatures["synthesize"](**inputs)


def _load_litert(folder):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / f"synthesize_{SIZE[0]}x{SIZE[1]}.tflite"))
    runner = interpreter.get_signature_runner()
    return lambda interpreter=interpreter, **inputs: runner(**inputs)
