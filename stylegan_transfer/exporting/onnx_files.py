"""The graphs of a generator as files: ONNX, or OpenVINO's own format."""

import pathlib
import tempfile

from stylegan_transfer.exporting.onnx_graph import import_onnx
from stylegan_transfer.exporting.style_graphs import build_style_graphs
from stylegan_transfer.exporting.transport_graphs import build_transport_graphs
from stylegan_transfer.networks.generator import StyleGenerator


def write_onnx(generator, folder: pathlib.Path, half_precision: bool) -> None:
    """Writes one `.onnx` file a graph.

    Args:
        generator: A `StyleGenerator` or a `TransportGenerator`.
        folder: Exists.
        half_precision: Whether weights are stored as float16.

    Raises:
        ImportError: The package `onnx` is missing.
    """
    onnx = import_onnx()
    is_style = isinstance(generator, StyleGenerator)
    build = build_style_graphs if is_style else build_transport_graphs
    for name, model in build(generator, half_precision).items():
        onnx.save(model, folder / f"{name}.onnx")


def write_openvino(generator, folder: pathlib.Path, half_precision: bool) -> None:
    """Writes one `.xml` file and its `.bin` a graph; arguments as `write_onnx`.

    Raises:
        ImportError: The package `onnx` or `openvino` is missing.
    """
    try:
        import openvino
    except ImportError as error:
        raise ImportError(
            'Expected the package openvino: pip install "stylegan_transfer[openvino]". '
            f"Received: {error}"
        ) from None
    core = openvino.Core()
    with tempfile.TemporaryDirectory() as between:
        write_onnx(generator, pathlib.Path(between), half_precision=False)
        for path in sorted(pathlib.Path(between).iterdir()):
            graph = core.read_model(path)
            target = folder / f"{path.stem}.xml"
            openvino.save_model(graph, target, compress_to_fp16=half_precision)
