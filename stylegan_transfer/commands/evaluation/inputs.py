"""What `evaluate` reads: contents, styles and finished results."""

import collections
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
    place: pathlib.Path,
    contents: Sequence[pathlib.Path],
    styles: Sequence[pathlib.Path],
    of_clips: bool = False,
) -> dict[tuple[pathlib.Path, pathlib.Path], pathlib.Path]:
    """Returns the file of each content in each style, `{(content, style): path}`.

    Args:
        place: A folder, whose files are named as `stylize` names them but for the suffix; or the
            file for a single content and a single style.
        contents: Pictures, or clips.
        styles: Pictures.
        of_clips: Whether the results are clips.

    Raises:
        FileNotFoundError: There is no such folder or file, or a result is missing.
        ValueError: It is a file for several contents or styles.
    """
    if place.is_file():
        if len(contents) * len(styles) > 1:
            raise ValueError(
                f"Expected a folder of results for {len(contents)} contents and {len(styles)} "
                f"styles. Received: {place}, a file"
            )
        return {(contents[0], styles[0]): place}
    if not place.is_dir():
        raise FileNotFoundError(f"Expected a folder of results, or a result. Received: {place}")
    suffixes, suffix = (pairs.CLIP_SUFFIXES, ".mp4") if of_clips else (IMAGE_SUFFIXES, ".png")
    files = {path.name: path for path in place.iterdir() if path.suffix.lower() in suffixes}
    stems = {path.stem: path for path in files.values()}
    styles = [pairs.Style(path.stem, (path,)) for path in styles]
    jobs = pairs.plan_jobs(contents, styles, str(place), suffix)
    named = collections.Counter(job.output.stem for job in jobs)  # one for a.mp4 and for a.mkv
    results = {}
    for job in jobs:
        of_stem = stems.get(job.output.stem) if named[job.output.stem] == 1 else None
        result = results[job.content, job.style.paths[0]] = files.get(job.output.name, of_stem)
        if result is None:
            raise FileNotFoundError(
                f"Expected a result of every content in every style. Received: no {job.output}"
            )
    return results
