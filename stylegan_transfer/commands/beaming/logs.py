"""Keeps Beam's log off the terminal: what goes wrong comes as an exception, too."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_log(verbose: bool) -> Iterator[None]:
    """Silences the log of this process in the block, unless `verbose`."""
    before = logging.root.manager.disable
    if not verbose:
        logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def silent(verbose: bool) -> Iterator[None]:
    """Silences processes that are started in the block, for as long as they live."""
    if verbose:
        yield
        return
    sys.stderr.flush()
    terminal, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)
