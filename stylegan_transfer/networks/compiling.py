"""Compiles what a network does, for pictures of all sizes."""

from collections.abc import Callable

import keras


def compile_for_all_sizes(function: Callable) -> Callable:
    """Returns the function as inference runs it with Keras' backend.

    With TensorFlow it is a graph, traced at the first call for one size and at the second for all
    sizes. With PyTorch it keeps no gradients. With JAX it stays as it is: `jax.jit` would compile
    anew for each size.

    Args:
        function: From tensors to tensors.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, reduce_retracing=True, autograph=False)
    if backend == "torch":
        import torch

        return torch.no_grad()(function)
    return function
