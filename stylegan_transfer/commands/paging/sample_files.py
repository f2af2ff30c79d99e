"""The package's own pictures, as files for the page."""

import concurrent.futures
import pathlib

from stylegan_transfer import samples
from stylegan_transfer.pictures.files import save_image

_SHOWN = 4  # of each kind: one row of the page


def save_samples(folder: pathlib.Path, size: int) -> tuple[list[str], list[str]]:
    """Draws sample photographs and paintings; returns their files, none of them for a size of 0.

    Args:
        folder: Where they go.
        size: Side in pixels.
    """
    if not size:
        return [], []
    kinds = (
        (samples.CONTENT_NAMES[-_SHOWN:], samples.draw_content),
        (samples.STYLE_NAMES[:_SHOWN], samples.draw_style),
    )
    with concurrent.futures.ThreadPoolExecutor() as pool:

        def save(name, draw):
            path = folder / f"{name}.png"
            save_image(draw(name, size), path)
            return str(path)

        files = [[pool.submit(save, name, draw) for name in names] for names, draw in kinds]
        contents, styles = ([file.result() for file in kind] for kind in files)
    return contents, styles
