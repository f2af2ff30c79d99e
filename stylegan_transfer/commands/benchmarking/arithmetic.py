"""The arithmetic of a training step, and the rate at which the machine can do it."""

import functools
import math
import time
from collections.abc import Callable, Sequence

MATRIX_SIZES = (512, 1024, 2048)


def count_operations(function) -> int:
    """Returns the floating-point operations of a concrete function's convolutions and matrix
    products, those of gradients included: two for each multiply-add.

    Only what the results and side effects depend on counts: the gradients of frozen weights are in
    the graph, but never run.
    """
    graph = function.graph
    reached, pending = set(), [*(output.op for output in graph.outputs), *graph.control_outputs]
    while pending:
        op = pending.pop()
        if op not in reached:
            reached.add(op)
            pending += [tensor.op for tensor in op.inputs]
    return sum(map(_operations, reached))


def _operations(op):
    if op.type in ("MatMul", "BatchMatMulV2"):
        transposed = op.get_attr("transpose_a" if op.type == "MatMul" else "adj_x")
        return 2 * op.outputs[0].shape.num_elements() * op.inputs[0].shape[-2 if transposed else -1]
    if op.type == "Conv2D":
        maps, kernel = op.outputs[0], op.inputs[1]
    elif op.type == "Conv2DBackpropInput":
        maps, kernel = op.inputs[2], op.inputs[1]
    elif op.type == "Conv2DBackpropFilter":
        maps, kernel = op.inputs[2], op.outputs[0]
    else:
        return 0
    return 2 * maps.shape.num_elements() * math.prod(kernel.shape[:3])


def multiplication_rate(sizes: Sequence[int] = MATRIX_SIZES) -> float:
    """Returns the most floating-point operations a second that products of float32 matrices
    reach, over a few sizes."""
    import tensorflow as tf

    rates = []
    for size in sizes:
        matrix = tf.random.uniform((size, size))
        rates.append(
            2 * size**3 / time_function(functools.partial(tf.linalg.matmul, matrix, matrix))
        )
    return max(rates)


def time_function(function: Callable) -> float:
    """Returns how long a call takes in seconds, with all that it leaves to the device."""
    import tensorflow as tf

    tf.test.experimental.sync_devices()
    started = time.perf_counter()
    function()
    tf.test.experimental.sync_devices()
    return time.perf_counter() - started
