"""The time that one picture may take."""

import time
from collections.abc import Callable

_SURPLUS = 0.5  # of the time: estimates are rough, what exceeds it by more is hopeless
_STEPS = 3  # whose pace an estimate takes


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
        self._expect(self._clock() <= self._end)

    def watch(self, progress: Callable[[int, int], None] | None) -> Callable[[int, int], None]:
        """Returns a `progress(done, total)` that checks the time, then calls the given one.

        It gives up at once what at its present pace takes half as long again as it may.
        """
        times = []  # when the steps of this round were done

        def check_and_tell(done: int, total: int) -> None:
            self.check()
            if done <= len(times):
                times.clear()  # another round, with a pace of its own
            times.append(self._clock())
            if len(times) > _STEPS:
                pace = (times[-1] - times[0]) / (len(times) - 1)
                rest = pace * (total - done)
                self._expect(times[-1] + rest <= self._end + _SURPLUS * self._seconds)
            if progress is not None:
                progress(done, total)

        return check_and_tell

    def _expect(self, is_in_time):
        if not is_in_time:
            raise TimeoutError(
                f"Expected a picture that is painted within {self._seconds:g} seconds: a smaller "
                "one, or a faster quality. Received: one that takes longer"
            )
