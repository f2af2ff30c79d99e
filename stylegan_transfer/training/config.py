"""The configuration of a training run."""

import dataclasses

from stylegan_transfer.options import Options, option

_MOST_STEPS = 1_000_000_000
_MOST_PIXELS = 4_096


def _weight(default, description):
    return option(default, description=description, minimum=0, maximum=1e6)


def _incidental(default, **limits):
    """An option that leaves the trained weights as they are: a resumed run may change it."""
    metadata = {**option(default, **limits).metadata, "incidental": True}
    return dataclasses.field(default=default, metadata=metadata)


def _interval(default, description):
    return _incidental(default, description=description, minimum=1, maximum=_MOST_STEPS)


@dataclasses.dataclass(frozen=True)
class TrainingConfig(Options):
    """Everything that determines a training run; every field is a flag of the command `train`.

    `presets.PRESETS` holds some; `dataclasses.replace` changes one.

    Raises:
        ValueError: A value is out of its range, or two do not go together.

    Example:

    >>> import dataclasses
    >>> import stylegan_transfer as st
    >>> config = dataclasses.replace(st.PRESETS["laptop"], style_weight=6.0, steps=8_000)
    >>> config.steps, config.image_size
    (8000, 128)
    """

    content: str = option(
        "samples",
        description="Photographs: folder, glob, tfds:NAME:SPLIT, .zip file or samples.",
        not_empty=True,
    )
    style: str = option(
        "samples",
        description="Paintings: folder, glob, tfds:NAME:SPLIT, .zip file or samples.",
        not_empty=True,
    )
    validation_content: str = _incidental(
        "", description="Held-out photographs; empty: no validation."
    )
    validation_style: str = _incidental("", description="Held-out paintings; empty: no validation.")
    data_dir: str = _incidental(
        "", description="Folder of the TensorFlow Datasets; empty: their default."
    )
    cache_gib: float = _incidental(
        4.0,
        description="Memory in GiB for the decoded pictures of all sources together.",
        minimum=0,
        maximum=65_536,
    )
    image_size: int = option(
        128,
        description="Side of the training crops in pixels.",
        minimum=32,
        maximum=_MOST_PIXELS,
    )
    content_resize: tuple[int, ...] = option(
        (128, 256),
        description="Range of the short side to which photographs are resized before the crop.",
        maximum=_MOST_PIXELS,
    )
    style_resize: tuple[int, ...] = option(
        (128, 256),
        description="The same for paintings: the range of stroke sizes that are learned.",
        maximum=_MOST_PIXELS,
    )
    style_augmentation: float = option(
        0.5, description="Strength of hue and saturation changes.", minimum=0, maximum=1
    )
    batch_size: int = option(8, description="Pairs a step.", minimum=1, maximum=4_096)
    steps: int = option(
        6_000, description="Optimizer steps of the generator.", minimum=1, maximum=_MOST_STEPS
    )
    seed: int = option(
        0,
        description="Seed of weights, data order, augmentation and noise.",
        minimum=0,
        maximum=1_000_000_000,
    )

    generator: str = option(
        "transport",
        description="Architecture of the generator.",
        choices=("style", "transport", "document"),
    )
    width: int = option(
        32,
        description="Channels of the outermost convolutions. The document generator has its own.",
        minimum=1,
        maximum=1_024,
    )
    num_blocks: int = option(
        1,
        description="Residual blocks: 1 suits the transport generator, 5 the style generator.",
        minimum=1,
        maximum=100,
    )
    noise: bool = option(True, description="Whether the generator gets noise.")
    initial_generator: str = option(
        "",
        description="Trained generator (.keras) to start from; it must be of the architecture "
        "that the flags above describe.",
    )
    discriminator_widths: tuple[int, ...] = option(
        (32, 64, 128, 256),
        description="Channels of the discriminator's convolutions.",
        minimum=1,
        maximum=4_096,
        not_empty=True,
    )

    features: tuple[str, ...] = option(
        ("distilled",),
        description='Weights of the features: "distilled", "imagenet" or a path; of several, each '
        "layer comes from the first that holds it.",
        not_empty=True,
    )
    content_layers: tuple[str, ...] = option(
        ("relu3_1", "relu4_1"), description="Layers of the content loss.", not_empty=True
    )
    style_layers: tuple[str, ...] = option(
        ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
        description="Layers of the style losses.",
        not_empty=True,
    )
    feature_scales: tuple[int, ...] = option(
        (1, 2),
        description="Factors by which images are reduced before the features see them.",
        minimum=1,
        not_empty=True,
    )
    per_sample_normalization: bool = option(
        True,
        description="Whether the style losses are relative to each painting's own statistics.",
    )
    content_weight: float = _weight(1.0, "Weight of the content loss.")
    style_weight: float = _weight(8.0, "Weight of the Gram style loss.")
    moments_weight: float = _weight(8.0, "Weight of the moments loss.")
    identity_weight: float = _weight(1.0, "Weight of the identity loss.")
    halo_weight: float = _weight(
        0.0, "Weight of the halo loss: flat ground beside edges against that further off."
    )
    total_variation_weight: float = _weight(0.0, "Weight of the total variation.")
    adversarial_weight: float = _weight(
        0.15, "Adversarial gradient relative to the perceptual one; 0: no discriminator."
    )
    adversarial_kind: str = option(
        "hinge", description="Adversarial loss.", choices=("hinge", "cross_entropy")
    )
    conditional: bool = option(True, description="Whether the discriminator sees the style image.")
    mismatch_share: float = option(
        0.25,
        description="Share of a painting with another style among what the discriminator calls "
        "fake.",
        minimum=0,
        maximum=1,
    )
    adversarial_start: int = option(
        4_000,
        description="Step at which the adversarial part begins.",
        minimum=0,
        maximum=_MOST_STEPS,
    )
    adversarial_ramp: int = option(
        1_000,
        description="Steps over which its weight grows to the full one.",
        minimum=0,
        maximum=_MOST_STEPS,
    )

    learning_rate: float = option(
        1e-3, description="Peak learning rate of the generator.", above=0, maximum=10
    )
    discriminator_learning_rate: float = option(
        2e-4, description="Learning rate of the discriminator.", above=0, maximum=10
    )
    warmup_steps: int = option(
        100,
        description="Steps over which the learning rate rises.",
        minimum=0,
        maximum=_MOST_STEPS,
    )
    clip_norm: float = option(
        1.0, description="Global norm at which gradients are clipped.", above=0, maximum=1e6
    )
    ema_decay: float = option(
        0.999,
        description="Decay of the moving average of the generator's weights.",
        minimum=0,
        below=1,
    )
    precision: str = option(
        "float32", description="Keras dtype policy.", choices=("float32", "mixed_bfloat16")
    )
    jit_compile: bool = option(False, description="Whether XLA compiles the training step.")
    strategy: str = _incidental(
        "single",
        description="Devices that share each batch: one, all GPUs of this machine, or those of "
        "all processes that TF_CONFIG lists.",
        choices=("single", "mirrored", "multi_worker"),
    )

    log_every: int = _interval(50, "Steps between TensorBoard entries.")
    image_every: int = _interval(500, "Steps between picture grids.")
    checkpoint_every: int = _interval(500, "Steps between checkpoints.")
    evaluate_every: int = _interval(1_000, "Steps between validations.")

    def __post_init__(self):
        super().__post_init__()
        for name in ("content_resize", "style_resize"):
            value = getattr(self, name)
            fits = len(value) == 2 and self.image_size <= value[0] <= value[1]
            self.expect(fits, name, f"image_size={self.image_size} <= low <= high")
        fits = 16 * max(self.feature_scales) <= self.image_size
        self.expect(fits, "feature_scales", "from 1 to image_size / 16")
        self.expect(
            bool(self.validation_content) == bool(self.validation_style),
            "validation_style",
            "both validation_content and validation_style, or neither",
        )
        if self.strategy != "single":
            self.expect(not self.jit_compile, "jit_compile", "False with more than one device")
            self.expect(
                self.per_sample_normalization,
                "per_sample_normalization",
                "True with more than one device: the batch's mean would be each device's own",
            )
        if self.adversarial_weight:
            self.expect(
                self.batch_size > 1 or not self.conditional,
                "batch_size",
                "at least 2: the discriminator sees paintings with another one's style",
            )
            self.expect(
                self.adversarial_start < self.steps,
                "adversarial_start",
                f"below steps={self.steps}, or the adversarial part never begins: lower "
                "adversarial_start, raise steps, or train without (adversarial_weight=0)",
            )
