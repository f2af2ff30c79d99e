"""How large maps become: what 8 bits must hold."""

import functools
import pathlib
import tempfile

import numpy as np

from stylegan_transfer import samples
from stylegan_transfer.exporting.onnx_files import write_onnx
from stylegan_transfer.exporting.onnx_graph import import_onnx
from stylegan_transfer.runtimes.description import Description
from stylegan_transfer.runtimes.loading import make_exported

_SIZE = 256  # pixels
_MIN_CHANNELS = 16  # of what is rounded: pixels stay as they are


def measure_ranges(generator, description: Description) -> dict:
    """Returns the range of what each convolution takes while the samples are painted.

    The medians, over the pairs of a content and a style, of the lowest and the highest value: a few
    values beyond them cost less than coarser steps for all.

    Args:
        generator: A `StyleGenerator` or a `TransportGenerator`.
        description: Of it.

    Returns:
        `{graph: {tensor: (low, high)}}`, with 0 in every range, for `Description.ranges`. The
        style encoder is left out.

    Raises:
        ImportError: The package `onnx` or `onnxruntime` is missing.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_onnx(generator, pathlib.Path(folder), half_precision=False)
        observer = _Observer(pathlib.Path(folder))
        exported = make_exported(description, observer)
        styles = [samples.draw_style(name, _SIZE)[None] for name in samples.STYLE_NAMES]
        codes = [exported.encode_style(style) for style in styles]
        for name in samples.CONTENT_NAMES:
            content = samples.draw_content(name, _SIZE)[None]
            for seed, code in enumerate(codes):
                noise = generator.draw_noise(*content.shape[:3], seed)
                exported.synthesize(content, code, noise=noise)
    return {
        name: {tensor: _to_range(bounds) for tensor, bounds in tensors.items()}
        for name, tensors in observer.seen.items()
    }


def _to_range(bounds):
    low, high = np.median(bounds, axis=0)
    return round(float(min(low, 0.0)), 3), round(float(max(high, 0.0)), 3)


class _Observer:
    """Runs graphs as `OnnxSession` does.

    Attributes:
        seen: `{graph: {tensor: [(low, high), ...]}}`, a pair for each run.
    """

    def __init__(self, folder):
        self._folder, self.seen = folder, {}
        self._open = functools.cache(self._open)

    def __call__(self, name, feeds, outputs, is_tile=False):
        session, tensors = self._open(name)
        results = session.run([*outputs, *tensors], dict(feeds))
        for tensor, maps in zip(tensors, results[len(outputs) :], strict=True):
            if maps.shape[1] >= _MIN_CHANNELS:
                bounds = self.seen.setdefault(name, {}).setdefault(tensor, [])
                bounds.append((maps.min(), maps.max()))
        return results[: len(outputs)]

    def _open(self, name):
        """A session, and the tensors that convolutions take, before they are padded."""
        import onnxruntime

        onnx = import_onnx()
        model = onnx.load(self._folder / f"{name}.onnx")
        nodes, tensors = model.graph.node, []
        if name != "encode_style":
            padded = {n.output[0]: n.input[0] for n in nodes if n.op_type == "Pad"}
            taken = [n.input[0] for n in nodes if n.op_type == "Conv"]
            tensors = [*dict.fromkeys(padded.get(tensor, tensor) for tensor in taken)]
        kind = onnx.TensorProto.FLOAT
        model.graph.output.extend(
            onnx.helper.make_tensor_value_info(tensor, kind, None) for tensor in tensors
        )
        return onnxruntime.InferenceSession(model.SerializeToString()), tensors
