"""The check of an argument, and its message."""

import math
import pathlib

import numpy as np
import pytest

from stylegan_transfer.checks import describe, expect, is_number, is_path, is_whole


def test_message_names_what_was_expected_and_what_came():
    expect(True, "anything", size=3)
    with pytest.raises(ValueError, match=r"^Expected two sizes\. Received: size=3, name='a'$"):
        expect([], "two sizes", size=3, name="a")


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.5), np.int64(1)])
def test_finite_numbers_of_python_and_numpy_are_numbers(value):
    assert is_number(value, 0, 1)
    assert is_whole(value, 0, 1) == (value in (0, 1))


@pytest.mark.parametrize("value", ["1", None, True, math.nan, math.inf, 1j, [1], np.ones(1), {}])
def test_nothing_else_is_a_number(value):
    assert not is_number(value)
    assert not is_whole(value)


def test_numbers_beyond_their_bounds_are_none():
    assert not is_number(1.1, 0, 1) and not is_whole(-1, 0) and not is_whole(10**400, 0, 9)


def test_paths_are_text_without_a_nul():
    assert is_path("a b.png") and is_path(pathlib.Path("a"))
    assert not any(map(is_path, ("", "a\0b", b"a", 3, None, ["a"])))


def test_values_are_described_in_one_short_line():
    assert describe("a\nb") == r"'a\nb'"
    assert describe(np.zeros((2, 3), "uint8")) == "array of uint8, (2, 3)"
    assert len(describe("x" * 5_000)) < 220
    assert "\n" not in describe([np.zeros((9, 9))])
