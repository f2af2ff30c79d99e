"""The training step beside the same step written plainly, and beside the machine's limit."""

import dataclasses
import functools
import pathlib
import statistics
from collections.abc import Mapping, Sequence

from stylegan_transfer.commands.benchmarking import arithmetic, peer
from stylegan_transfer.commands.benchmarking.contestants import WARM_UP, take_turns
from stylegan_transfer.commands.benchmarking.options import BenchmarkOptions
from stylegan_transfer.commands.benchmarking.steps import make_steps
from stylegan_transfer.commands.launch import speed_up_gradients
from stylegan_transfer.training.config import TrainingConfig
from stylegan_transfer.training.presets import PRESETS

GOALS = {"to_plain": 2.0, "to_limit": 0.5}


def measure_training(
    options: BenchmarkOptions, config: TrainingConfig = PRESETS["laptop"]
) -> dict[str, list[dict]]:
    """Returns a table of training steps: ours, ours with the discriminator, and the plain one."""
    speed_up_gradients()  # as `train`
    peer.start_tensorflow(options.threads)
    features = [config.features] + ([(options.vgg, "distilled")] if options.vgg else [])
    rows = []
    for weights in features:
        config = dataclasses.replace(config, features=weights, batch_size=options.batch_size)
        for size in options.training_sizes:
            keys = {"features": pathlib.Path(weights[0]).name, "size": size}
            rows += [{**keys, **row} for row in compare_steps(config, size, options.repetitions)]
    return {"steps": rows, "goals": judge(rows)}


def compare_steps(config: TrainingConfig, size: int, repetitions: int) -> list[dict]:
    """Returns the rows of the training steps of one configuration, on one batch of noise."""
    import tensorflow as tf

    shape = (config.batch_size, size, size, 3)
    contents, styles = tf.random.uniform(shape), tf.random.uniform(shape)
    steps, operations = make_steps(config, (contents, tf.stack([styles, styles], axis=1)))
    contestants = {
        name: functools.partial(arithmetic.time_function, step) for name, step in steps.items()
    }
    contestants["matrices"] = arithmetic.multiplication_rate
    answers, _ = take_turns(contestants, WARM_UP + repetitions)
    medians = {name: statistics.median(values[WARM_UP:]) for name, values in answers.items()}
    rate = medians.pop("matrices")
    return [
        {
            "contestant": name,
            "images_per_s": config.batch_size / seconds,
            "gflop_per_image": operations[name] / config.batch_size / 1e9,
            "limit_gflop_per_s": rate / 1e9,
            "to_plain": medians["plain"] / seconds,
            "to_limit": operations[name] / rate / seconds,
        }
        for name, seconds in medians.items()
    ]


def judge(rows: Sequence[Mapping]) -> list[dict]:
    """Returns a row for each goal of our step: what is aimed at, what was reached."""
    return [
        {
            **{key: row[key] for key in ("features", "size")},
            "goal": goal,
            "least": least,
            "reached": row[goal],
            "met": row[goal] >= least,
        }
        for row in rows
        if row["contestant"] == "ours"
        for goal, least in GOALS.items()
    ]
