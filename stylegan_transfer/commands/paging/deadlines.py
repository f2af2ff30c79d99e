"""The time that one picture may take."""

import time
from collections.abc import Callable


class Deadline:
    """Gives up what takes too long, whenever it says how far it is.

    Args:
        seconds: From now.
        clock: Tells the time in seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic):
        self._seconds, self._clock = seconds, clock
        self._end = clock() + seconds

    def check(self) -> None:
        """Raises a `TimeoutError` once the time is over."""
        if self._clock() > self._end:
            raise TimeoutError(
                f"Expected a picture that is painted within {self._seconds:g} seconds: a smaller "
                "one, or a faster quality. Received: one that takes longer"
            )

    def watch(self, progress: Callable[[int, int], None] | None) -> Callable[[int, int], None]:
        """Returns a `progress(done, total)` that checks the time, then calls the given one."""

        def check_and_tell(done: int, total: int) -> None:
            self.check()
            if progress is not None:
                progress(done, total)

        return check_and_tell
