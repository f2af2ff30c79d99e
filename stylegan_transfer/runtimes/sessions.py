"""Runs the graphs of a folder: with onnxruntime, or with OpenVINO."""

import concurrent.futures
import contextlib
import functools
import importlib.util
import pathlib
import threading
import types
from collections.abc import Mapping, Sequence

import numpy as np

from stylegan_transfer.checks import expect, shorten

PRECISIONS = ("float32", "fast")
_MODULES = {"onnx": "onnxruntime", "openvino": "openvino"}
_NO_RANGES = types.MappingProxyType({})
_MAX_OWN = 6  # three graphs for a tile and for a thumbnail: each holds memory of its own


def is_installed(runtime: str) -> bool:
    """Returns whether the package of a runtime, `onnx` or `openvino`, is installed."""
    return importlib.util.find_spec(_MODULES[runtime]) is not None


def open_session(folder: pathlib.Path, runtime: str, precision: str, ranges: Mapping):
    """Returns what runs the graphs of a folder.

    Args:
        folder: Holds the graphs.
        runtime: `"onnx"` or `"openvino"`.
        precision: `"float32"` or `"fast"`.
        ranges: Of the graphs' description.

    Returns:
        An `OnnxSession` or an `OpenVinoSession`.

    Raises:
        ImportError: The runtime is not installed.
        ValueError: The precision is unknown, or not one of this runtime.
    """
    expect(precision in PRECISIONS, f"one of {PRECISIONS}", precision=precision)
    module = _MODULES[runtime]
    if not is_installed(runtime):
        raise ImportError(
            f'Expected {module}: pip install "stylegan_transfer[{runtime}]". '
            f"Received: runtime={runtime!r}, which is not installed"
        )
    if runtime == "openvino":
        return OpenVinoSession(folder, precision, ranges)
    fits = precision == "float32"
    expect(fits, "precision='float32' for onnxruntime, or runtime='openvino'", precision=precision)
    return OnnxSession(folder)


class OnnxSession:
    """Runs graphs with onnxruntime.

    `session(name, feeds, outputs)` takes a graph's name, its inputs by name and the names of the
    outputs that are wanted, and returns these as arrays. `is_tile` says that this size will come
    again at once.

    Args:
        folder: Holds `.onnx` files.
    """

    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        reader = concurrent.futures.ThreadPoolExecutor(1)  # while pictures are decoded
        paths = sorted(folder.glob("*.onnx"))
        self._graphs = {path.stem: reader.submit(_read_onnx, str(path)) for path in paths}
        reader.shutdown(wait=False)

    def __call__(
        self, name: str, feeds: Mapping, outputs: Sequence[str], is_tile: bool = False
    ) -> list[np.ndarray]:
        expect(name in self._graphs, f"a folder with {name}.onnx", folder=str(self._folder))
        return self._graphs[name].result().run(list(outputs), dict(feeds))


def _read_onnx(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    # Threads that wait busily take a core from what comes between the graphs, and from others.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    with _naming_errors(path):
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class OpenVinoSession:
    """Runs graphs with OpenVINO; called as `OnnxSession`.

    A graph for one size is a quarter faster than one for all sizes and takes less memory, but must
    be compiled for it. So the first size gets a graph of its own, and so do tiles, and a size that
    comes three times in a row. Others share the one for all sizes.

    Args:
        folder: Holds `.xml` or `.onnx` files.
        precision: `"float32"`; or `"fast"`: bfloat16 on processors with matrix units for it, else
            convolutions in 8 bits, within the ranges.
        ranges: `{graph: {tensor: (low, high)}}` of the maps that are convolved.
    """

    def __init__(
        self, folder: pathlib.Path, precision: str = "float32", ranges: Mapping = _NO_RANGES
    ):
        import openvino

        self._openvino, self._core = openvino, openvino.Core()
        self._folder, self._own, self._runs = folder, {}, {}
        is_half = precision == "fast" and _has_matrix_units()
        self._ranges = ranges if precision == "fast" and not is_half else _NO_RANGES
        self._config = {"INFERENCE_PRECISION_HINT": "bf16" if is_half else "f32"}
        self._dynamic = functools.cache(self._compile)
        self._lock = threading.Lock()

    def __call__(
        self, name: str, feeds: Mapping, outputs: Sequence[str], is_tile: bool = False
    ) -> list[np.ndarray]:
        shapes = tuple((key, value.shape) for key, value in feeds.items())
        with self._lock:  # a request serves one thread at a time, with all cores
            request = self._find(name, shapes, is_tile)
            return self._infer(request, feeds, outputs)

    def _infer(self, request, feeds, outputs):
        """The results, in arrays that no later run writes to; where sizes are known, without a
        copy."""
        arrays = {}
        for port in request.model_outputs:
            (*names,) = port.names & set(outputs)
            if names and port.partial_shape.is_static:
                arrays[names[0]] = np.empty(tuple(port.shape), "float32")
                tensor = self._openvino.Tensor(arrays[names[0]], shared_memory=True)
                request.set_tensor(port, tensor)
        results = request.infer(dict(feeds), share_inputs=True, share_outputs=True)
        return [arrays[name] if name in arrays else np.array(results[name]) for name in outputs]

    def _find(self, name, shapes, is_tile):
        """The size's own graph, the newest of `_own` then; or that for all sizes."""
        last, length = self._runs.get(name, (None, 0))
        length = length + 1 if shapes == last else 1
        self._runs[name] = shapes, length
        request = self._own.pop((name, shapes), None)
        if request is None and not (last is None or is_tile or length >= 3):
            return self._dynamic(name)
        if len(self._own) == _MAX_OWN:
            del self._own[next(iter(self._own))]
        return self._own.setdefault((name, shapes), request or self._compile(name, shapes))

    def _compile(self, name, shapes=()):
        path = _find_graph(self._folder, name)
        with _naming_errors(path):
            graph = self._core.read_model(path)
            if shapes:
                graph.reshape({key: self._openvino.PartialShape(shape) for key, shape in shapes})
            if name in self._ranges:
                _quantize(graph, self._ranges[name])
            return self._core.compile_model(graph, "CPU", self._config).create_infer_request()


def _quantize(graph, ranges):
    """Rounds what convolutions take to 8 bits: maps within their range, weights channel by channel.

    OpenVINO then computes these convolutions in whole numbers.
    """
    from openvino import opset13 as opset

    for conv in graph.get_ordered_ops():
        if conv.get_type_name() != "Convolution":
            continue
        taken = conv.input(0)
        if taken.get_source_output().get_node().get_type_name() == "Pad":
            taken = taken.get_source_output().get_node().input(0)
        maps, weights = taken.get_source_output(), conv.input_value(1)
        bounds = [np.float32(bound) for name in maps.names for bound in ranges.get(name, ())][:2]
        if bounds:
            rounded = opset.fake_quantize(maps, *bounds, *bounds, 256)
            taken.replace_source_output(rounded.output(0))
            high = opset.reduce_max(opset.absolute(weights), [1, 2, 3], keep_dims=True)
            bounds = [opset.negative(high), high]
            rounded = opset.fake_quantize(weights, *bounds, *bounds, 255)
            conv.input(1).replace_source_output(rounded.output(0))


@contextlib.contextmanager
def _naming_errors(path):
    """Damaged graphs raise errors of many kinds, some of several lines."""
    try:
        yield
    except Exception as error:
        reason = shorten(" ".join(str(error).split()))
        raise ValueError(
            f"Expected a graph that can be read. Received: {path} ({reason})"
        ) from error


def _find_graph(folder, name):
    paths = [folder / f"{name}{suffix}" for suffix in (".xml", ".onnx")]
    found = [path for path in paths if path.is_file()]
    expect(found, f"a folder with {' or '.join(path.name for path in paths)}", folder=str(folder))
    return str(found[0])


def _has_matrix_units():
    """Whether bfloat16 pays: without AMX, it takes longer than float32."""
    processor = pathlib.Path("/proc/cpuinfo")
    return not processor.exists() or "amx_bf16" in processor.read_text()
