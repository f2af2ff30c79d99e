"""Serves the page for as long as it is wanted."""

import contextlib
import os
import pathlib
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
        OSError: The port is taken.
    """
    # Gradio reads the surroundings when it is imported, and when a page is built.
    with (
        tempfile.TemporaryDirectory(prefix="stylegan-transfer-page-") as folder,
        _environment(**_SETTINGS, GRADIO_TEMP_DIR=folder),
    ):
        try:
            import gradio  # noqa: F401
        except ModuleNotFoundError as error:
            raise ImportError(
                f'Expected Gradio: pip install "stylegan_transfer[page]". Received: {error}'
            ) from error
        from stylegan_transfer.commands.paging.handlers import Handlers
        from stylegan_transfer.commands.paging.layout import CSS, THEME, build_page

        studio = Studio(options)
        samples = save_samples(pathlib.Path(folder), options.sample_size)
        handlers = Handlers(studio, folder)
        page = build_page(handlers, options, studio.qualities, samples)
        try:
            _, address, _ = page.launch(
                server_name=options.host,
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
                theme=THEME,
                css=CSS,
            )
            yield address
        finally:
            page.close(verbose=False)


@contextlib.contextmanager
def _environment(**values):
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
