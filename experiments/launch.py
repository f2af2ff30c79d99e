"""What the scripts share: quiet start, and users' mistakes as one line and an exit code."""

import os
import sys
from collections.abc import Callable

from absl import app

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's start-up messages


def run(main: Callable[[], int | None]) -> None:
    """Parses the flags, calls `main()` and exits with its result.

    Wrong input (`ValueError`, `OSError`) or a diverged training (`FloatingPointError`) ends with
    one line on stderr and exit code 1; an interrupted run with 130.
    """

    def guarded(argv):
        if len(argv) > 1:
            raise app.UsageError(f"Expected flags only. Received: {' '.join(argv[1:])}")
        try:
            return main()
        except (InterruptedError, KeyboardInterrupt) as error:
            print(f"Interrupted. {error}", file=sys.stderr)
            return 130
        except (ValueError, OSError, FloatingPointError) as error:
            print(f"Error: {error}", file=sys.stderr)
            return 1

    app.run(guarded)
