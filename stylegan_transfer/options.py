"""Frozen options whose fields say what they may be, checked when they are made."""

import dataclasses
import functools
import numbers
import os
import types
import typing
from typing import Any

from stylegan_transfer.checks import describe, is_number, is_whole


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


def same_option(options: type, name: str) -> Any:
    """Returns a field like the one of that name of other options: default, limits, description."""
    field = next(field for field in dataclasses.fields(options) if field.name == name)
    return dataclasses.field(default=field.default, metadata=field.metadata)


@dataclasses.dataclass(frozen=True)
class Options:
    """Base of all options: checks every field against what its `option` says.

    Values must be of their field's type, and numbers finite, whatever their bounds. A field whose
    default is None may be None. Lists become tuples, and paths text.

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
        kind = type_of(type(self), field)
        value = _plain(value, typing.get_origin(kind) or kind)
        fits, word = _fits_type(value, kind)
        words = (word, describe_limits(field))
        self.expect(fits, field.name, ", ".join(filter(None, words)))
        object.__setattr__(self, field.name, value)
        limits = field.metadata
        wanted = "not empty" if isinstance(value, str) else "at least one"
        self.expect(not limits["not_empty"] or len(value) > 0, field.name, wanted)
        for item in value if isinstance(value, tuple) else (value,):
            if is_number(item):
                fits = all(
                    limits[limit] is None or holds(item, limits[limit])
                    for limit, holds in _HOLDS.items()
                )
                self.expect(fits, field.name, describe_limits(field))
        fits = not limits["choices"] or value in limits["choices"]
        self.expect(fits, field.name, describe_limits(field))

    def expect(self, condition: bool, name: str, expected: str) -> None:
        """Raises a `ValueError` about the field `name` unless the condition holds."""
        if not condition:
            value = describe(getattr(self, name))
            raise ValueError(f"Expected {name}: {expected}. Received: {name}={value}")


def type_of(kind: type[Options], field: dataclasses.Field) -> Any:
    """Returns the type of a field's values, without `| None`."""
    annotation = _type_hints(kind)[field.name]
    if isinstance(annotation, types.UnionType):
        annotation = next(part for part in annotation.__args__ if part is not type(None))
    return annotation


_type_hints = functools.cache(typing.get_type_hints)

_KINDS = {
    bool: (lambda value: isinstance(value, bool), "True or False"),
    int: (is_whole, "a whole number"),
    float: (is_number, "a finite number"),
    str: (lambda value: isinstance(value, str) and "\0" not in value, "text"),
}


def _fits_type(value, kind):
    """Whether a value is of a field's type, and that type in words."""
    if typing.get_origin(kind) is tuple:
        fits_item, word = _KINDS[kind.__args__[0]]
        fits = isinstance(value, tuple) and all(item != "" and fits_item(item) for item in value)
        return fits, f"a tuple, each {word}"
    fits, word = _KINDS[kind]
    return fits(value), word


def _plain(value, kind):
    """A value in the form that JSON can hold: lists, paths and NumPy's numbers are no other."""
    if kind is tuple and isinstance(value, (list, tuple)):
        return tuple(_plain(item, None) for item in value)
    if kind is str and isinstance(value, os.PathLike):
        return os.fspath(value)
    is_numpy = isinstance(value, numbers.Real) and hasattr(value, "item")
    return value.item() if is_numpy else value


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
