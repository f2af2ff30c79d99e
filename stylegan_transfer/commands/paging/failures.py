"""What went wrong, as visitors should read it."""

from stylegan_transfer.checks import describe
from stylegan_transfer.commands.launch import explain


def describe_failure(error: Exception) -> str:
    """Returns one line: a visitor's mistake as it is said, and anything else with its kind."""
    if isinstance(error, MemoryError):
        return "Expected more free memory: a smaller picture. Received: none"
    if isinstance(error, (ValueError, OSError, ImportError, FloatingPointError)):
        return " ".join(explain(error).split())
    return f"Unexpected {type(error).__name__}: {describe(str(error))}"
