"""A small writer of ONNX graphs: tensors are names, and each operation adds a node."""

import collections
from collections.abc import Sequence

import numpy as np

OPSET = 18
_IR_VERSION = 9  # of that operator set; older runtimes refuse newer files


class Graph:
    """An ONNX graph that grows node by node.

    Args:
        name: Of the graph.
        half_precision: Whether weights are stored as float16, half the size. The graph computes
            in float32 all the same.

    Raises:
        ImportError: The package `onnx` is missing.
    """

    def __init__(self, name: str, half_precision: bool = False):
        self._onnx = import_onnx()
        self._name, self._half_precision = name, half_precision
        self._counts = collections.Counter()
        self._nodes, self._constants, self._inputs, self._outputs = [], [], [], []

    def input(self, name: str, shape: Sequence, dtype: str = "FLOAT") -> str:
        """Adds an input; a text in its shape names a size that is known at run time."""
        self._inputs.append(self._value(name, shape, dtype))
        return name

    def output(self, name: str, tensor: str, shape: Sequence) -> None:
        """Makes a tensor an output of that name."""
        self._nodes.append(self._onnx.helper.make_node("Identity", [tensor], [name]))
        self._outputs.append(self._value(name, shape, "FLOAT"))

    def constant(self, values) -> str:
        """Adds a constant: floats as float32, integers as int64."""
        array = np.asarray(values)
        array = array.astype("int64" if array.dtype.kind == "i" else "float32")
        name = f"constant_{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def weights(self, values) -> str:
        """Adds a constant that is stored in half precision where the graph is."""
        array = np.asarray(values, "float32")
        if not self._half_precision:
            return self.constant(array)
        name = f"constant_{len(self._constants)}"
        half = self._onnx.numpy_helper.from_array(array.astype("float16"), name)
        self._constants.append(half)
        return self.add("Cast", name, to=self._onnx.TensorProto.FLOAT)

    def add(self, operation: str, *inputs: str, num_outputs: int = 1, **attributes):
        """Adds a node; returns the name of its output, or a list of them if there are several."""
        number = self._counts[operation]  # the same whether or not weights are cast
        self._counts[operation] += 1
        names = [f"{operation}_{number}_{i}" for i in range(num_outputs)]
        node = self._onnx.helper.make_node(operation, inputs, names, **attributes)
        self._nodes.append(node)
        return names[0] if num_outputs == 1 else names

    def model(self):
        """Returns the graph as a checked `onnx.ModelProto`."""
        helper = self._onnx.helper
        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, self._constants
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="stylegan_transfer"
        )
        self._onnx.checker.check_model(model, full_check=True)
        return model

    def _value(self, name, shape, dtype):
        kind = getattr(self._onnx.TensorProto, dtype)
        return self._onnx.helper.make_tensor_value_info(name, kind, shape)


def import_onnx():
    """Returns the module `onnx`, or raises an `ImportError` that says how to get it."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            f'Expected the package onnx: pip install "stylegan_transfer[export]". Received: {error}'
        ) from None
    return onnx
