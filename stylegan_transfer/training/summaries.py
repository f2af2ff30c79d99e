"""Event files for TensorBoard: with TensorFlow its own writer, without it tensorboardX."""

import os
from collections.abc import Mapping

import keras
import numpy as np


def open_summaries(folder: str | os.PathLike):
    """Returns a writer of event files with the methods below; close it at the end.

    Args:
        folder: Made if it is missing.

    Raises:
        ImportError: Keras does not run on TensorFlow, and tensorboardX is missing.
    """
    if keras.backend.backend() == "tensorflow":
        return _TensorFlowSummaries(folder)
    return _Summaries(folder)


class _TensorFlowSummaries:
    def __init__(self, folder):
        import tensorflow as tf

        self._tf, self._writer = tf, tf.summary.create_file_writer(os.fspath(folder))
        self.flush, self.close = self._writer.flush, self._writer.close

    def add_scalars(self, step: int, group: str, scalars: Mapping[str, float]) -> None:
        """Writes numbers under `group/name`."""
        with self._writer.as_default(step):
            for name, value in scalars.items():
                self._tf.summary.scalar(f"{group}/{name}", value)

    def add_image(self, step: int, name: str, image: np.ndarray) -> None:
        """Writes an image `(height, width, 3)`, float in [0, 1]."""
        with self._writer.as_default(step):
            self._tf.summary.image(name, image[None])

    def add_text(self, step: int, name: str, text: str) -> None:
        """Writes a text in Markdown."""
        with self._writer.as_default(step):
            self._tf.summary.text(name, text)


class _Summaries:
    def __init__(self, folder):
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise ImportError(
                "Expected the package tensorboardX for event files without TensorFlow: "
                "pip install 'stylegan_transfer[jax]'. Received: it is not installed"
            ) from error
        self._writer = SummaryWriter(os.fspath(folder))
        self.flush, self.close = self._writer.flush, self._writer.close

    def add_scalars(self, step, group, scalars):
        for name, value in scalars.items():
            self._writer.add_scalar(f"{group}/{name}", float(value), step)

    def add_image(self, step, name, image):
        self._writer.add_image(name, np.asarray(image), step, dataformats="HWC")

    def add_text(self, step, name, text):
        self._writer.add_text(name, text, step)
