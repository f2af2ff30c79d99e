"""Opens a page in the browser to paint pictures on; ends with Ctrl-C.

stylegan-transfer page
stylegan-transfer page --port=8000 --nobrowser
"""

import contextlib
import dataclasses
import logging
import threading
from collections.abc import Sequence

from stylegan_transfer import hub
from stylegan_transfer.commands import launch
from stylegan_transfer.commands.paging.options import PageOptions


def main(argv: Sequence[str]) -> int:
    """Serves the page as the flags say until Ctrl-C or SIGTERM; returns the exit code."""
    flags = launch.Flags(argv, __doc__, PageOptions)
    options = flags.make(PageOptions)
    options = dataclasses.replace(options, generator=hub.find(options.generator))
    if not flags.verbose:  # it warns of every few new sizes, which visitors bring
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
    from stylegan_transfer.commands.paging.serving import served

    with served(options) as address:
        print(f"The page is at {address} until Ctrl-C.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    return 0
