"""Serves the page for as long as it is wanted."""

import contextlib
import logging
import os
import pathlib
import socket
import tempfile
from collections.abc import Iterator

from stylegan_transfer.commands.paging.options import PageOptions
from stylegan_transfer.commands.paging.sample_files import save_samples
from stylegan_transfer.commands.paging.studio import Studio

_SETTINGS = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}


@contextlib.contextmanager
def served(options: PageOptions) -> Iterator[str]:
    """Serves the page while the block runs; gives its address.

    Uploads and results lie in a folder of their own, which is deleted afterwards.

    Raises:
        ImportError: Gradio is not installed.
        ValueError: The address cannot be listened at, or its port is taken.
    """
    _check_address(options.host, options.port)
    # Gradio reads the surroundings when it is imported, and when a page is built.
    with (
        tempfile.TemporaryDirectory(prefix="stylegan-transfer-page-") as folder,
        surroundings(**_SETTINGS, **_without_proxy(options.host), GRADIO_TEMP_DIR=folder),
    ):
        try:
            import gradio  # noqa: F401
        except ModuleNotFoundError as error:
            raise ImportError(
                f'Expected Gradio: pip install "stylegan_transfer[page]". Received: {error}'
            ) from error
        from stylegan_transfer.commands.paging.downloads import downloads_refused
        from stylegan_transfer.commands.paging.handlers import Handlers
        from stylegan_transfer.commands.paging.layout import build_page
        from stylegan_transfer.commands.paging.look import CSS, THEME

        studio = Studio(options)
        samples = save_samples(pathlib.Path(folder), options.sample_size)
        handlers = Handlers(studio, folder)
        page = build_page(handlers, options, studio.qualities, samples)
        with downloads_refused(), tracebacks_shortened():
            try:
                yield _launch(page, options, theme=THEME, css=CSS)
            finally:
                page.close(verbose=False)


def _launch(page, options, **look):
    """Starts serving; returns the address."""
    is_ipv6 = ":" in options.host
    _, address, _ = page.launch(
        server_name=f"[{options.host}]" if is_ipv6 else options.host,
        server_port=options.port,
        inbrowser=options.browser,
        max_file_size=options.max_mb * 1_000_000,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        run_history=False,
        enable_monitoring=False,
        footer_links=[],
        **look,
    )
    return address


def _without_proxy(host):
    """Gradio asks the page whether it is there: not by way of a proxy."""
    others = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = ",".join(filter(None, [others, "localhost", "127.0.0.1", host]))
    return {"no_proxy": hosts, "NO_PROXY": hosts}


def _check_address(host, port):
    """Raises a `ValueError` unless one can listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port or 0, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise ValueError(
            f"Expected a host and a free port to listen at. Received: host={host!r}, port={port} "
            f"({error.strerror})"
        ) from None


@contextlib.contextmanager
def tracebacks_shortened() -> Iterator[None]:
    """Makes what the server says of failed requests one line each, while the block runs.

    That a visitor has left in the middle of a request is no line.
    """
    from starlette.requests import ClientDisconnect

    def shorten(record):
        error = record.exc_info and record.exc_info[1]
        if error:
            text = record.getMessage().strip()
            record.msg, record.args, record.exc_info = f"{text}: {error!r}", (), None
        return not isinstance(error, ClientDisconnect)

    logger = logging.getLogger("uvicorn.error")
    logger.addFilter(shorten)
    try:
        yield
    finally:
        logger.removeFilter(shorten)


@contextlib.contextmanager
def surroundings(**values: str) -> Iterator[None]:
    """Sets variables of the environment while the block runs; they are as before afterwards."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
