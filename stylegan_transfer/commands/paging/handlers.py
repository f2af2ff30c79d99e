"""What happens at a click: from what the browser sends to what the page shows."""

import contextlib
import html
import os
import sys
import threading
import weakref
from collections.abc import Iterator

import gradio as gr

from stylegan_transfer.commands.paging.failures import describe_failure
from stylegan_transfer.commands.paging.masks import read_mask
from stylegan_transfer.commands.paging.prints import Print, make_print, save_canvas
from stylegan_transfer.commands.paging.studio import Studio
from stylegan_transfer.commands.paging.wishes import Wish
from stylegan_transfer.stylizing.qualities import QUALITIES


class Handlers:
    """Answers events. Every failure becomes a message on the page, and none a traceback.

    Values come as the browser sends them, not as Gradio would read them: it would open files of
    some 40 formats with Pillow before they are checked.

    Args:
        studio: Paints.
        folder: For the files that are made; Gradio serves what lies in it.
    """

    def __init__(self, studio: Studio, folder: str | os.PathLike):
        self._studio, self._folder = studio, folder
        self._stops = weakref.WeakValueDictionary()  # by visitor; a stop lives while it is painted

    def show_photograph(self, photograph: dict | None):
        """Returns a photograph for the brush to paint on; none for none."""
        if not photograph:
            return None
        with answered():
            picture = self._studio.read(_path(photograph), "photograph")
            return save_canvas(picture, self._folder)

    def check_painting(self, painting: dict | None) -> None:
        """Says at once if a painting cannot be read."""
        if painting:
            with answered():
                self._studio.read(_path(painting), "painting")

    def paint(self, photograph, painting, second, canvas, controls, progress, visitor) -> Print:
        """Returns the files of the photograph, painted.

        Args:
            photograph: As the browser sends it.
            painting: The first one.
            second: The second one, or None.
            canvas: What the brush painted on, with its layers.
            controls: The values of the controls, by the names of a `Wish`.
            progress: A `gr.Progress`.
            visitor: Who can stop it.
        """
        with answered():
            self._stops[visitor] = stop = threading.Event()
            wish = Wish(**controls)
            progress(0.0, desc="Getting ready")
            files = [_path(file) for file in (photograph, painting, *filter(None, [second]))]
            content = self._studio.read(files[0], "photograph")
            styles = [self._studio.read(file, "painting") for file in files[1:]]
            mask = read_mask([_path(layer) for layer in (canvas or {}).get("layers") or ()])
            tell = _told(progress, wish.quality, stop)
            painted = self._studio.paint(content, styles, wish, mask, tell)
            return make_print(painted, content, files[0], files[1:], self._folder)

    def stop(self, visitor: str) -> None:
        """Ends what is being painted for a visitor, at its next step."""
        stop = self._stops.get(visitor)
        if stop is not None:
            stop.set()

    def judge(self, made: Print) -> str:
        """Returns the verdict on a result in a sentence."""
        with answered():
            verdict = self._studio.judge(made.result, made.content, made.styles)
            return f"Originality: {verdict}."


@contextlib.contextmanager
def answered() -> Iterator[None]:
    """Turns every error of the block into a message on the page.

    What is no visitor's mistake is also one line on stderr.
    """
    try:
        yield
    except Exception as error:
        message = describe_failure(error)
        if message.startswith("Unexpected "):
            print(f"Error: {message}", file=sys.stderr)
        raise gr.Error(html.escape(message), print_exception=False) from None


def _path(file):
    """The path of an uploaded file, or None."""
    return file and file.get("path")


def _told(progress, quality, stop):
    """What tells the page how far the studio is, until it is to stop."""
    steps = QUALITIES[quality]

    def tell(done, total):
        if stop.is_set():
            raise InterruptedError("Stopped")
        is_refined = steps is not None and total == steps.num_steps
        progress((done, total), desc="Refining" if is_refined else "Painting", unit="steps")

    return tell
