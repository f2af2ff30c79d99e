"""Files that appear at once and whole, or not at all."""

import errno

import pytest

from stylegan_transfer.atomic import check_place, remove_leftovers, renamed_when_done


def test_a_file_appears_in_a_new_folder_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    with renamed_when_done(path) as temporary:
        temporary.write_text("whole")
        assert temporary.name == "a.txt"
        assert not path.exists()
    assert path.read_text() == "whole"
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failing_block_leaves_the_older_file_and_no_other(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("older")
    with pytest.raises(error), renamed_when_done(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "older"
    assert [*tmp_path.iterdir()] == [path]


def fail_to_write(path, error=None):
    with renamed_when_done(path) as temporary:
        if error is not None:
            raise error
        temporary.write_text("whole")


def test_what_cannot_be_written_is_named(tmp_path):
    path = tmp_path / "a.txt"
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match=r"Expected a file.*Received: .*a\.txt \(No space") as error:
        fail_to_write(path, full)
    assert error.value.errno == errno.ENOSPC
    path.mkdir()
    with pytest.raises(IsADirectoryError, match=r"Received: .*a\.txt \(Is a directory\)"):
        fail_to_write(path)
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"Received: .*b\.txt \("):
        fail_to_write(tmp_path / "file" / "b.txt")


def test_an_error_about_another_file_stays_as_it_is(tmp_path):
    other = FileNotFoundError(errno.ENOENT, "No such file or directory", "missing")
    with pytest.raises(FileNotFoundError, match="No such file.*missing"):
        fail_to_write(tmp_path / "a.txt", other)


@pytest.mark.parametrize("name", ["folder", "file/a.txt", "file/new/a.txt"])
def test_a_place_that_no_file_can_come_to_is_named(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for path in ("a.txt", "folder/a.txt", "new/folder/a.txt", "file"):
        check_place(tmp_path / path)
    with pytest.raises(OSError, match=f"Expected a .*Received: .*{name.rpartition('/')[0]}"):
        check_place(tmp_path / name)


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    (tmp_path / ".saving-x").mkdir()
    (tmp_path / ".saving-x" / "a.txt").touch()
    (tmp_path / "a.txt").touch()
    remove_leftovers(tmp_path)
    assert [*tmp_path.iterdir()] == [tmp_path / "a.txt"]
