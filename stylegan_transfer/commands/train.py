"""Trains a generator; the same command on the same workdir resumes.

stylegan-transfer train --preset=laptop --content=PHOTOS --style=PAINTINGS --workdir=DIR
tensorboard --logdir=DIR
"""

import dataclasses
import os
import sys
import textwrap
from collections.abc import Sequence

from stylegan_transfer.commands import launch
from stylegan_transfer.commands.restarts import supervise
from stylegan_transfer.options import Options, option
from stylegan_transfer.training.config import TrainingConfig
from stylegan_transfer.training.presets import PRESETS


@dataclasses.dataclass(frozen=True)
class RunOptions(Options):
    """Where a run goes, and what its configuration starts from."""

    workdir: str = option(
        description="Folder of the run: checkpoints, logs, generator.keras.", not_empty=True
    )
    preset: str = option(
        "laptop",
        description="Where flags that are not given come from.",
        choices=tuple(sorted(PRESETS)),
    )
    minutes: float | None = option(
        None,
        description="When to stop, with a checkpoint; the same command goes on. Default: at the "
        "last step.",
        above=0,
        maximum=1e6,
    )
    restarts: int = option(
        0,
        description="How often this process is started again after it was killed, or has lost "
        "another worker.",
        minimum=0,
        maximum=1_000_000,
    )


def main(argv: Sequence[str]) -> int:
    """Trains as the flags say; returns the exit code."""
    flags = launch.Flags(argv, f"{__doc__}\n{describe_presets()}", RunOptions, TrainingConfig)
    options = flags.make(RunOptions)
    config = flags.make(TrainingConfig, base=PRESETS[options.preset])
    if options.restarts:
        command = [sys.executable, "-m", "stylegan_transfer", "train", *argv[1:], "--restarts=0"]
        return supervise(command, options.restarts)
    launch.speed_up_gradients()
    # Threads of XLA under JAX on a CPU. They wait for each other: two of them may do so for ever.
    os.environ.setdefault("NPROC", str(max(16, os.cpu_count() or 1)))
    # Here: --help needs no TensorFlow.
    from stylegan_transfer.training.callbacks import TimeLimit
    from stylegan_transfer.training.run import train

    limits = [] if options.minutes is None else [TimeLimit(options.minutes)]
    train(config, options.workdir, callbacks=limits)
    for limit in limits:
        if limit.stopped_at not in (None, config.steps):
            print(f"Stopped at step {limit.stopped_at} of {config.steps}; the same command goes on")
    print(f"Trained generator: {options.workdir}/generator.keras")
    return 0


def describe_presets() -> str:
    """Returns a paragraph for each preset: the flags that it sets to other than their defaults."""
    lines = ["Presets, and the flags whose defaults they replace:"]
    for name, preset in PRESETS.items():
        lines.append(f"  {name}")
        given = [
            launch.as_flag(field.name, getattr(preset, field.name))
            for field in dataclasses.fields(preset)
            if getattr(preset, field.name) != field.default
        ]
        text = " ".join(given) or "none"
        lines += textwrap.wrap(
            text, 92, initial_indent=" " * 6, subsequent_indent=" " * 6, break_on_hyphens=False
        )
    return "\n".join(lines)
