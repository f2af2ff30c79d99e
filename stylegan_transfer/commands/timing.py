"""Where the time of a run goes."""

import collections
import contextlib
import time


class Timer:
    """Adds up the seconds of named parts: `with timer("reading"): ...`."""

    def __init__(self):
        self._seconds = collections.Counter()
        self._started = time.perf_counter()

    @contextlib.contextmanager
    def __call__(self, part: str):
        started = time.perf_counter()
        yield
        self._seconds[part] += time.perf_counter() - started

    def report(self) -> str:
        """Returns one line a part, and one for all the time since the timer was made."""
        total = time.perf_counter() - self._started
        rest = {"everything else": total - self._seconds.total(), "in all": total}
        rows = {**self._seconds, **rest}.items()
        return "\n".join(f"{part:>24}: {seconds:7.2f} s" for part, seconds in rows)
