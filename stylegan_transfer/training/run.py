"""Runs a training: one configuration, one folder; the same call on the same folder resumes."""

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.networks.discriminator import StyleDiscriminator
from stylegan_transfer.networks.document_generator import DocumentGenerator
from stylegan_transfer.networks.features import build_features
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.networks.saving import load_generator, save_generator
from stylegan_transfer.training.callbacks import (
    AdversarialStart,
    Checkpointer,
    StopOnNonFinite,
    TensorBoardLogger,
    Validation,
)
from stylegan_transfer.training.config import TrainingConfig
from stylegan_transfer.training.data import make_dataset
from stylegan_transfer.training.gan import StyleTransferGAN

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
    checkpoint when called again, and sees the data that it would have seen.

    Args:
        config: The configuration.
        workdir: Folder of the run; created if missing.
        verbose: Keras' progress bar, as in `keras.Model.fit`.
        callbacks: More Keras callbacks; their `model` is the `StyleTransferGAN`.

    Raises:
        ValueError: `workdir` belongs to a run with another configuration; the message names the
            fields. Or data or weights are not as expected.
        FileNotFoundError: Data or weights are missing.
        FloatingPointError: A loss became NaN or infinite.
        InterruptedError: SIGINT or SIGTERM came; a checkpoint has been saved.
    """
    workdir = Path(workdir)
    _claim(workdir, config)
    keras.config.set_dtype_policy(config.precision)
    keras.utils.set_random_seed(config.seed)
    model = build_model(config)
    checkpoint = tf.train.Checkpoint(variables=[v.value for v in _all_variables(model)])
    manager = tf.train.CheckpointManager(checkpoint, workdir / "checkpoints", max_to_keep=2)
    if manager.latest_checkpoint:
        checkpoint.restore(manager.latest_checkpoint).assert_consumed()
    step = int(model.optimizer.iterations.numpy())
    if step < config.steps:
        _fit(model, config, workdir, manager, step, verbose, callbacks)
    return model.ema_generator


def build_model(config: TrainingConfig) -> StyleTransferGAN:
    """Returns the compiled training model that a configuration describes."""
    features = build_features(config.features, (*config.content_layers, *config.style_layers))
    discriminator = None
    if config.adversarial_weight:
        discriminator = StyleDiscriminator(config.discriminator_widths, config.conditional)
    model = StyleTransferGAN(
        _build_generator(config),
        discriminator,
        features,
        content_layers=config.content_layers,
        style_layers=config.style_layers,
        feature_scales=config.feature_scales,
        per_sample_normalization=config.per_sample_normalization,
        content_weight=config.content_weight,
        style_weight=config.style_weight,
        moments_weight=config.moments_weight,
        identity_weight=config.identity_weight,
        total_variation_weight=config.total_variation_weight,
        num_identity=max(config.batch_size // 8, 1),
        adversarial_weight=config.adversarial_weight,
        adversarial_kind=config.adversarial_kind,
        adversarial_ramp=config.adversarial_ramp,
        mismatch_share=config.mismatch_share if config.conditional else 0.0,
        ema_decay=config.ema_decay,
    )
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if config.warmup_steps else config.learning_rate,
        max(config.steps - config.warmup_steps, 1),
        alpha=0.05,
        warmup_target=config.learning_rate if config.warmup_steps else None,
        warmup_steps=config.warmup_steps,
    )
    model.compile(
        keras.optimizers.Adam(schedule, beta_2=0.99, global_clipnorm=config.clip_norm),
        keras.optimizers.Adam(
            config.discriminator_learning_rate,
            beta_1=0.5,
            beta_2=0.99,
            global_clipnorm=config.clip_norm,
        ),
        jit_compile=config.jit_compile,
    )
    return model


def _build_generator(config):
    if config.initial_generator:
        return load_generator(config.initial_generator)
    if config.generator == "document":
        features = build_features(config.features, ("relu4_1",))
        return DocumentGenerator(features, noise=config.noise, seed=config.seed)
    return StyleGenerator(config.width, config.num_blocks, noise=config.noise, seed=config.seed)


def _fit(model, config, workdir, manager, step, verbose, more_callbacks):
    writer = tf.summary.create_file_writer(os.fspath(workdir / "logs"))
    with writer.as_default(step):
        tf.summary.text("config", f"```\n{_to_json(config)}```")
    contents, styles = _grid_pictures(config)
    checkpointer = Checkpointer(
        manager,
        config.checkpoint_every,
        lambda: save_generator(model.ema_generator, workdir / "generator.keras"),
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
        callbacks.append(Validation(_validation_set(config), writer, config.evaluate_every))
    callbacks += more_callbacks
    try:
        model.fit(
            _dataset(config, start_step=step),
            epochs=1,
            steps_per_epoch=config.steps - step,
            callbacks=callbacks,
            verbose=verbose,
            shuffle=False,
        )
    finally:
        checkpointer.restore_handlers()
        writer.close()
    if checkpointer.interrupted_by:
        raise InterruptedError(
            f"Stopped by {checkpointer.interrupted_by.name} at step {checkpointer.step}; the same "
            "command goes on from there"
        )


def _dataset(config, **overrides):
    arguments = {
        "batch_size": config.batch_size,
        "image_size": config.image_size,
        "seed": config.seed,
        "content_resize": config.content_resize,
        "style_resize": config.style_resize,
        "style_augmentation": config.style_augmentation,
        "cache_bytes": int(config.cache_gib * 2**30),
        "data_dir": config.data_dir or None,
    }
    sources = {"content": config.content, "style": config.style}
    return make_dataset(**{**sources, **arguments, **overrides})


def _validation_set(config):
    dataset = _dataset(
        config,
        content=config.validation_content,
        style=config.validation_style,
        style_augmentation=0.0,
    )
    return dataset.take(_VALIDATION_BATCHES).cache()


def _grid_pictures(config):
    """Fixed pictures for the grid: of the validation set where there is one."""
    dataset = _dataset(
        config,
        content=config.validation_content or config.content,
        style=config.validation_style or config.style,
        batch_size=_GRID_SIZE,
        seed=config.seed + 1,
        style_augmentation=0.0,
    )
    contents, styles = next(dataset.as_numpy_iterator())
    return contents, styles[:, 0]


def _all_variables(model):
    """The whole state of a run; the features are frozen and stay out."""
    networks = [model.generator, model.ema_generator, model.optimizer]
    if model.discriminator is not None:
        networks += [model.discriminator, model.discriminator_optimizer]
    return [model.adversarial_steps, *(v for network in networks for v in network.variables)]


def _claim(workdir, config):
    """Writes the configuration into a new folder, or compares it with that of an old one.

    A folder without a checkpoint counts as new: its run had a mistake in the configuration.
    """
    path = workdir / "config.json"
    if not path.exists() or not tf.train.latest_checkpoint(workdir / "checkpoints"):
        with renamed_when_done(path) as temporary:
            temporary.write_text(_to_json(config))
        return
    expected, received = json.loads(path.read_text()), json.loads(_to_json(config))
    differing = [
        f"{name}: {expected.get(name)!r} there, {received.get(name)!r} here"
        for name in sorted({*expected, *received})
        if expected.get(name) != received.get(name)
    ]
    if differing:
        raise ValueError(
            f"Expected the configuration that {workdir} was made with, or a new workdir. "
            f"Received: {'; '.join(differing)}"
        )


def _to_json(config):
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"
