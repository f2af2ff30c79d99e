"""Gradients of functions that use Keras networks, under TensorFlow and JAX.

Under JAX a training step is a pure function of the state, which `keras.StatelessScope` lends to
the variables while the step runs. So the step itself is written once, for both.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops


def gradient(function: Callable, tensor) -> tuple[Any, Any]:
    """Returns what a function returns, and the gradient of its first value.

    Args:
        function: Tensor -> `(scalar, anything)`; changes no variable.
        tensor: Where it is evaluated.

    Returns:
        `((scalar, anything), gradient)`, the gradient of the tensor's shape.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.value_and_grad(function, has_aux=True)(tensor)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(tensor)
        value = function(tensor)
    return value, tape.gradient(value[0], tensor)


def pull_back(
    function: Callable, variables: Sequence[keras.Variable], state: Sequence[keras.Variable]
) -> tuple[Any, Callable]:
    """Returns what a function returns, and what carries gradients back to variables.

    Args:
        function: Without arguments, returns `(tensor, anything)`. It may change variables, such
            as the seed of its noise.
        variables: With respect to which it is differentiated.
        state: All variables that it may read or change.

    Returns:
        `((tensor, anything), pull)`, where `pull(gradient)` takes that of the tensor and returns
        one gradient a variable; of a variable that has no part in the tensor it is zero.
    """
    if keras.backend.backend() == "jax":
        return _pull_back_jax(function, variables, state)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        value = function()

    def pull(gradient):
        return tape.gradient(
            value[0],
            [variable.value for variable in variables],
            output_gradients=gradient,
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )

    return value, pull


def _pull_back_jax(function, variables, state):
    import jax

    differentiated = {id(variable) for variable in variables}
    others = [variable for variable in state if id(variable) not in differentiated]
    fixed = [(variable, variable.value) for variable in others]

    def pure(values):
        mapping = [*zip(variables, values, strict=True), *fixed]
        with keras.StatelessScope(mapping) as scope:
            value, more = function()
        return value, (more, [scope.get_current_value(variable) for variable in others])

    values = [variable.value for variable in variables]
    value, pull, (more, changed) = jax.vjp(pure, values, has_aux=True)
    for variable, new in zip(others, changed, strict=True):
        variable.assign(new)
    return (value, more), lambda gradient: pull(gradient)[0]


def call_statelessly(
    function: Callable, groups: Sequence[Sequence[keras.Variable]], state: Sequence[Sequence]
) -> tuple[Any, tuple[list, ...]]:
    """Returns what a function returns, and the state after it, as Keras' JAX trainer has it.

    Args:
        function: Without arguments; reads and changes variables.
        groups: Lists of variables.
        state: A list of values for each.
    """
    mapping = [
        pair
        for variables, values in zip(groups, state, strict=True)
        for pair in zip(variables, values, strict=True)
    ]
    with keras.StatelessScope(mapping) as scope:
        value = function()
    return value, tuple([scope.get_current_value(v) for v in variables] for variables in groups)


def global_norm(tensors: Sequence):
    """Returns the Euclidean norm of all tensors together."""
    return ops.sqrt(sum(ops.sum(ops.square(ops.cast(t, "float32"))) for t in tensors))
