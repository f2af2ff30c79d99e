"""What `evaluate` reads: contents, styles and finished results."""

import pathlib
from collections.abc import Sequence

from stylegan_transfer.commands import pairs
from stylegan_transfer.pictures.files import IMAGE_SUFFIXES, load_image
from stylegan_transfer.pictures.inputs import resize_image


class Picture:
    """A content or style in the size of painting, and in that of measuring.

    Args:
        path: The file.
        paint_size: Short side of `image`.
        measure_size: Short side of `small`.
    """

    def __init__(self, path: pathlib.Path, paint_size: int, measure_size: int):
        self.path = path
        self.image = resize_image(load_image(path), short_side=paint_size)
        self.small = resize_image(self.image, short_side=measure_size)


def list_pictures(sources: Sequence[str]) -> list[pathlib.Path]:
    """Returns the files that `--content` or `--style` names, each once."""
    return pairs.read_contents(sources)


def find_results(
    folder: pathlib.Path, contents: Sequence[pathlib.Path], styles: Sequence[pathlib.Path]
) -> dict[tuple[pathlib.Path, pathlib.Path], pathlib.Path]:
    """Returns the file of each content in each style, `{(content, style): path}`.

    Raises:
        FileNotFoundError: There is no such folder, or a result is missing.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"Expected a folder of results. Received: {folder}")
    files = {path.stem: path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES}
    styles = [pairs.Style(path.stem, (path,)) for path in styles]
    jobs = pairs.plan_jobs(contents, styles, str(folder), ".png")
    for job in jobs:
        if job.output.stem not in files:
            raise FileNotFoundError(
                f"Expected a result of every content in every style. Received: no {job.output}"
            )
    return {(job.content, job.style.paths[0]): files[job.output.stem] for job in jobs}
