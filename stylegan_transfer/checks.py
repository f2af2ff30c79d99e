"""The check of an argument, and its message."""


def expect(condition, expected: str, **received) -> None:
    """Raises a `ValueError`, "Expected ... Received: name=value", unless the condition holds."""
    if not condition:
        values = ", ".join(f"{name}={value!r}" for name, value in received.items())
        raise ValueError(f"Expected {expected}. Received: {values}")
