"""What the scripts share: quiet start, and users' mistakes as one line and an exit code."""

import collections
import contextlib
import os
import sys
import time
from collections.abc import Callable

from absl import app

_STARTED = time.perf_counter()

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's start-up messages


def run(main: Callable[[], int | None]) -> None:
    """Parses the flags, calls `main()` and exits with its result.

    Wrong input (`ValueError`, `OSError`), a missing extra (`ImportError`) or a diverged training
    (`FloatingPointError`) ends with one line on stderr and exit code 1; an interrupted run with
    130.
    """

    def guarded(argv):
        if len(argv) > 1:
            raise app.UsageError(f"Expected flags only. Received: {' '.join(argv[1:])}")
        try:
            return main()
        except (InterruptedError, KeyboardInterrupt) as error:
            print(f"Interrupted. {error}", file=sys.stderr)
            return 130
        except (ValueError, OSError, FloatingPointError, ImportError) as error:
            print(f"Error: {error}", file=sys.stderr)
            return 1

    app.run(guarded)


class Timer:
    """Adds up the seconds of named parts: `with timer("reading"): ...`."""

    def __init__(self):
        self._seconds = collections.Counter()

    @contextlib.contextmanager
    def __call__(self, part: str):
        started = time.perf_counter()
        yield
        self._seconds[part] += time.perf_counter() - started

    def report(self) -> str:
        """Returns one line a part, and one for all the time since the start of the script."""
        total = time.perf_counter() - _STARTED
        rest = {"everything else": total - self._seconds.total(), "in all": total}
        rows = {**self._seconds, **rest}.items()
        return "\n".join(f"{part:>24}: {seconds:7.2f} s" for part, seconds in rows)
