"""The states of a run on disk: each appears whole, carries a checksum, and is checked when read."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import tempfile
import warnings
from collections.abc import Sequence

import keras
import numpy as np

from stylegan_transfer.atomic import renamed_when_done


class Checkpoints:
    """The newest states of a run: `ckpt-STEP.*` in one folder.

    TensorFlow writes its own format. With another backend of Keras a state is `ckpt-STEP.npz`,
    one array a variable.

    `ckpt-STEP.sha256` holds the checksums of a state's files; a state without that file, by an
    earlier version, counts as well. The file names alone say which states there are. The file
    `checkpoint` is written for other programs (`tf.train.latest_checkpoint`) and never read.

    Args:
        folder: Need not exist. What a killed run left half written in it is removed.
        variables: Keras variables, the whole state, in an order that stays.
        keep: How many states stay on disk.
    """

    def __init__(self, folder: str | os.PathLike, variables: Sequence, keep: int = 2):
        self._folder, self._variables, self._keep = pathlib.Path(folder), variables, keep
        self._files = _open_files(variables)
        self.latest = None
        """The step that was saved or restored last, or None."""
        _remove_leftovers(self._folder)

    def expect_finite(self, step: int) -> None:
        """Raises a `FloatingPointError` that names the first variable that is not finite."""
        for variable in self._variables:
            if not np.isfinite(keras.ops.convert_to_numpy(variable.value)).all():
                raise FloatingPointError(
                    f"Expected finite weights. Received: {variable.path} at step {step}, with NaN "
                    "or infinity. The last checkpoint holds the state before it"
                )

    def save(self, step: int) -> None:
        """Writes the state and removes all but the newest up to this step.

        A state of a later step was damaged, or `restore` would have gone on from it.

        Raises:
            OSError: The state cannot be written, such as on a full disk; the states before it stay.
        """
        try:
            self._write(step)
        except self._files.errors as error:
            reason = str(error).partition("\n")[0]
            raise OSError(
                "Expected a checkpoint that can be written. "
                f"Received: {self._folder / f'ckpt-{step}'} ({reason})"
            ) from error
        self.latest = step
        steps = saved_steps(self._folder)
        kept = [other for other in steps if other <= step][-self._keep :]
        _write_state(self._folder, kept)
        for other in set(steps) - set(kept):
            _remove(self._folder, other)

    def _write(self, step):
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".saving-") as temporary:
            self._files.write(os.path.join(temporary, f"ckpt-{step}"), step)
            paths = sorted(pathlib.Path(temporary).glob(f"ckpt-{step}.*"))
            sums = pathlib.Path(temporary) / f"ckpt-{step}.sha256"
            sums.write_text(json.dumps({path.name: _checksum(path) for path in paths}, indent=2))
            for path in (sums, *paths):
                os.replace(path, self._folder / path.name)

    def restore(self) -> None:
        """Brings back the newest state that can be read, if any was saved.

        Warns:
            UserWarning: A newer one is damaged.

        Raises:
            ValueError: None of them can be read.
        """
        steps, problems = saved_steps(self._folder), []
        for step in reversed(steps):
            try:
                self._read(step)
            except Exception as error:  # damaged files raise errors of many kinds
                reason = str(error).partition("\n")[0]
                problems.append(f"{self._folder / f'ckpt-{step}'} ({reason})")
                continue
            self.latest = step
            if problems:
                warnings.warn(
                    f"Went on from the checkpoint of step {step}. Damaged: {', '.join(problems)}",
                    stacklevel=2,
                )
            return
        if problems:
            raise ValueError(
                "Expected a checkpoint that can be read; to start again, use a new workdir. "
                f"Received: {', '.join(problems)}"
            )

    def _read(self, step):
        path = self._folder / f"ckpt-{step}.sha256"
        if path.exists():
            expected = json.loads(path.read_text())
            files = [file for file in self._folder.glob(f"ckpt-{step}.*") if file != path]
            if {file.name for file in files} != {*expected}:
                raise ValueError(f"its files are not those that {path.name} names")
            for file in files:
                if _checksum(file) != expected[file.name]:
                    raise ValueError(f"the checksum of {file.name} is another one")
        self._files.read(path.with_suffix(""))


def _open_files(variables):
    backend = keras.backend.backend()
    return (_TensorFlowFiles if backend == "tensorflow" else _ArrayFiles)(variables)


class _TensorFlowFiles:
    def __init__(self, variables):
        import tensorflow as tf

        self.errors = (OSError, tf.errors.OpError)
        self._checkpoint = tf.train.Checkpoint(variables=[v.value for v in variables])

    def write(self, prefix, step):
        self._checkpoint.save_counter.assign(step)
        self._checkpoint.write(prefix)

    def read(self, prefix):
        if prefix.with_name(f"{prefix.name}.npz").exists():
            raise ValueError("of another backend of Keras, such as KERAS_BACKEND=jax")
        self._checkpoint.restore(os.fspath(prefix)).assert_consumed()


class _ArrayFiles:
    errors = (OSError,)

    def __init__(self, variables):
        self._variables = variables

    def write(self, prefix, step):
        np.savez(f"{prefix}.npz", *map(keras.ops.convert_to_numpy, self._variables))

    def read(self, prefix):
        path = prefix.with_name(f"{prefix.name}.npz")
        if not path.exists():
            raise ValueError("without an .npz file; KERAS_BACKEND=tensorflow wrote it")
        with np.load(path) as arrays:
            values = [arrays[f"arr_{i}"] for i in range(len(arrays.files))]
        for variable, value in zip(self._variables, values, strict=True):
            if value.shape != tuple(variable.shape):
                raise ValueError(f"{variable.path} has the shape {value.shape} there")
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)


def saved_steps(folder: str | os.PathLike) -> list[int]:
    """Returns the steps of which a folder holds a state, or what is left of one, in order."""
    names = (path.name for path in pathlib.Path(folder).glob("ckpt-*.*") if path.is_file())
    matches = (re.match(r"ckpt-(\d+)\.(?:index|data-|npz|sha256)", name) for name in names)
    return sorted({int(match[1]) for match in matches if match})


def _checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write_state(folder, steps):
    lines = [f'model_checkpoint_path: "ckpt-{steps[-1]}"']
    lines += [f'all_model_checkpoint_paths: "ckpt-{step}"' for step in steps]
    with renamed_when_done(folder / "checkpoint") as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def _remove(folder, step):
    for path in folder.glob(f"ckpt-{step}.*"):
        if path.is_file():
            path.unlink()


def _remove_leftovers(folder):
    """Removes what a killed run was writing, with the files of it that were in place already."""
    for leftover in filter(pathlib.Path.is_dir, folder.glob(".saving-*")):
        for step in saved_steps(leftover):
            _remove(folder, step)
        shutil.rmtree(leftover)
