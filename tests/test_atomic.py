"""Files that appear at once and whole, or not at all."""

import pytest

from stylegan_transfer.atomic import renamed_when_done


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
