"""From a configuration to the compiled training model."""

import contextlib
from collections.abc import Callable

import keras

from stylegan_transfer.networks.discriminator import StyleDiscriminator
from stylegan_transfer.networks.document_generator import DocumentGenerator
from stylegan_transfer.networks.features import build_features
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.networks.saving import load_generator
from stylegan_transfer.networks.transport_generator import TransportGenerator
from stylegan_transfer.training.config import TrainingConfig
from stylegan_transfer.training.gan import StyleTransferGAN


def build_model(
    config: TrainingConfig, scope: Callable = contextlib.nullcontext
) -> StyleTransferGAN:
    """Returns the compiled training model that a configuration describes.

    Args:
        config: The configuration.
        scope: Makes the context in which a variable gets a copy for each replica, such as a
            strategy's `scope`. The moving average has one copy.
    """
    layers = (*config.content_layers, *config.style_layers)
    with scope():
        features = build_features(config.features, layers)
        discriminator = None
        if config.adversarial_weight:
            discriminator = StyleDiscriminator(config.discriminator_widths, config.conditional)
        generator = _build_generator(config)
    model = StyleTransferGAN(
        generator,
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
        halo_weight=config.halo_weight,
        total_variation_weight=config.total_variation_weight,
        num_identity=max(config.batch_size // 8, 1),
        adversarial_weight=config.adversarial_weight,
        adversarial_kind=config.adversarial_kind,
        adversarial_ramp=config.adversarial_ramp,
        mismatch_share=config.mismatch_share,
        ema_decay=config.ema_decay,
    )
    with scope():
        _compile(model, config)
    return model


def _compile(model, config):
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


def _build_generator(config):
    if config.initial_generator:
        generator = load_generator(config.initial_generator)
        _expect_architecture(generator, config)
        return generator
    if config.generator == "document":
        features = build_features(config.features, ("relu4_1",))
        return DocumentGenerator(features, noise=config.noise, seed=config.seed)
    kind = {"style": StyleGenerator, "transport": TransportGenerator}[config.generator]
    return kind(config.width, config.num_blocks, noise=config.noise, seed=config.seed)


def _expect_architecture(generator, config):
    """The configuration of a run must not say one thing and its generator be another."""
    kinds = {
        "StyleGenerator": "style",
        "TransportGenerator": "transport",
        "DocumentGenerator": "document",
    }
    name = type(generator).__name__
    received = {"generator": kinds.get(name, name)}
    names = ("noise",) if config.generator == "document" else ("width", "num_blocks", "noise")
    received |= {name: getattr(generator, name, None) for name in names}
    differing = [
        f"{name}: {value!r} there, {getattr(config, name)!r} here"
        for name, value in received.items()
        if value != getattr(config, name)
    ]
    if differing:
        raise ValueError(
            f"Expected the configuration of the generator in {config.initial_generator}. "
            f"Received: {'; '.join(differing)}"
        )
