"""What the replicas of a training step tell each other; where there is one, these do nothing.

A batch is dealt out like cards: replica r of R gets the examples r, r + R, r + 2 R, ... What acts
on the whole batch in a step on one device acts on the whole batch here, too.
"""

from collections.abc import Callable, Sequence

import keras
from keras import ops


def _context():
    """TensorFlow's context of the replica that runs this; None where there is only one."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return context if context is not None and context.num_replicas_in_sync > 1 else None


def num_replicas() -> int:
    """Returns the number of replicas that take this step together."""
    context = _context()
    return 1 if context is None else context.num_replicas_in_sync


def mean_over_replicas(values):
    """Returns the mean of each tensor of a nested structure; the same on all replicas."""
    context = _context()
    return values if context is None else context.all_reduce("mean", values)


def norms_over_replicas(tensors: Sequence):
    """Returns the Euclidean norm of each tensor, taken over the parts of all replicas together."""
    squares = [ops.sum(ops.square(ops.cast(tensor, "float32"))) for tensor in tensors]
    context = _context()
    squares = squares if context is None else context.all_reduce("sum", squares)
    return [ops.sqrt(square) for square in squares]


def gather(examples):
    """Returns the examples `(batch, ...)` of all replicas in the batch's order; differentiable."""
    context = _context()
    if context is None:
        return examples
    shape, kind = ops.shape(examples), examples.dtype
    sent = ops.cast(examples, "float32") if kind == "bfloat16" else examples  # not to be sent
    dealt = ops.reshape(context.all_gather(sent, axis=0), (-1, *shape))
    return ops.cast(ops.reshape(ops.swapaxes(dealt, 0, 1), (-1, *shape[1:])), kind)


def own_part(examples):
    """Returns what this replica got of the examples of all replicas; undoes `gather`."""
    context = _context()
    if context is None:
        return examples
    return examples[context.replica_id_in_sync_group :: context.num_replicas_in_sync]


def apply_gradients(optimizer: keras.optimizers.Optimizer, gradients: Sequence, variables) -> None:
    """As `optimizer.apply`, of gradients that are the same on all replicas.

    Keras' own would clip them and then add those of all replicas up. Of what optimizers have
    beside their update, `global_clipnorm` alone counts here.

    Args:
        optimizer: Built for the variables.
        gradients: One a variable.
        variables: Each replica changes its own copy.
    """
    if _context() is None:
        optimizer.apply(gradients, variables)
        return
    import tensorflow as tf

    if optimizer.global_clipnorm:
        gradients, _ = tf.clip_by_global_norm(gradients, optimizer.global_clipnorm)
    learning_rate = ops.cast(optimizer.learning_rate, "float32")
    for gradient, variable in zip(gradients, variables, strict=True):
        optimizer.update_step(gradient, variable.value, learning_rate)
    optimizer.iterations.assign_add(1)


def call_once(function: Callable) -> None:
    """Calls a function once for all replicas; what it assigns has one copy for all of them."""
    context = _context()
    if context is None:
        function()
    else:
        context.merge_call(lambda strategy: function())
