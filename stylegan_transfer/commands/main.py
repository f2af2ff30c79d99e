"""stylegan-transfer COMMAND [--flags]

Commands:
{commands}

stylegan-transfer COMMAND --help lists the flags of one.
"""

import atexit
import gc
import importlib
import sys
from collections.abc import Sequence

from stylegan_transfer import __version__
from stylegan_transfer.commands import launch

COMMANDS = {
    "stylize": "Paint pictures and clips in the style of paintings.",
    "page": "Open a page in the browser to paint pictures on.",
    "beam": "Paint millions of pictures with Apache Beam.",
    "optimize": "Paint one picture slowly, by optimizing its pixels.",
    "pack": "Pack photographs and paintings into one file to train from.",
    "train": "Train a generator.",
    "export": "Write a generator in a format that other runtimes run.",
    "evaluate": "Measure generators and folders of results.",
    "benchmark": "Measure speed and memory.",
    "distill": "Train the small VGG19 that ships.",
    "demo": "Stylise the sample pictures of the package.",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that `argv[1]` names with the flags after it; returns the exit code."""
    argv = sys.argv if argv is None else argv
    name = argv[1] if len(argv) > 1 else ""
    if name in COMMANDS:
        _look_for_garbage_less()
        module = importlib.import_module(f"stylegan_transfer.commands.{name}")
        return launch.run(module.main, [f"stylegan-transfer {name}", *argv[2:]])
    if name == "--version":
        print(f"stylegan_transfer {__version__}")
        return 0
    rows = "\n".join(f"  {command:10} {text}" for command, text in COMMANDS.items())
    usage = __doc__.format(commands=rows).strip()
    if name in ("--help", "-h", "help"):
        print(usage)
        return 0
    print(usage, file=sys.stderr)
    known = ", ".join(COMMANDS)
    print(f"Error: Expected a command out of {known}. Received: {name or 'none'}", file=sys.stderr)
    return 1


def _look_for_garbage_less():
    """Saves a tenth of the time that one picture takes.

    By default Python looks for unreachable objects after each 700 new ones, of which imports make
    tens of thousands, and once more among all at its end.
    """
    gc.set_threshold(20_000)
    atexit.register(gc.freeze)
