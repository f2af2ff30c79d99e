"""Keeps the page from fetching what lies elsewhere."""

import contextlib
from collections.abc import Iterator

import gradio as gr
from gradio import processing_utils

_DOWNLOADS = ("save_url_to_cache", "async_ssrf_protected_download")


@contextlib.contextmanager
def downloads_refused() -> Iterator[None]:
    """Makes Gradio refuse addresses in place of files while the block runs.

    It would download them, whatever their size, for whoever sends one.
    """
    before = {name: getattr(processing_utils, name) for name in _DOWNLOADS}
    for name in _DOWNLOADS:
        setattr(processing_utils, name, _refuse)
    try:
        yield
    finally:
        for name, download in before.items():
            setattr(processing_utils, name, download)


def _refuse(url, *args, **kwargs):
    raise gr.Error("Expected an uploaded file. Received: an address", print_exception=False)
