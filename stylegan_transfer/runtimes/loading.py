"""Loads a generator for the runtime that is there."""

import importlib.util
import os
import pathlib

from stylegan_transfer import hub, shipped
from stylegan_transfer.checks import describe, expect, is_path
from stylegan_transfer.runtimes.description import Description, is_exported, read_description
from stylegan_transfer.runtimes.exported import ExportedGenerator
from stylegan_transfer.runtimes.sessions import PRECISIONS, is_installed, open_session
from stylegan_transfer.runtimes.transport import ExportedTransportGenerator

RUNTIMES = ("auto", "tensorflow", "onnx", "openvino")
_KINDS = {
    "StyleGenerator": ExportedGenerator,
    "TransportGenerator": ExportedTransportGenerator,
}


def load_generator(
    path: str | os.PathLike | None = None, runtime: str = "auto", precision: str = "float32"
):
    """Returns a trained generator.

    Args:
        path: A `.keras` file from `save_generator`, which TensorFlow runs, `"hf://owner/name"` for
            one on the Hugging Face Hub, or a folder from `export`, which onnxruntime and OpenVINO
            run. Default: the generator that ships with the package, in both forms.
        runtime: `"tensorflow"`: a Keras model, which can be trained on (with another backend of
            Keras, that one runs it). `"onnx"` or `"openvino"`: the exported graphs, without an
            import of TensorFlow or Keras. `"auto"`, the default: onnxruntime, which starts at once,
            if it is installed, else OpenVINO, else TensorFlow; OpenVINO for `precision="fast"`;
            for a `.keras` file always TensorFlow.
        precision: `"float32"`, the default; or `"fast"`, for OpenVINO: bfloat16 on processors that
            have matrix units for it (AMX). On others convolutions in 8 bits, if the generator is
            the one that ships or was exported with `calibrate=True`; else float32.

    Returns:
        The generator, ready for `stylize`; `encode_style` and `synthesize` are its two halves.

    Raises:
        ConnectionError: The hub cannot be reached, or has no such generator.
        FileNotFoundError: There is no such file.
        ImportError: The runtime is not installed, or `huggingface_hub`, where it is needed.
        ValueError: The file holds no generator, or none for this runtime; or an argument is not
            one of those above.

    Example:
        >>> import stylegan_transfer
        >>> from stylegan_transfer import samples
        >>> generator = stylegan_transfer.load_generator()
        >>> content, style = samples.draw_content("city", 64), samples.draw_style("swirls", 64)
        >>> stylegan_transfer.stylize(generator, content, style, style_size=64).shape
        (64, 64, 3)

        As a Keras model:

        >>> generator = stylegan_transfer.load_generator(runtime="tensorflow")
        >>> generator([content[None], style[None]]).shape == (1, 64, 64, 3)
        True
    """
    expect(runtime in RUNTIMES, f"one of {RUNTIMES}", runtime=runtime)
    expect(precision in PRECISIONS, f"one of {PRECISIONS}", precision=precision)
    expected = "a trained generator: a .keras file, hf://owner/name, or a folder that export wrote"
    expect(path is None or is_path(path), expected, path=path)
    path = hub.find(path)
    if path is not None and not os.path.exists(path):
        raise FileNotFoundError(f"Expected {expected}. Received: {describe(path)}")
    if runtime == "auto":
        runtime = choose_runtime(path, precision)
    if runtime != "tensorflow":
        return _load_exported(shipped.GRAPHS if path is None else path, runtime, precision)
    expect(precision == "float32", "precision='float32' for TensorFlow", precision=precision)
    fits = path is None or not is_exported(path)
    takes = "a .keras file for runtime='tensorflow', or runtime='onnx' or 'openvino'"
    expect(fits, takes, path=str(path))
    _expect_keras(path)
    from stylegan_transfer.networks import saving

    return saving.load_generator(path)


def choose_runtime(path: str | os.PathLike | None = None, precision: str = "float32") -> str:
    """Returns the runtime that `"auto"` stands for, given a generator's path and the precision."""
    graphs = shipped.GRAPHS if path is None else path
    if not is_exported(graphs):
        return "tensorflow"
    order = ("onnx", "openvino") if precision == "float32" else ("openvino", "onnx")
    installed = [runtime for runtime in order if is_installed(runtime)]
    if installed:
        return installed[0]
    return "tensorflow" if path is None else "onnx"


def _load_exported(folder, runtime, precision):
    takes = f"a folder that export wrote, for runtime={runtime!r}"
    expect(is_exported(folder), takes, path=str(folder))
    description = read_description(folder)
    takes = {"onnx": ("onnx",), "openvino": ("onnx", "openvino")}[runtime]
    fits = description.graphs in takes
    words = f"graphs out of {takes} for runtime={runtime!r}"
    expect(fits, words, path=str(folder), graphs=description.graphs)
    expect(description.kind in _KINDS, f"one of {', '.join(_KINDS)}", kind=description.kind)
    session = open_session(pathlib.Path(folder), runtime, precision, description.ranges)
    return make_exported(description, session)


def make_exported(description: Description, session):
    """Returns the exported generator of a description; `session` runs its graphs."""
    return _KINDS[description.kind](description, session)


def _expect_keras(path):
    if importlib.util.find_spec("keras") is None:
        raise ImportError(
            "Expected TensorFlow and Keras, or a generator that export wrote: pip install "
            f"tensorflow keras. Received: path={path and os.fspath(path)!r} and neither of them"
        )
