"""The loop around the steps, beside `fit` with the same model, batches and callbacks."""

import keras
import numpy as np
import pytest

from stylegan_transfer.training.loop import run_steps

BATCHES = [(np.full((2, 1), i, "float32"), np.ones((2, 1), "float32")) for i in range(4)]


class Recorder(keras.callbacks.Callback):
    """Writes down every call; stops the training after a step."""

    def __init__(self, last):
        super().__init__()
        self.last, self.seen = last, []

    def __getattribute__(self, name):
        if name.startswith("on_"):
            return lambda number=None, logs=None: self.record(name, number, logs)
        return super().__getattribute__(name)

    def record(self, name, number, logs):
        self.seen.append((name, number if "train_b" in name else None, self.params["steps"]))
        if name == "on_train_batch_end":
            self.seen.append(sorted(logs))
            assert all(isinstance(value, float) for value in logs.values())
            self.model.stop_training = number == self.last


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    return model


@pytest.mark.parametrize("last", [2, 99])
def test_callbacks_are_called_as_in_fit(model, last):
    ours, theirs = Recorder(last), Recorder(last)
    step = lambda batch: model.train_on_batch(*batch, return_dict=True)  # noqa: E731
    run_steps(model, step, iter(BATCHES), 4, [ours], verbose=0)
    fit = dict(batch_size=2, shuffle=False, verbose=0, callbacks=[theirs])
    model.fit(*map(np.concatenate, zip(*BATCHES, strict=True)), **fit)
    assert ours.seen == theirs.seen
    assert sum(name == "on_train_batch_end" for name, *_ in ours.seen) == min(last + 1, 4)


def test_steps_get_the_batches_in_order_and_no_more(model):
    seen, batches = [], iter(range(9))
    run_steps(model, lambda batch: seen.append(batch) or {"loss": 1.0}, batches, 3, verbose=0)
    assert seen == [0, 1, 2]
    assert next(batches) == 3


@pytest.mark.parametrize("verbose", [0, "auto"])
def test_progress_bar_shows_the_steps_and_the_losses(model, capsys, verbose):
    run_steps(model, lambda batch: {"loss": 0.25}, iter(range(3)), 3, verbose=verbose)
    shown = capsys.readouterr().out
    assert ("3/3" in shown and "loss: 0.2500" in shown) == bool(verbose)
