"""Loads exports of any format, importing no more than what runs them."""

import pathlib
from collections.abc import Callable, Sequence

import numpy as np


def load_painter(
    path: pathlib.Path, export_format: str, runtime: str, strides: Sequence[int], threads: int
) -> Callable:
    """Returns a function of a content, codes and noise, as arrays, that gives the painting.

    Args:
        path: What `export` wrote; or a file, for the format `"keras"`.
        export_format: `"keras"`, or one of `export`.
        runtime: `"TensorFlow"`, `"onnxruntime"`, `"OpenVINO"` or `"LiteRT"`.
        strides: Of the generator's layers.
        threads: For LiteRT; the others take one for each core.

    Raises:
        ImportError: The runtime is not installed.
    """
    if export_format == "keras":
        from stylegan_transfer.networks.saving import load_generator

        synthesize = load_generator(path).compiled_synthesize
        return lambda content, codes, noise: synthesize(content, codes, noise=noise)
    if export_format in ("onnx", "openvino"):
        from stylegan_transfer.runtimes.loading import load_generator

        synthesize = load_generator(
            path, {"onnxruntime": "onnx"}.get(runtime, "openvino")
        ).synthesize
        return lambda content, codes, noise: synthesize(content, codes, noise=noise)
    is_saved_model = export_format == "saved_model"
    synthesize = _load_saved_model(path) if is_saved_model else _load_litert(path, threads)

    def paint(content, codes, noise):
        inputs = {"codes": np.repeat(codes[:, None], len(strides), axis=1)}
        for stride in set(strides):
            layers = [i for i, other in enumerate(strides) if other == stride]
            inputs[f"noise_{stride}"] = np.stack([noise[i][..., 0] for i in layers], axis=1)
        return synthesize(content=content, **inputs)["stylized"]

    return paint


def _load_saved_model(path):
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    return lambda loaded=loaded, **inputs: loaded.signatures["synthesize"](**inputs)


def _load_litert(path, threads):
    """The file for one size that is there."""
    from ai_edge_litert.interpreter import Interpreter

    (file,) = path.glob("synthesize_*.tflite")
    interpreter = Interpreter(str(file), num_threads=threads)
    runner = interpreter.get_signature_runner()
    return lambda interpreter=interpreter, **inputs: runner(**inputs)
