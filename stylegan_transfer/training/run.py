"""Runs a training: one configuration, one folder; the same call on the same folder resumes."""

import contextlib
import os
import random
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from stylegan_transfer.checks import expect, is_path
from stylegan_transfer.networks.archive import check_keras_file
from stylegan_transfer.networks.saving import save_generator
from stylegan_transfer.training.building import build_model
from stylegan_transfer.training.callbacks import (
    AdversarialStart,
    Checkpointer,
    Interruption,
    StopOnNonFinite,
    TensorBoardLogger,
    Validation,
)
from stylegan_transfer.training.checkpoints import Checkpoints
from stylegan_transfer.training.config import TrainingConfig
from stylegan_transfer.training.devices import on_all_devices
from stylegan_transfer.training.loop import run_steps
from stylegan_transfer.training.sources import ImageStore
from stylegan_transfer.training.strategies import (
    agree_to_stop,
    compile_step,
    lost_workers_named,
    open_strategy,
    place_of_process,
    share_state,
)
from stylegan_transfer.training.summaries import open_summaries
from stylegan_transfer.training.workdir import GENERATOR, claim, fingerprint, to_json

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
        InterruptedError: SIGINT or SIGTERM came, here or to another worker; a checkpoint has been
            saved.
        ConnectionError: Another worker has ended, or cannot be reached.

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
        'TransportGenerator'
    """
    expect(isinstance(config, TrainingConfig), "a TrainingConfig", config=config)
    expect(is_path(workdir), "the name of a folder", workdir=workdir)
    backend = keras.backend.backend()
    expect(backend in ("tensorflow", "jax"), "the backend tensorflow or jax", backend=backend)
    workdir = Path(workdir)
    strategy = open_strategy(config.strategy, config.batch_size)
    is_chief = place_of_process(strategy)[0] == 0
    if is_chief:
        claim(workdir, config)
    devices = on_all_devices(config.batch_size)
    with lost_workers_named(strategy), _dtype_policy(config.precision), devices:
        _set_seed(config.seed)
        scope = [] if strategy is None else [strategy.scope]
        model = build_model(config, *scope)
        variables, checkpoints = _all_variables(model), None
        if is_chief:
            checkpoints = Checkpoints(workdir / "checkpoints", variables)
            checkpoints.restore()
        share_state(strategy, variables, _seeds(model), fingerprint(config))
        step = int(model.optimizer.iterations.numpy())
        if step < config.steps:
            _fit(model, config, workdir, checkpoints, step, verbose, callbacks, strategy)
        elif is_chief and not _is_whole(workdir / GENERATOR):
            save_generator(model.ema_generator, workdir / GENERATOR)
    return model.ema_generator


def _is_whole(path):
    """Whether there is a generator that can be read."""
    try:
        check_keras_file(path)
    except (OSError, ValueError):
        return False
    return True


def _set_seed(seed):
    if keras.backend.backend() == "tensorflow":
        keras.utils.set_random_seed(seed)
    else:  # that would import TensorFlow where it is installed
        random.seed(seed)
        np.random.seed(seed)


@contextlib.contextmanager
def _dtype_policy(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _fit(model, config, workdir, checkpoints, step, verbose, more_callbacks, strategy):
    store = ImageStore(int(config.cache_gib * 2**30), config.data_dir or None)
    interruption = Interruption(agree_to_stop(strategy))
    with contextlib.ExitStack() as stack:
        stack.callback(interruption.restore_handlers)
        callbacks = [StopOnNonFinite()]
        if checkpoints is None:  # another process writes and shows
            verbose = 0
        else:
            writer = stack.enter_context(contextlib.closing(open_summaries(workdir / "logs")))
            callbacks += _writing_callbacks(
                model, config, workdir, checkpoints, step, store, writer
            )
        if config.adversarial_weight:
            callbacks.append(AdversarialStart(config.adversarial_start))
        callbacks += [interruption, *more_callbacks]
        batches = _dataset(config, store, start_step=step, **_part_of_process(strategy))
        _take_steps(model, batches, config.steps - step, callbacks, verbose, strategy)
    if interruption.stopped:
        by = interruption.signal.name if interruption.signal else "another worker"
        raise InterruptedError(
            f"Stopped by {by} at step {interruption.step}; the same command goes on from there"
        )


def _writing_callbacks(model, config, workdir, checkpoints, step, store, writer):
    writer.add_text(step, "config", f"```\n{to_json(config)}```")
    contents, styles = _grid_pictures(config, store)
    callbacks = [
        TensorBoardLogger(
            writer,
            every=config.log_every,
            batch_size=config.batch_size,
            image_every=config.image_every,
            contents=contents,
            styles=styles,
        ),
        Checkpointer(
            checkpoints,
            config.checkpoint_every,
            lambda: save_generator(model.ema_generator, workdir / GENERATOR),
        ),
    ]
    if config.validation_content:
        held_out = _validation_set(config, store)
        callbacks.append(Validation(held_out, writer, config.evaluate_every))
    return callbacks


def _part_of_process(strategy):
    place, number = place_of_process(strategy)
    return {"shard": (place, number)} if number > 1 else {}


def _take_steps(model, batches, num_steps, callbacks, verbose, strategy):
    if keras.backend.backend() != "tensorflow":  # Keras' trainer there keeps the state in step
        model.features(keras.ops.zeros((1, 32, 32, 3)))  # builds it, or `fit` calls all in symbols
        options = {"epochs": 1, "steps_per_epoch": num_steps, "shuffle": False}
        model.fit(batches, callbacks=callbacks, verbose=verbose, **options)
        return
    take_step = compile_step(model, strategy)
    run_steps(model, take_step, iter(batches), num_steps, callbacks, verbose)


def _dataset(config, store, num_batches=None, **overrides):
    """Endless batches, or so many, that can be read more than once; made of the configuration."""
    arguments = {
        "content": config.content,
        "style": config.style,
        "batch_size": config.batch_size,
        "image_size": config.image_size,
        "seed": config.seed,
        "content_resize": config.content_resize,
        "style_resize": config.style_resize,
        "style_augmentation": config.style_augmentation,
        "store": store,
        **overrides,
    }
    if keras.backend.backend() != "tensorflow":
        from stylegan_transfer.training.batches import Batches

        return Batches(**arguments, num_batches=num_batches)
    from stylegan_transfer.training.data import make_dataset

    dataset = make_dataset(**arguments)
    return dataset if num_batches is None else dataset.take(num_batches).cache()


def _validation_set(config, store):
    return _dataset(
        config,
        store,
        _VALIDATION_BATCHES,
        content=config.validation_content,
        style=config.validation_style,
        style_augmentation=0.0,
    )


def _grid_pictures(config, store):
    """Fixed pictures for the grid: of the validation set where there is one."""
    dataset = _dataset(
        config,
        store,
        num_batches=1,
        content=config.validation_content or config.content,
        style=config.validation_style or config.style,
        batch_size=_GRID_SIZE,
        seed=config.seed + 1,
        style_augmentation=0.0,
    )
    contents, styles, _ = next(iter(dataset))
    return np.asarray(contents), np.asarray(styles[:, 0])


def _all_variables(model):
    """The whole state of a run; the features are frozen and stay out."""
    networks = [model.generator, model.ema_generator, model.optimizer]
    if model.discriminator is not None:
        networks += [model.discriminator, model.discriminator_optimizer]
    variables = [v for network in networks for v in network.variables]
    if keras.backend.backend() != "tensorflow":
        return variables
    # Checkpoints know variables by their place; the first was a counter of its own once.
    return [keras.Variable(0, dtype="int64", trainable=False), *variables]


def _seeds(model):
    """What the generator's noise is drawn with."""
    return [v for v in model.generator.non_trainable_variables if "int" in v.dtype]
