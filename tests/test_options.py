"""Options know the types and limits of their fields."""

import dataclasses
import math
import pathlib

import numpy as np
import pytest

from stylegan_transfer.options import Options, option


@dataclasses.dataclass(frozen=True)
class Brush(Options):
    width: int = option(3, description="In pixels.", minimum=1, maximum=100)
    length: float = option(2.0, description="In pixels.", above=0)
    name: str = option("flat", description="Of the brush.", not_empty=True)
    wet: bool = option(True, description="Whether it is wet.")
    colors: tuple[str, ...] = option(("red",), description="Names.", not_empty=True)
    tips: tuple[float, ...] = option((), description="Sizes.", minimum=0)
    maker: str | None = option(None, description="Name.", choices=("a", "b"))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("width", "3", "a whole number, at least 1 and at most 100"),
        ("width", 3.0, "a whole number, at least 1 and at most 100"),
        ("width", True, "a whole number"),
        ("width", None, "a whole number"),
        ("width", 10**400, "at least 1 and at most 100"),
        ("length", "2", "a finite number, above 0"),
        ("length", math.inf, "a finite number"),
        ("length", 1j, "a finite number"),
        ("length", np.ones(3), "a finite number"),
        ("name", 3, "text"),
        ("name", "a\0b", "text"),
        ("name", "", "not empty"),
        ("wet", "yes", "True or False"),
        ("wet", 1, "True or False"),
        ("colors", "red", "a tuple, each text"),
        ("colors", ("red", ""), "a tuple, each text"),
        ("colors", (3,), "a tuple, each text"),
        ("colors", None, "a tuple, each text"),
        ("tips", (1.0, math.nan), "a tuple, each a finite number, at least 0"),
        ("tips", (-1.0,), "at least 0"),
        ("maker", ["a"], "text, one of a, b"),
    ],
)
def test_a_value_of_another_type_or_out_of_range_is_named(name, value, expected):
    with pytest.raises(ValueError) as error:
        Brush(**{name: value})
    message = str(error.value)
    assert message.startswith(f"Expected {name}: {expected}")
    assert f"Received: {name}=" in message and len(message) < 400


def test_lists_paths_and_numbers_of_numpy_become_plain():
    brush = Brush(
        width=np.int64(5), length=np.float32(0.5), name=pathlib.Path("a/b"), tips=[1, np.float64(2)]
    )
    assert brush == Brush(5, 0.5, "a/b", tips=(1, 2.0))
    assert [type(v) for v in dataclasses.astuple(brush)[:3]] == [int, float, str]
