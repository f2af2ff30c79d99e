"""Runs a training: one configuration, one folder; the same call on the same folder resumes."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from stylegan_transfer.checks import expect, is_path
from stylegan_transfer.networks.archive import check_keras_file
from stylegan_transfer.networks.saving import save_generator
from stylegan_transfer.training.building import build_model
from stylegan_transfer.training.callbacks import (
    AdversarialStart,
    Checkpointer,
    StopOnNonFinite,
    TensorBoardLogger,
    Validation,
)
from stylegan_transfer.training.checkpoints import Checkpoints
from stylegan_transfer.training.config import TrainingConfig
from stylegan_transfer.training.data import make_dataset
from stylegan_transfer.training.loop import run_steps
from stylegan_transfer.training.sources import ImageStore
from stylegan_transfer.training.strategies import compile_step
from stylegan_transfer.training.workdir import GENERATOR, claim, to_json

_GRID_SIZE = 4  # contents and styles in TensorBoard's picture grid
_VALIDATION_BATCHES = 16


def train(
    config: TrainingConfig,
    workdir: str | os.PathLike,
    verbose: int | str = "auto",
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.Model:
    """Trains a generator and returns it: the moving average of its weights.

    `workdir` then holds `config.json`, `checkpoints/` (everything, of the last two savings),
    `logs/` (TensorBoard) and `generator.keras` (renewed at every checkpoint; see
    `load_generator`). A run that was interrupted, in whatever way, goes on from its last
    checkpoint that can be read when called again, and sees the data that it would have seen.

    Args:
        config: The configuration. On a folder with checkpoints it must be that of the run there,
            but for what leaves the weights as they are (`log_every`, `cache_gib`, ...).
        workdir: Folder of the run; created if missing.
        verbose: Keras' progress bar, as in `keras.Model.fit`.
        callbacks: More Keras callbacks; their `model` is the `StyleTransferGAN`.

    Returns:
        The generator, a `keras.Model` as `load_generator` returns it.

    Raises:
        ValueError: `workdir` belongs to a run with another configuration; the message names the
            fields. Or its files are damaged, or data or weights are not as expected.
        FileNotFoundError: Data or weights are missing.
        FloatingPointError: A loss or a weight became NaN or infinite.
        InterruptedError: SIGINT or SIGTERM came; a checkpoint has been saved.

    Example:
        >>> import dataclasses
        >>> import stylegan_transfer as st
        >>> config = dataclasses.replace(
        ...     st.PRESETS["smoke"],
        ...     steps=1,
        ...     width=2,
        ...     adversarial_weight=0.0,
        ...     features=("random",),
        ...     content_layers=("relu1_1",),
        ...     style_layers=("relu1_1",),
        ... )
        >>> generator = st.train(config, "runs/tiny", verbose=0)
        >>> type(generator).__name__
        'StyleGenerator'
    """
    expect(isinstance(config, TrainingConfig), "a TrainingConfig", config=config)
    expect(is_path(workdir), "the name of a folder", workdir=workdir)
    workdir = Path(workdir)
    claim(workdir, config)
    with _dtype_policy(config.precision):
        keras.utils.set_random_seed(config.seed)
        model = build_model(config)
        checkpoints = Checkpoints(workdir / "checkpoints", _all_variables(model))
        checkpoints.restore()
        step = int(model.optimizer.iterations.numpy())
        if step < config.steps:
            _fit(model, config, workdir, checkpoints, step, verbose, callbacks)
        elif not _is_whole(workdir / GENERATOR):
            save_generator(model.ema_generator, workdir / GENERATOR)
    return model.ema_generator


def _is_whole(path):
    """Whether there is a generator that can be read."""
    try:
        check_keras_file(path)
    except (OSError, ValueError):
        return False
    return True


@contextlib.contextmanager
def _dtype_policy(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _fit(model, config, workdir, checkpoints, step, verbose, more_callbacks):
    writer = tf.summary.create_file_writer(os.fspath(workdir / "logs"))
    with writer.as_default(step):
        tf.summary.text("config", f"```\n{to_json(config)}```")
    store = ImageStore(int(config.cache_gib * 2**30), config.data_dir or None)
    contents, styles = _grid_pictures(config, store)
    checkpointer = Checkpointer(
        checkpoints,
        config.checkpoint_every,
        lambda: save_generator(model.ema_generator, workdir / GENERATOR),
    )
    callbacks = [
        StopOnNonFinite(),
        TensorBoardLogger(
            writer,
            every=config.log_every,
            batch_size=config.batch_size,
            image_every=config.image_every,
            contents=contents,
            styles=styles,
        ),
        checkpointer,
    ]
    if config.adversarial_weight:
        callbacks.append(AdversarialStart(config.adversarial_start))
    if config.validation_content:
        held_out = _validation_set(config, store)
        callbacks.append(Validation(held_out, writer, config.evaluate_every))
    callbacks += more_callbacks
    try:
        batches = iter(_dataset(config, store, start_step=step))
        take_step = compile_step(model, tf.distribute.get_strategy())
        run_steps(model, take_step, batches, config.steps - step, callbacks, verbose)
    finally:
        checkpointer.restore_handlers()
        writer.close()
    if checkpointer.interrupted_by:
        raise InterruptedError(
            f"Stopped by {checkpointer.interrupted_by.name} at step {checkpointer.step}; the same "
            "command goes on from there"
        )


def _dataset(config, store, **overrides):
    arguments = {
        "batch_size": config.batch_size,
        "image_size": config.image_size,
        "seed": config.seed,
        "content_resize": config.content_resize,
        "style_resize": config.style_resize,
        "style_augmentation": config.style_augmentation,
        "store": store,
    }
    sources = {"content": config.content, "style": config.style}
    return make_dataset(**{**sources, **arguments, **overrides})


def _validation_set(config, store):
    dataset = _dataset(
        config,
        store,
        content=config.validation_content,
        style=config.validation_style,
        style_augmentation=0.0,
    )
    return dataset.take(_VALIDATION_BATCHES).cache()


def _grid_pictures(config, store):
    """Fixed pictures for the grid: of the validation set where there is one."""
    dataset = _dataset(
        config,
        store,
        content=config.validation_content or config.content,
        style=config.validation_style or config.style,
        batch_size=_GRID_SIZE,
        seed=config.seed + 1,
        style_augmentation=0.0,
    )
    contents, styles, _ = next(dataset.as_numpy_iterator())
    return contents, styles[:, 0]


def _all_variables(model):
    """The whole state of a run; the features are frozen and stay out."""
    networks = [model.generator, model.ema_generator, model.optimizer]
    if model.discriminator is not None:
        networks += [model.discriminator, model.discriminator_optimizer]
    # Checkpoints know variables by their place; the first was a counter of its own once.
    unused = keras.Variable(0, dtype="int64", trainable=False)
    return [unused, *(v for network in networks for v in network.variables)]
