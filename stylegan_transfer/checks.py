"""The check of an argument, and its message."""


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
        values = ", ".join(f"{name}={value!r}" for name, value in received.items())
        raise ValueError(f"Expected {expected}. Received: {values}")
