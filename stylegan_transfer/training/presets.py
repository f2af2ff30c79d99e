"""Configurations to start from."""

from stylegan_transfer.training.config import TrainingConfig

PRESETS = {
    # Seconds: shows that everything works, and what the tests run.
    "smoke": TrainingConfig(
        image_size=32,
        content_resize=(32, 64),
        style_resize=(32, 64),
        batch_size=2,
        steps=12,
        width=8,
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
    # The recipe of the generator that ships, in one go: about eight hours on two CPU cores.
    "shipped": TrainingConfig(
        image_size=192,
        content_resize=(192, 448),
        style_resize=(192, 448),
        steps=22_000,
        content_weight=1.7,
        style_weight=10.0,
        moments_weight=10.0,
        halo_weight=3.0,
        adversarial_start=20_000,
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
