"""Callbacks, with a stub for the model."""

import signal
import threading
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from stylegan_transfer.training.callbacks import (
    AdversarialStart,
    Checkpointer,
    Interruption,
    StopOnNonFinite,
    TensorBoardLogger,
    TimeLimit,
    Validation,
)
from stylegan_transfer.training.checkpoints import Checkpoints, saved_steps
from stylegan_transfer.training.summaries import open_summaries


class StubModel:
    """As much of the training model as the callbacks look at."""

    def __init__(self, step=0):
        self.optimizer = types.SimpleNamespace(
            iterations=tf.Variable(step, dtype="int64"), learning_rate=0.5
        )
        self.discriminator_optimizer = types.SimpleNamespace(learning_rate=0.25)
        self.adversarial = False
        self.stop_training = False
        self.evaluations = 0

    def start_adversarial(self):
        self.adversarial = True

    def predict_on_batch(self, inputs):
        contents, styles = inputs
        return 0.5 * contents + 0.5 * styles

    def evaluate(self, dataset, verbose, return_dict):
        self.evaluations += 1
        return {"loss": sum(dataset), "content_loss": 10.0 * self.evaluations}


def run(model, *callbacks, steps, logs=lambda step: {"loss": 1.0}, at=None):
    """The part of `fit` around the step: the counter, and the callbacks in their order."""
    for callback in callbacks:
        callback.set_model(model)
        callback.on_train_begin()
    for batch in range(steps):
        for callback in callbacks:
            callback.on_train_batch_begin(batch)
        model.optimizer.iterations.assign_add(1)
        step = int(model.optimizer.iterations.numpy())
        if at and step in at:
            at[step]()
        for callback in callbacks:
            callback.on_train_batch_end(batch, logs(step))
        if model.stop_training:
            break
    for callback in callbacks:
        callback.on_train_end()


def read_scalars(folder):
    """`{tag: {step: value}}` of the event files of a folder."""
    scalars = {}
    for path in sorted(map(str, folder.glob("events.*"))):
        for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "scalars":
                    number = float(tf.make_ndarray(value.tensor))
                    scalars.setdefault(value.tag, {})[event.step] = number
    return scalars


@pytest.fixture
def weight():
    return keras.Variable(1.0, name="weight")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "checkpoints"


@pytest.fixture
def checkpoints(folder, weight):
    return Checkpoints(folder, [weight], keep=10)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_non_finite_loss_stops_the_run_and_is_named_before_what_follows_from_it(value):
    def logs(step):
        bad = value if step == 3 else 1.0
        return {"content_loss": 1.0, "generator_gradient_norm": bad, "loss": bad, "style_loss": bad}

    model = StubModel(step=0)
    with pytest.raises(FloatingPointError, match=rf"style_loss={value} at step 3\."):
        run(model, StopOnNonFinite(), steps=5, logs=logs)


def test_non_finite_gradient_norm_alone_stops_the_run():
    with pytest.raises(FloatingPointError, match="gradient_norm=nan"):
        run(
            StubModel(),
            StopOnNonFinite(),
            steps=1,
            logs=lambda step: {"a_loss": 1.0, "generator_gradient_norm": float("nan")},
        )


@pytest.mark.parametrize(("first", "start", "expected"), [(0, 3, 3), (0, 0, 0), (7, 3, 7)])
def test_adversarial_part_starts_at_its_step_or_at_once_in_a_resumed_run(first, start, expected):
    model, starts = StubModel(first), []
    begin = model.start_adversarial
    model.start_adversarial = lambda: (
        starts.append(int(model.optimizer.iterations.numpy())),
        begin(),
    )
    run(model, AdversarialStart(start), steps=6)
    assert starts == [expected]


def test_checkpoints_come_every_so_many_global_steps_and_at_the_end(checkpoints, folder):
    exports = []
    checkpointer = Checkpointer(checkpoints, 4, lambda: exports.append(saved_steps(folder)))
    run(StubModel(step=2), checkpointer, steps=8)
    assert saved_steps(folder) == [4, 8, 10]
    # the generator is written first: a run that dies in between repeats both
    assert exports == [[], [4], [4, 8]]


def test_last_step_is_saved_once(checkpoints, folder):
    exports = []
    run(StubModel(), Checkpointer(checkpoints, 4, lambda: exports.append(0)), steps=8)
    assert saved_steps(folder) == [4, 8]
    assert len(exports) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_run_after_its_step_with_a_checkpoint(checkpoints, folder, number):
    before = signal.getsignal(number)
    model, interruption = StubModel(), Interruption()

    def receive():  # as Python does; a true SIGINT that misses the handler ends pytest-xdist
        handler = signal.getsignal(number)
        assert handler != before
        handler(number, None)

    callbacks = Checkpointer(checkpoints, 100, lambda: None), interruption
    run(model, *callbacks, steps=10, at={3: receive})
    assert model.optimizer.iterations.numpy() == 3
    assert saved_steps(folder) == [3]
    assert interruption.stopped and interruption.signal == number
    assert signal.getsignal(number) == before


def test_processes_stop_together_where_they_agree_to():
    asked, model = [], StubModel()
    interruption = Interruption(agree=lambda wants: asked.append(wants) or len(asked) == 2)
    run(model, interruption, steps=5)
    assert asked == [False, False]
    assert interruption.stopped and interruption.signal is None


def test_handlers_are_given_back_when_an_error_skips_the_end(checkpoints, folder):
    before = signal.getsignal(signal.SIGTERM)
    interruption = Interruption()
    interruption.set_model(StubModel())
    interruption.on_train_begin()
    assert signal.getsignal(signal.SIGTERM) != before
    interruption.restore_handlers()
    interruption.restore_handlers()  # twice does no harm
    assert signal.getsignal(signal.SIGTERM) == before


def test_weight_that_is_not_finite_is_named_and_nothing_is_saved(checkpoints, folder, weight):
    exports, checkpointer = [], Checkpointer(checkpoints, 2, lambda: exports.append(0))
    spoil = {3: lambda: weight.assign(np.inf)}  # the last step, whose losses were finite
    with pytest.raises(FloatingPointError, match="weight at step 3"):
        run(StubModel(), checkpointer, steps=3, at=spoil)
    assert saved_steps(folder) == [2]
    assert len(exports) == 1


def test_training_in_another_thread_does_without_signals(checkpoints, folder):
    errors = []

    def work():
        try:
            run(StubModel(), Checkpointer(checkpoints, 2, lambda: None), Interruption(), steps=2)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert errors == []
    assert saved_steps(folder) == [2]


@pytest.fixture
def make_logger(tmp_path):
    def make(**kwargs):
        writer = open_summaries(tmp_path)
        rng = np.random.default_rng(0)
        contents = rng.uniform(size=(2, 32, 32, 3)).astype("float32")
        styles = rng.uniform(size=(3, 32, 32, 3)).astype("float32")
        arguments = {"every": 3, "batch_size": 4, "image_every": 100, **kwargs}
        return TensorBoardLogger(writer, contents=contents, styles=styles, **arguments)

    return make


def test_scalars_are_means_since_the_last_entry(make_logger, tmp_path):
    run(
        StubModel(),
        make_logger(),
        steps=8,
        logs=lambda step: {"loss": float(step), **({"late": 1.0 * step} if step > 4 else {})},
    )
    scalars = read_scalars(tmp_path)
    assert scalars["training/loss"] == {3: 2.0, 6: 5.0}
    assert scalars["training/late"] == {6: 5.5}
    assert scalars["training/learning_rate/generator"] == {3: 0.5, 6: 0.5}
    assert "training/learning_rate/discriminator" not in scalars


def test_discriminators_rate_is_written_once_it_trains(make_logger, tmp_path):
    run(StubModel(), AdversarialStart(3), make_logger(), steps=6)
    assert read_scalars(tmp_path)["training/learning_rate/discriminator"] == {6: 0.25}


def test_speed_counts_the_steps_alone(make_logger, tmp_path, monkeypatch):
    clock = {"now": 100.0}
    monkeypatch.setattr("time.perf_counter", lambda: clock["now"])
    model = StubModel()

    def takes(seconds, value=None):
        clock["now"] += seconds
        return value

    class Slow(keras.callbacks.Callback):  # as checkpoints and validation are
        def on_train_batch_end(self, batch, logs=None):
            takes(1000.0)

    # Both steps, without and with the discriminator, are traced when first taken.
    steps = {step: lambda step=step: takes(60.0 if step in (1, 4) else 0.5) for step in range(9)}
    paint = model.predict_on_batch
    model.predict_on_batch = lambda inputs: takes(1000.0, paint(inputs))
    logger = make_logger(image_every=2)
    run(model, AdversarialStart(3), logger, Slow(), steps=6, at=steps)
    speed = read_scalars(tmp_path)["training/images_per_second"]
    assert speed == {3: pytest.approx(4 / 0.5), 6: pytest.approx(4 / 0.5)}


def test_pictures_come_at_the_start_and_every_so_many_steps(make_logger, tmp_path):
    run(StubModel(), make_logger(image_every=4), steps=9)
    assert picture_steps(tmp_path) == [0, 4, 8]


def test_resumed_run_writes_no_pictures_at_its_start(make_logger, tmp_path):
    run(StubModel(step=5), make_logger(image_every=4), steps=4)
    assert picture_steps(tmp_path) == [8]


def picture_steps(folder):
    steps = []
    for path in map(str, folder.glob("events.*")):
        for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            steps += [event.step for value in event.summary.value if value.tag == "stylized"]
    return steps


def test_validation_writes_what_evaluate_returns_every_so_many_steps(tmp_path):
    writer = open_summaries(tmp_path)
    run(StubModel(step=1), Validation([1.0, 2.0], writer, every=3), steps=6)
    writer.close()
    assert read_scalars(tmp_path) == {
        "validation/loss": {3: 3.0, 6: 3.0},
        "validation/content_loss": {3: 10.0, 6: 20.0},
    }


def test_a_time_limit_ends_the_run_after_the_step_in_which_it_is_over(monkeypatch):
    clock = {"now": 100.0}
    monkeypatch.setattr("time.monotonic", lambda: clock["now"])

    def one_minute_later():
        clock["now"] += 60.0

    model, limit = StubModel(step=10), TimeLimit(minutes=2.5)
    run(model, limit, steps=9, at=dict.fromkeys(range(20), one_minute_later))
    assert limit.stopped_at == int(model.optimizer.iterations) == 13
