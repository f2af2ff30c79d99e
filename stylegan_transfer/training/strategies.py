"""On which devices the training step runs."""

from collections.abc import Callable

import keras
import tensorflow as tf


def compile_step(model: keras.Model, strategy: tf.distribute.Strategy) -> Callable:
    """Returns a function that takes a training step on all devices: batch -> logs.

    Args:
        model: A compiled `StyleTransferGAN`; its `run_eagerly` and `jit_compile` count.
        strategy: Where the model's variables live.
    """

    def step(batch, adversarial):
        del adversarial  # which of the two steps this is: each has a graph of its own
        return strategy.run(model.train_step, args=(batch,))

    if not model.run_eagerly:
        step = tf.function(step, autograph=False, jit_compile=model.jit_compile)
    return lambda batch: step(batch, model.adversarial)
