"""Trains a generator; the same command on the same workdir resumes.

python experiments/train.py --preset=laptop --content=PHOTOS --style=PAINTINGS --workdir=DIR
tensorboard --logdir=DIR
"""

import dataclasses

import launch
from absl import flags

from stylegan_transfer.training.config import PRESETS, TrainingConfig

FLAGS = flags.FLAGS
flags.DEFINE_string(
    "workdir", None, "Folder of the run: checkpoints, logs, generator.keras.", required=True
)
flags.DEFINE_enum("preset", "laptop", sorted(PRESETS), "Where flags that are not given come from.")

_DEFINE = {
    bool: flags.DEFINE_boolean,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
    tuple: flags.DEFINE_list,
}
for _field in dataclasses.fields(TrainingConfig):
    _presets = ", ".join(f"{name}: {getattr(PRESETS[name], _field.name)!r}" for name in PRESETS)
    _DEFINE[type(_field.default)](
        _field.name, None, f"{_field.metadata['description']} ({_presets})"
    )


def config_from_flags() -> TrainingConfig:
    """Returns the preset with the flags that were given in place of its values."""
    given = {}
    for field in dataclasses.fields(TrainingConfig):
        value = FLAGS[field.name].value
        if isinstance(value, list):
            value = tuple(_convert(field, item) for item in value)
        if value is not None:
            given[field.name] = value
    return dataclasses.replace(PRESETS[FLAGS.preset], **given)


def _convert(field, item):
    kind = type(field.default[0])
    try:
        return kind(item)
    except ValueError:
        raise ValueError(
            f"Expected --{field.name} of {kind.__name__}s with commas between. Received: {item!r}"
        ) from None


def main():
    config = config_from_flags()
    from stylegan_transfer.training.run import train  # here: --help needs no TensorFlow

    train(config, FLAGS.workdir)
    print(f"Trained generator: {FLAGS.workdir}/generator.keras")


if __name__ == "__main__":
    launch.run(main)
