"""Generators as SavedModels, which TensorFlow Serving serves as they are."""

import pathlib

import keras

from stylegan_transfer.exporting.signatures import expect_tensorflow, make_signatures


def write_saved_model(generator, folder: pathlib.Path) -> None:
    """Writes a SavedModel with the signatures of `make_signatures` into a folder.

    Args:
        generator: A `StyleGenerator` or a `TransportGenerator`.
        folder: Exists, and is empty.

    Raises:
        ValueError: Keras does not run on TensorFlow.
    """
    expect_tensorflow("saved_model")
    archive = keras.export.ExportArchive()
    archive.track(generator)
    for name, (function, signature) in make_signatures(generator).items():
        archive.add_endpoint(name, function, signature)
    archive.write_out(folder, verbose=False)
