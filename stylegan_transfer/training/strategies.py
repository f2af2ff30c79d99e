"""On which devices the training step runs."""

from collections.abc import Callable

import keras
import tensorflow as tf


def compile_step(model: keras.Model, strategy: tf.distribute.Strategy) -> Callable:
    """Returns a function that takes a training step on all devices: batch -> logs.

    Each process is handed its own part of the batch, and deals it out to its replicas.

    Args:
        model: A compiled `StyleTransferGAN`; its `run_eagerly` and `jit_compile` count.
        strategy: Where the variables live that the step trains.
    """

    def step_of_replica(batch):
        if strategy.num_replicas_in_sync > 1:
            num_local = len(strategy.extended.worker_devices)
            number = tf.distribute.get_replica_context().replica_id_in_sync_group % num_local
            batch = tuple(part[number::num_local] for part in batch)
        return model.train_step(batch)

    def step(batch, adversarial):
        del adversarial  # which of the two steps this is: each has a graph of its own
        logs = strategy.run(step_of_replica, args=(batch,))
        return {name: strategy.experimental_local_results(v)[0] for name, v in logs.items()}

    if not model.run_eagerly:
        step = tf.function(step, autograph=False, jit_compile=model.jit_compile)
    return lambda batch: step(batch, model.adversarial)
