"""The configuration of a training run, and the presets."""

import dataclasses


def _option(default, description):
    return dataclasses.field(default=default, metadata={"description": description})


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """Everything that determines a training run; every field is a flag of `experiments/train.py`.

    Raises:
        ValueError: A value is out of its range.
    """

    content: str = _option("samples", "Photographs: folder, glob, tfds:NAME:SPLIT or samples.")
    style: str = _option("samples", "Paintings: folder, glob, tfds:NAME:SPLIT or samples.")
    validation_content: str = _option("", "Held-out photographs; empty: no validation.")
    validation_style: str = _option("", "Held-out paintings; empty: no validation.")
    data_dir: str = _option("", "Folder of the TensorFlow Datasets; empty: their default.")
    cache_gib: float = _option(4.0, "Memory for decoded images in GiB, for each source.")
    image_size: int = _option(128, "Side of the training crops in pixels.")
    content_resize: tuple[int, ...] = _option(
        (128, 256), "Range of the short side to which photographs are resized before the crop."
    )
    style_resize: tuple[int, ...] = _option(
        (128, 256), "The same for paintings: the range of stroke sizes that are learned."
    )
    style_augmentation: float = _option(0.5, "Strength of hue and saturation changes, 0 to 1.")
    batch_size: int = _option(8, "Pairs a step.")
    steps: int = _option(6_000, "Optimizer steps of the generator.")
    seed: int = _option(0, "Seed of weights, data order, augmentation and noise.")

    generator: str = _option("style", 'Architecture: "style" or "document".')
    width: int = _option(32, "Channels of the style generator's outermost convolutions.")
    num_blocks: int = _option(5, "Residual blocks of the style generator.")
    noise: bool = _option(True, "Whether the generator gets noise.")
    initial_generator: str = _option("", "Trained generator (.keras) to start from.")
    discriminator_widths: tuple[int, ...] = _option(
        (32, 64, 128, 256), "Channels of the discriminator's convolutions."
    )

    features: tuple[str, ...] = _option(
        ("distilled",),
        'Weights of the features: "distilled", "imagenet" or a path; of several, each layer comes '
        "from the first that holds it.",
    )
    content_layers: tuple[str, ...] = _option(("relu3_1", "relu4_1"), "Layers of the content loss.")
    style_layers: tuple[str, ...] = _option(
        ("relu1_1", "relu2_1", "relu3_1", "relu4_1"), "Layers of the style losses."
    )
    feature_scales: tuple[int, ...] = _option(
        (1,), "Factors by which images are reduced before the features see them."
    )
    per_sample_normalization: bool = _option(
        True, "Whether the style losses are relative to each painting's own statistics."
    )
    content_weight: float = _option(1.0, "Weight of the content loss.")
    style_weight: float = _option(3.5, "Weight of the Gram style loss.")
    moments_weight: float = _option(3.5, "Weight of the moments loss.")
    identity_weight: float = _option(1.0, "Weight of the identity loss.")
    total_variation_weight: float = _option(0.0, "Weight of the total variation.")
    adversarial_weight: float = _option(
        0.15, "Adversarial gradient relative to the perceptual one; 0: no discriminator."
    )
    adversarial_kind: str = _option("hinge", 'Adversarial loss: "hinge" or "cross_entropy".')
    conditional: bool = _option(True, "Whether the discriminator sees the style image.")
    mismatch_share: float = _option(
        0.25, "Share of a painting with another style among what the discriminator calls fake."
    )
    adversarial_start: int = _option(4_000, "Step at which the adversarial part begins.")
    adversarial_ramp: int = _option(1_000, "Steps over which its weight grows to the full one.")

    learning_rate: float = _option(1e-3, "Peak learning rate of the generator.")
    discriminator_learning_rate: float = _option(2e-4, "Learning rate of the discriminator.")
    warmup_steps: int = _option(100, "Steps over which the learning rate rises.")
    clip_norm: float = _option(1.0, "Global norm at which gradients are clipped.")
    ema_decay: float = _option(0.999, "Decay of the moving average of the generator's weights.")
    precision: str = _option("float32", 'Keras dtype policy: "float32" or "mixed_bfloat16".')
    jit_compile: bool = _option(False, "Whether XLA compiles the training step.")

    log_every: int = _option(50, "Steps between TensorBoard entries.")
    image_every: int = _option(500, "Steps between picture grids.")
    checkpoint_every: int = _option(500, "Steps between checkpoints.")
    evaluate_every: int = _option(1_000, "Steps between validations.")

    def __post_init__(self):
        for name in _POSITIVE:
            _expect(getattr(self, name) > 0, name, "a positive number", self)
        for name in _NOT_NEGATIVE:
            _expect(getattr(self, name) >= 0, name, "a number of at least 0", self)
        for name, choices in _CHOICES.items():
            _expect(getattr(self, name) in choices, name, f"one of {', '.join(choices)}", self)
        for name in ("content_resize", "style_resize"):
            value = getattr(self, name)
            fits = len(value) == 2 and self.image_size <= value[0] <= value[1]
            _expect(fits, name, f"image_size={self.image_size} <= low <= high", self)
        for name in _NOT_EMPTY:
            _expect(getattr(self, name), name, "at least one", self)
        fits = min(self.feature_scales) >= 1 and 16 * max(self.feature_scales) <= self.image_size
        _expect(fits, "feature_scales", "from 1 to image_size / 16", self)
        _expect(self.image_size >= 32, "image_size", "at least 32", self)
        _expect(self.style_augmentation <= 1, "style_augmentation", "at most 1", self)
        _expect(0 <= self.mismatch_share <= 1, "mismatch_share", "a number in [0, 1]", self)
        enough = self.batch_size > 1 or not self.adversarial_weight
        _expect(enough, "batch_size", "at least 2: the discriminator compares pairs", self)
        _expect(0 <= self.ema_decay < 1, "ema_decay", "a number in [0, 1)", self)
        _expect(
            bool(self.validation_content) == bool(self.validation_style),
            "validation_style",
            "both validation_content and validation_style, or neither",
            self,
        )


_POSITIVE = (
    "batch_size",
    "steps",
    "width",
    "num_blocks",
    "learning_rate",
    "discriminator_learning_rate",
    "clip_norm",
    "log_every",
    "image_every",
    "checkpoint_every",
    "evaluate_every",
)
_NOT_EMPTY = (
    "features",
    "content_layers",
    "style_layers",
    "feature_scales",
    "discriminator_widths",
)
_NOT_NEGATIVE = (
    "cache_gib",
    "style_augmentation",
    "seed",
    "content_weight",
    "style_weight",
    "moments_weight",
    "identity_weight",
    "total_variation_weight",
    "adversarial_weight",
    "adversarial_start",
    "adversarial_ramp",
    "warmup_steps",
)
_CHOICES = {
    "generator": ("style", "document"),
    "adversarial_kind": ("hinge", "cross_entropy"),
    "precision": ("float32", "mixed_bfloat16"),
}


def _expect(condition, name, expected, config):
    if not condition:
        raise ValueError(f"Expected {name}: {expected}. Received: {name}={getattr(config, name)!r}")


PRESETS = {
    # Seconds: shows that everything works, and what the tests run.
    "smoke": TrainingConfig(
        image_size=32,
        content_resize=(32, 64),
        style_resize=(32, 64),
        batch_size=2,
        steps=12,
        width=8,
        num_blocks=1,
        discriminator_widths=(8, 16),
        adversarial_start=4,
        adversarial_ramp=4,
        warmup_steps=2,
        log_every=2,
        image_every=6,
        checkpoint_every=4,
        evaluate_every=6,
    ),
    # About an hour on two CPU cores.
    "laptop": TrainingConfig(),
    # The recipe of the generator that ships, in one go: about three hours on two CPU cores.
    "shipped": TrainingConfig(
        image_size=192,
        content_resize=(192, 448),
        style_resize=(192, 448),
        steps=10_000,
        style_layers=("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
        feature_scales=(1, 2),
        style_weight=6.0,
        moments_weight=6.0,
        adversarial_start=8_000,
        adversarial_ramp=300,
        discriminator_learning_rate=4e-4,
    ),
    # One GPU, about a day.
    "full": TrainingConfig(
        image_size=256,
        content_resize=(256, 512),
        style_resize=(256, 512),
        steps=160_000,
        adversarial_start=80_000,
        adversarial_ramp=20_000,
        discriminator_widths=(64, 128, 256, 512),
        features=("imagenet",),
        precision="mixed_bfloat16",
        log_every=100,
        image_every=2_000,
        checkpoint_every=2_000,
        evaluate_every=4_000,
    ),
}
