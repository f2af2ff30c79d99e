"""Checkpoints against every kind of damage, with two small variables."""

import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from stylegan_transfer.training.checkpoints import Checkpoints, saved_steps


def variables(value=0.0):
    return [
        keras.Variable(np.full(300, value, "float32")),
        keras.Variable(int(value), dtype="int64"),
    ]


@pytest.fixture
def folder(tmp_path):
    """Holds the states of the steps 2, 4 and 6, whose variables are their step."""
    checkpoints = Checkpoints(tmp_path / "checkpoints", state := variables(), keep=3)
    for step in (2, 4, 6):
        for variable in state:
            variable.assign(np.full(variable.shape, step))
        checkpoints.save(step)
    return tmp_path / "checkpoints"


def restored(folder):
    """The step that a new run goes on from; its variables agree with each other."""
    checkpoints = Checkpoints(folder, state := variables())
    checkpoints.restore()
    step = int(state[1].numpy())
    np.testing.assert_array_equal(state[0].numpy(), step)
    assert checkpoints.latest == (step or None)
    return step


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


DAMAGES = [flip_a_bit, truncate, empty, os.remove]


def test_no_folder_is_a_new_run(tmp_path):
    assert restored(tmp_path / "none") == 0


def test_newest_state_comes_back(folder):
    assert restored(folder) == 6
    assert saved_steps(folder) == [2, 4, 6]
    assert tf.train.latest_checkpoint(folder).endswith("ckpt-6")  # for other programs


@pytest.mark.parametrize("damage", [empty, os.remove, lambda p: p.write_bytes(os.urandom(99))])
def test_file_that_lists_the_checkpoints_does_not_matter(folder, damage):
    damage(folder / "checkpoint")
    assert restored(folder) == 6


@pytest.mark.parametrize("checksum", [True, False], ids=["with checksum", "without checksum"])
@pytest.mark.parametrize("ending", ["index", "data-00000-of-00001"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_state_is_named_once_and_the_one_before_comes_back(
    folder, ending, damage, checksum
):
    if not checksum:  # as in runs of earlier versions
        (folder / "ckpt-6.sha256").unlink()
    damage(folder / f"ckpt-6.{ending}")
    with pytest.warns(UserWarning, match="step 4.*ckpt-6 ") as record:
        assert restored(folder) == 4
    assert len(record) == 1
    assert "\n" not in str(record[0].message)


@pytest.mark.parametrize("damage", [flip_a_bit, truncate, empty])
def test_damaged_checksum_counts_as_damage(folder, damage):
    damage(folder / "ckpt-6.sha256")
    with pytest.warns(UserWarning, match="step 4.*ckpt-6 "):
        assert restored(folder) == 4


def test_none_that_can_be_read_is_an_error_that_names_them(folder):
    for path in folder.glob("ckpt-*.index"):
        empty(path)
    with pytest.raises(ValueError, match="new workdir.*ckpt-6 .*ckpt-4 .*ckpt-2 "):
        restored(folder)
    assert saved_steps(folder) == [2, 4, 6]


def test_saving_keeps_the_newest_and_removes_what_was_damaged(folder):
    truncate(folder / "ckpt-6.index")
    checkpoints = Checkpoints(folder, variables())
    with pytest.warns(UserWarning):
        checkpoints.restore()
    checkpoints.save(5)
    assert saved_steps(folder) == [4, 5]
    assert {path.suffix for path in folder.glob("ckpt-5.*")} >= {".index", ".sha256"}


@pytest.mark.parametrize("in_place", range(4))
def test_save_that_was_cut_off_leaves_the_state_before_it_or_the_whole_new_one(
    folder, in_place, monkeypatch
):
    replace, renamed = os.replace, []
    monkeypatch.setattr(os, "replace", lambda *paths: (replace(*paths), renamed.append(paths[1])))
    Checkpoints(folder, variables(8), keep=4).save(8)
    monkeypatch.undo()
    *files, _ = renamed  # the last one lists the checkpoints
    assert len(files) == 3
    (folder / ".saving-x").mkdir()
    for path in files[in_place:]:  # as if the process had died before this renaming
        os.rename(path, folder / ".saving-x" / path.name)
    assert restored(folder) == (8 if in_place == 3 else 6)
    assert saved_steps(folder) == ([2, 4, 6, 8] if in_place == 3 else [2, 4, 6])
    assert not (folder / ".saving-x").exists()


@pytest.mark.parametrize("sums", ["[]", "{}", "3", '{"../../x": "0"}', "[" * 100_000])
def test_checksums_of_other_files_count_as_damage(folder, sums):
    (folder / "ckpt-6.sha256").write_text(sums)
    with pytest.warns(UserWarning, match="step 4.*ckpt-6 "):
        assert restored(folder) == 4


def test_what_is_no_checkpoint_does_not_matter(folder):
    (folder / "ckpt-9.index").mkdir()
    (folder / ".saving-x").touch()
    assert restored(folder) == 6


def test_full_disk_is_named_and_the_states_before_stay(folder, monkeypatch):
    def fail(self, path, options=None):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device\nmore")

    checkpoints = Checkpoints(folder, variables(8))
    monkeypatch.setattr(tf.train.Checkpoint, "write", fail)
    with pytest.raises(OSError, match=r"Expected a checkpoint .*ckpt-8 \(No space left.*\)$"):
        checkpoints.save(8)
    assert restored(folder) == 6
    assert not [*folder.glob(".saving-*")]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_variable_that_is_not_finite_is_named(tmp_path, value):
    state = [keras.Variable(np.zeros(3), name=name) for name in ("kernel", "bias")]
    checkpoints = Checkpoints(tmp_path, state)
    checkpoints.expect_finite(7)
    state[1].assign([0, value, 0])
    with pytest.raises(FloatingPointError, match="bias at step 7"):
        checkpoints.expect_finite(7)


@pytest.mark.parametrize(("writer", "reader"), [("jax", "tensorflow"), ("tensorflow", "jax")])
def test_states_of_another_backend_are_said_to_be_so(tmp_path, monkeypatch, writer, reader):
    state = [keras.Variable(np.arange(3.0, dtype="float32")), keras.Variable(3)]
    monkeypatch.setattr(keras.backend, "backend", lambda: writer)
    Checkpoints(tmp_path, state).save(2)
    state[0].assign([0.0, 0.0, 0.0])
    checkpoints = Checkpoints(tmp_path, state)
    checkpoints.restore()
    np.testing.assert_array_equal(state[0].numpy(), [0, 1, 2])
    monkeypatch.setattr(keras.backend, "backend", lambda: reader)
    with pytest.raises(ValueError, match=rf"Expected a checkpoint that can be read.*{writer}"):
        Checkpoints(tmp_path, state).restore()
