"""Frozen options whose fields say what they may be, checked when they are made."""

import dataclasses
import math
from typing import Any


def option(
    default: Any = dataclasses.MISSING,
    *,
    description: str,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    below: float | None = None,
    choices: tuple = (),
    not_empty: bool = False,
    repeatable: bool = False,
) -> Any:
    """Returns a dataclass field that `Options` checks and the command line offers as a flag.

    Args:
        default: Value of the field where none is given. Without one, the field must be given.
        description: One sentence for the user; the flag's help.
        minimum: Smallest number; of a tuple, of each item.
        above: The number must be larger than this one.
        maximum: Largest number.
        below: The number must be smaller than this one.
        choices: All values that are allowed.
        not_empty: Whether an empty string or tuple is refused.
        repeatable: Whether the flag of a tuple may be repeated, one item each, instead of taking
            a list with commas between.
    """
    metadata = {
        "description": description,
        "minimum": minimum,
        "above": above,
        "maximum": maximum,
        "below": below,
        "choices": tuple(choices),
        "not_empty": not_empty,
        "repeatable": repeatable,
    }
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Options:
    """Base of all options: checks every field against what its `option` says.

    Numbers must be finite, whatever their bounds. A field whose default is None may be None.

    Raises:
        ValueError: A value is not as its field expects; the message names the field, what was
            expected and what came.

    Example:

    >>> import dataclasses
    >>> from stylegan_transfer.options import Options, option
    >>> @dataclasses.dataclass(frozen=True)
    ... class Brush(Options):
    ...     width: int = option(3, description="In pixels.", minimum=1)
    >>> Brush(width=0)
    Traceback (most recent call last):
    ...
    ValueError: Expected width: at least 1. Received: width=0
    """

    def __post_init__(self):
        for field in dataclasses.fields(self):
            self._check(field)

    def _check(self, field):
        value = getattr(self, field.name)
        if value is None and field.default is None:
            return
        limits = field.metadata
        wanted = "not empty" if isinstance(value, str) else "at least one"
        self.expect(not limits["not_empty"] or len(value) > 0, field.name, wanted)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, (int, float)) and not isinstance(item, bool):
                fits = math.isfinite(item) and all(
                    limits[limit] is None or holds(item, limits[limit])
                    for limit, holds in _HOLDS.items()
                )
                self.expect(fits, field.name, describe_limits(field) or "a finite number")
        fits = not limits["choices"] or value in limits["choices"]
        self.expect(fits, field.name, describe_limits(field))

    def expect(self, condition: bool, name: str, expected: str) -> None:
        """Raises a `ValueError` about the field `name` unless the condition holds."""
        if not condition:
            value = getattr(self, name)
            raise ValueError(f"Expected {name}: {expected}. Received: {name}={value!r}")


_HOLDS = {
    "minimum": lambda value, limit: value >= limit,
    "above": lambda value, limit: value > limit,
    "maximum": lambda value, limit: value <= limit,
    "below": lambda value, limit: value < limit,
}
_WORDS = {
    "minimum": "at least {:g}",
    "above": "above {:g}",
    "maximum": "at most {:g}",
    "below": "below {:g}",
}


def describe_limits(field: dataclasses.Field) -> str:
    """Returns what the values of a field may be in words, such as "at least 0 and at most 1"."""
    limits = field.metadata
    words = [word.format(limits[k]) for k, word in _WORDS.items() if limits[k] is not None]
    if limits["choices"]:
        words.append(f"one of {', '.join(map(str, limits['choices']))}")
    return " and ".join(words)
