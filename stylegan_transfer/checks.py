"""The check of an argument, and its message."""

import math
import numbers
import os

_LONGEST = 200  # characters of a value in a message


def expect(condition, expected: str, **received) -> None:
    """Raises a `ValueError`, "Expected ... Received: name=value", unless the condition holds.

    Args:
        condition: What must be true.
        expected: What the message says after "Expected".
        **received: The values that did not fit, by the names that the caller knows them by.

    Raises:
        ValueError: The condition does not hold.

    Example:
        >>> from stylegan_transfer.checks import expect
        >>> size = -1
        >>> expect(size > 0, "a positive size", size=size)
        Traceback (most recent call last):
        ValueError: Expected a positive size. Received: size=-1
    """
    if not condition:
        values = ", ".join(f"{name}={describe(value)}" for name, value in received.items())
        raise ValueError(f"Expected {expected}. Received: {values}")


def is_number(value, minimum: float = -math.inf, maximum: float = math.inf) -> bool:
    """Whether this is a finite real number, of Python or NumPy, from `minimum` to `maximum`."""
    is_real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return is_real and minimum <= value <= maximum and abs(value) < math.inf


def is_whole(value, minimum: float = -math.inf, maximum: float = math.inf) -> bool:
    """Whether this is a whole number, of Python or NumPy, from `minimum` to `maximum`."""
    return isinstance(value, numbers.Integral) and is_number(value, minimum, maximum)


def is_path(value) -> bool:
    """Whether this can be the name of a file: text, or what `os.fspath` makes text of."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    return isinstance(value, str) and value != "" and "\0" not in value


def describe(value: object) -> str:
    """Returns a value as messages show it, in one line that is not too long.

    Example:
        >>> import numpy as np
        >>> from stylegan_transfer.checks import describe
        >>> describe(np.zeros((48, 64, 3)))
        'array of float64, (48, 64, 3)'
    """
    is_array = hasattr(value, "dtype") and not isinstance(value, type)
    if is_array and getattr(value, "shape", ()):
        return f"array of {value.dtype}, {tuple(value.shape)}"
    value = os.fspath(value) if isinstance(value, os.PathLike) else value
    return shorten(" ".join(repr(value).split("\n")))


def shorten(text: str) -> str:
    """Returns a text without its middle if it is too long for a message."""
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]} ... {text[-half:]}"
