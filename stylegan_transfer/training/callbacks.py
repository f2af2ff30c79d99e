"""What happens around the training steps: checkpoints, TensorBoard, validation, the GAN's start."""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterable

import keras
import numpy as np

from stylegan_transfer.pictures.contact_sheet import make_contact_sheet
from stylegan_transfer.training.checkpoints import Checkpoints


class _StepCallback(keras.callbacks.Callback):
    """A callback that knows the global step, which goes on where a resumed run left off."""

    @property
    def step(self) -> int:
        return int(self.model.optimizer.iterations.numpy())


class StopOnNonFinite(_StepCallback):
    """Ends the run at the first loss that is NaN or infinite, before anything is saved.

    Raises:
        FloatingPointError: names the first bad term and the step.
    """

    def on_train_batch_end(self, batch, logs=None):
        for name in sorted(logs, key=lambda name: not name.endswith("_loss")):  # terms, then sums
            value = logs[name]
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"Expected finite losses. Received: {name}={value} at step {self.step}. "
                    "The last checkpoint holds the state before it"
                )


class AdversarialStart(_StepCallback):
    """Switches the model's adversarial part on at a step.

    Args:
        start: Global step.
    """

    def __init__(self, start: int):
        super().__init__()
        self.start = start

    def on_train_batch_begin(self, batch, logs=None):
        if not self.model.adversarial and self.step >= self.start:
            self.model.start_adversarial()


class Interruption(_StepCallback):
    """Ends the run after the step in which SIGINT or SIGTERM came.

    Args:
        agree: Called after each step with whether a signal has come here; returns whether to
            stop. Of several processes all must stop at one step.
    """

    def __init__(self, agree: Callable[[bool], bool] = bool):
        super().__init__()
        self.agree, self.signal, self.stopped = agree, None, False
        self._previous_handlers = {}

    def on_train_begin(self, logs=None):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous_handlers[number] = signal.signal(number, self._interrupt)

    def on_train_batch_end(self, batch, logs=None):
        if self.agree(self.signal is not None):
            self.stopped = self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.restore_handlers()

    def restore_handlers(self):
        """Gives SIGINT and SIGTERM back; `on_train_end` does, unless an error skips it."""
        while self._previous_handlers:
            signal.signal(*self._previous_handlers.popitem())

    def _interrupt(self, number, frame):
        del frame
        self.signal = signal.Signals(number)


class Checkpointer(_StepCallback):
    """Saves everything every `every` steps and at the end.

    Args:
        checkpoints: Where the state is saved.
        every: Steps between checkpoints.
        export: Called before each checkpoint, to save the generator for use.

    Raises:
        FloatingPointError: A weight is NaN or infinite; nothing was saved then.
    """

    def __init__(self, checkpoints: Checkpoints, every: int, export: Callable[[], None]):
        super().__init__()
        self.checkpoints, self.every, self.export = checkpoints, every, export

    def on_train_batch_end(self, batch, logs=None):
        if self.step % self.every == 0:
            self._save()

    def on_train_end(self, logs=None):
        self._save()

    def _save(self):
        if self.checkpoints.latest != self.step:
            self.checkpoints.expect_finite(self.step)
            self.export()  # first: a run that dies between the two does both again
            self.checkpoints.save(self.step)


class TensorBoardLogger(_StepCallback):
    """Writes losses, learning rates, gradient norms, speed and pictures for TensorBoard.

    Scalars are means over the last `every` steps. The speed counts the steps and the reading of
    their data alone: no tracing, and nothing that callbacks do between the steps.

    Args:
        writer: From `open_summaries`.
        every: Steps between scalars.
        batch_size: Images a step, for images/second.
        image_every: Steps between picture grids.
        contents: Fixed content images `(m, height, width, 3)`.
        styles: Fixed style images `(n, height, width, 3)`.
    """

    def __init__(self, writer, *, every, batch_size, image_every, contents, styles):
        super().__init__()
        self.writer, self.every, self.batch_size = writer, every, batch_size
        self.image_every, self.contents, self.styles = image_every, contents, styles
        self._sums, self._count, self._seconds = {}, 0, 0.0
        self._traced = None  # which of the two steps has been traced: with the discriminator?

    def on_train_begin(self, logs=None):
        if self.step == 0:
            self._write_pictures()

    def on_train_batch_begin(self, batch, logs=None):
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        if self._traced == self.model.adversarial:
            self._seconds += time.perf_counter() - self._began
            self._count += 1
        self._traced = self.model.adversarial
        for name, value in logs.items():
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + value, count + 1)
        if self.step % self.every == 0:
            self._write_scalars()
        if self.step % self.image_every == 0:
            self._write_pictures()

    def on_train_end(self, logs=None):
        self.writer.flush()

    def _write_scalars(self):
        scalars = {name: total / count for name, (total, count) in self._sums.items()}
        scalars["learning_rate/generator"] = self.model.optimizer.learning_rate
        if self.model.adversarial:
            rate = self.model.discriminator_optimizer.learning_rate
            scalars["learning_rate/discriminator"] = rate
        if self._count:
            scalars["images_per_second"] = self._count * self.batch_size / self._seconds
        self.writer.add_scalars(self.step, "training", scalars)
        self._sums, self._count, self._seconds = {}, 0, 0.0

    def _write_pictures(self):
        columns = [
            self.model.predict_on_batch(
                [self.contents, np.repeat(style[None], len(self.contents), 0)]
            )
            for style in self.styles
        ]
        rows = [list(row) for row in zip(*columns, strict=True)]
        sheet = make_contact_sheet(self.contents, self.styles, rows, self.contents.shape[1])
        self.writer.add_image(self.step, "stylized", sheet)
        self.writer.flush()  # who watches wants to see it now


class Validation(_StepCallback):
    """Evaluates the averaged generator on held-out pairs every `every` steps.

    Args:
        dataset: Finite dataset of batches, as `make_dataset` yields them.
        writer: From `open_summaries`.
        every: Steps between evaluations.
    """

    def __init__(self, dataset: Iterable, writer, every: int):
        super().__init__()
        self.dataset, self.writer, self.every = dataset, writer, every

    def on_train_batch_end(self, batch, logs=None):
        if self.step % self.every == 0:
            results = self.model.evaluate(self.dataset, verbose=0, return_dict=True)
            self.writer.add_scalars(self.step, "validation", results)


class TimeLimit(_StepCallback):
    """Ends the run after the step in which so many minutes are over; a checkpoint is saved.

    Args:
        minutes: From the first step on.
    """

    def __init__(self, minutes: float):
        super().__init__()
        self.minutes, self.stopped_at = minutes, None

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 0:
            self._end = time.monotonic() + 60 * self.minutes

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() >= self._end:
            self.model.stop_training, self.stopped_at = True, self.step
