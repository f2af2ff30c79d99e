"""The configuration's checks and presets."""

import dataclasses
import math

import pytest

from stylegan_transfer.training.config import TrainingConfig
from stylegan_transfer.training.presets import PRESETS

FIELDS = dataclasses.fields(TrainingConfig)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 0),
        ("steps", 0),
        ("width", -1),
        ("num_blocks", 0),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("discriminator_learning_rate", -1e-4),
        ("clip_norm", 0.0),
        ("log_every", 0),
        ("image_every", 0),
        ("checkpoint_every", 0),
        ("evaluate_every", 0),
        ("cache_gib", -1.0),
        ("seed", -1),
        ("batch_size", 1),
        ("adversarial_start", 6_000),
        ("content", ""),
        ("style_augmentation", 1.5),
        ("content_weight", -1.0),
        ("style_weight", math.nan),
        ("identity_weight", -0.1),
        ("adversarial_weight", -0.1),
        ("adversarial_start", -1),
        ("adversarial_ramp", -1),
        ("warmup_steps", -1),
        ("mismatch_share", 1.5),
        ("generator", "stylegan"),
        ("adversarial_kind", "wasserstein"),
        ("precision", "float16"),
        ("image_size", 16),
        ("ema_decay", 1.0),
        ("ema_decay", -0.1),
        ("content_resize", (64, 256)),
        ("content_resize", (256, 128)),
        ("style_resize", (128,)),
        ("style_resize", (128, 192, 256)),
        ("content_layers", ()),
        ("style_layers", ()),
        ("feature_scales", ()),
        ("feature_scales", (0,)),
        ("feature_scales", (1, 16)),
        ("discriminator_widths", ()),
        ("strategy", "tpu"),
    ],
)
def test_bad_value_is_named_with_what_was_expected(name, value):
    expected = rf"Expected .*{name}.*Received: {name}="
    with pytest.raises(ValueError, match=expected):
        TrainingConfig(**{name: value})


NUMBERS = [field for field in FIELDS if field.type in (int, float)]
TUPLES = [field for field in FIELDS if field.type == tuple[int, ...]]


@pytest.mark.parametrize("value", [math.inf, math.nan, 10**12])
@pytest.mark.parametrize("field", NUMBERS + TUPLES, ids=lambda field: field.name)
def test_no_number_may_be_infinite_or_beyond_all_sense(field, value):
    value = (*field.default, value) if field in TUPLES else value
    with pytest.raises(ValueError, match=rf"Expected {field.name}: .*Received: {field.name}="):
        TrainingConfig(**{field.name: value})


def test_adversarial_part_that_would_never_begin_is_an_error_that_says_what_to_change():
    expected = "below steps=100, .*lower adversarial_start, raise steps.*adversarial_start=4000"
    with pytest.raises(ValueError, match=expected):
        dataclasses.replace(PRESETS["laptop"], steps=100)
    dataclasses.replace(PRESETS["laptop"], steps=100, adversarial_weight=0.0)
    dataclasses.replace(PRESETS["laptop"], steps=4_001)


@pytest.mark.parametrize("given", ["validation_content", "validation_style"])
def test_validation_needs_both_sources(given):
    with pytest.raises(ValueError, match="both validation_content and validation_style"):
        TrainingConfig(**{given: "samples"})


def test_configuration_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingConfig().steps = 1


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_is_valid_and_begins_its_adversarial_part_before_it_ends(preset):
    config = dataclasses.replace(PRESETS[preset])  # checks every value once more
    assert config.adversarial_start + config.adversarial_ramp < config.steps
    assert config.warmup_steps < config.steps
    assert config.checkpoint_every <= config.steps


def test_laptop_is_the_default():
    assert PRESETS["laptop"] == TrainingConfig()


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_field_has_a_description_and_a_default_of_its_type(field):
    description = field.metadata["description"]
    assert description == description.strip()
    assert description.endswith(".") or ";" in description or ":" in description
    assert type(field.default) is (getattr(field.type, "__origin__", None) or field.type)


def test_every_field_can_be_written_as_json_and_read_back():
    import json

    for config in PRESETS.values():
        read = json.loads(json.dumps(dataclasses.asdict(config)))
        for field in FIELDS:
            if isinstance(field.default, tuple):
                read[field.name] = tuple(read[field.name])
        assert TrainingConfig(**read) == config


@pytest.mark.parametrize("changed", [{"jit_compile": True}, {"per_sample_normalization": False}])
def test_what_several_devices_cannot_do_is_named(changed):
    ((name, value),) = changed.items()
    TrainingConfig(**changed)
    with pytest.raises(ValueError, match=f"more than one device.*Received: {name}={value}"):
        TrainingConfig(strategy="mirrored", **changed)
