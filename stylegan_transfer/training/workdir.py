"""A run's folder belongs to one configuration."""

import dataclasses
import json
import pathlib
import zlib

from stylegan_transfer.atomic import remove_leftovers, renamed_when_done
from stylegan_transfer.training.checkpoints import saved_steps
from stylegan_transfer.training.config import TrainingConfig

GENERATOR = "generator.keras"
_MOST_NAMED = 6  # fields in a message


def claim(workdir: pathlib.Path, config: TrainingConfig) -> None:
    """Writes the configuration into a new folder, or compares it with that of an old one.

    A folder without a checkpoint counts as new: its run had a mistake in the configuration. What
    a killed run left half written is removed.

    Raises:
        ValueError: The run there has another configuration, or its file cannot be read.
        OSError: What a run writes is not to be written there.
    """
    for name, is_folder in (("config.json", 0), (GENERATOR, 0), ("checkpoints", 1), ("logs", 1)):
        place = workdir / name
        if place.exists() and place.is_dir() != is_folder:
            kind = "a folder" if is_folder else "a file, or nothing,"
            raise FileExistsError(f"Expected {kind} to write a run to. Received: {place}")
    remove_leftovers(workdir)
    path = workdir / "config.json"
    if saved_steps(workdir / "checkpoints"):
        _expect_same(_read_json(path), json.loads(to_json(config)), workdir)
    with renamed_when_done(path) as temporary:
        temporary.write_text(to_json(config))


def _expect_same(expected, received, workdir):
    fields = {field.name: field for field in dataclasses.fields(TrainingConfig)}
    expected = {**json.loads(to_json(TrainingConfig())), **expected}  # a field may be new
    differing = [
        f"{name}: {expected[name]!r} there, {received.get(name)!r} here"
        for name in sorted(expected)
        if expected[name] != received.get(name)
        and not (name in fields and fields[name].metadata.get("incidental"))
    ]
    if len(differing) > _MOST_NAMED:
        differing[_MOST_NAMED:] = [f"and {len(differing) - _MOST_NAMED} more"]
    if differing:
        raise ValueError(
            f"Expected the configuration that {workdir} was made with, or a new workdir. "
            f"Received: {'; '.join(differing)}"
        )


def _read_json(path):
    try:
        config = json.loads(path.read_text())
        if isinstance(config, dict):
            return config
        reason = f"a {type(config).__name__}"
    except (OSError, ValueError, RecursionError) as error:
        reason = error
    raise ValueError(
        f"Expected {path} as the run with the checkpoints beside it wrote it; bring it back or "
        f"use a new workdir. Received: {reason}"
    )


def to_json(config: TrainingConfig) -> str:
    """Returns a configuration as it stands in `config.json`."""
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def fingerprint(config: TrainingConfig) -> int:
    """Returns a number that differs where two configurations would train other weights."""
    fields = [f for f in dataclasses.fields(config) if not f.metadata.get("incidental")]
    return zlib.crc32(repr([(f.name, getattr(config, f.name)) for f in fields]).encode())
