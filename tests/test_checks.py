"""The check of an argument, and its message."""

import pytest

from stylegan_transfer.checks import expect


def test_message_names_what_was_expected_and_what_came():
    expect(True, "anything", size=3)
    with pytest.raises(ValueError, match=r"^Expected two sizes\. Received: size=3, name='a'$"):
        expect([], "two sizes", size=3, name="a")
