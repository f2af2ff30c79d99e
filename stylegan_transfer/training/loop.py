"""The loop around the training steps, with Keras' callbacks and progress bar."""

from collections.abc import Callable, Iterator, Sequence

import keras


def run_steps(
    model: keras.Model,
    step: Callable,
    batches: Iterator,
    num_steps: int,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int | str = "auto",
) -> None:
    """Takes steps as `model.fit` does in one epoch, with a step function of the caller's.

    The callbacks see what they see in `fit`: the reading of a batch and its step lie between
    `on_train_batch_begin` and `on_train_batch_end`, and `model.stop_training` ends the loop.

    Args:
        model: The `model` of the callbacks.
        step: Takes a batch, returns its logs: scalars by name.
        batches: Gives the batches, at least `num_steps`.
        num_steps: How many steps to take.
        callbacks: Keras callbacks, in the order in which they are called.
        verbose: Keras' progress bar, as in `keras.Model.fit`.
    """
    callbacks = keras.callbacks.CallbackList(
        [*callbacks],
        add_history=True,
        add_progbar=verbose != 0,
        verbose=verbose,
        epochs=1,
        steps=num_steps,
        model=model,
    )
    model.stop_training, logs = False, {}
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    for number in range(num_steps):
        callbacks.on_train_batch_begin(number)
        logs = step(next(batches))
        callbacks.on_train_batch_end(number, logs)
        if model.stop_training:
            break
    callbacks.on_epoch_end(0, logs)
    callbacks.on_train_end(logs)
