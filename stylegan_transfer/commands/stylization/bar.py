"""The progress bar of `stylize`, for runs that one waits for."""

import sys


class Bar:
    """Counts pictures on a terminal, by tqdm, and says how far the present one is.

    tqdm takes a twentieth of the time that one small picture does, so it is imported only where
    there is something to show.

    Args:
        total: How many pictures there are.
    """

    def __init__(self, total: int):
        self._total, self._bar = total, None

    def show(self) -> None:
        """Shows the bar, if it is not there yet and somebody can see it."""
        if self._bar is None and sys.stderr.isatty():
            import tqdm

            self._bar = tqdm.tqdm(total=self._total, unit="picture")

    def update(self, count: int = 1) -> None:
        """Counts pictures that are done."""
        if self._bar is not None:
            self._bar.update(count)

    def note(self, text: str) -> None:
        """Shows a text behind the bar, in place of the one before."""
        self.show()
        if self._bar is not None:
            self._bar.set_postfix_str(text)

    def close(self) -> None:
        """Leaves the bar as it is, and the rest of the terminal to others."""
        if self._bar is not None:
            self._bar.close()
