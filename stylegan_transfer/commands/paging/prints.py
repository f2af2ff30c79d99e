"""Pictures as files that the page shows and offers."""

import dataclasses
import os
import pathlib
import tempfile
from collections.abc import Sequence

from stylegan_transfer.pictures.arrays import MIN_SIZE
from stylegan_transfer.pictures.files import save_image, save_picture
from stylegan_transfer.pictures.inputs import resize_picture
from stylegan_transfer.pictures.picture import Picture

SHOWN_SIZE = 1400  # pixels of the long side: a page shows no more
BRUSHED_SIZE = 800  # ... of a canvas: the brush is as wide on small photographs as on large ones
_QUALITY = 92


@dataclasses.dataclass(frozen=True)
class Print:
    """The files of one painted photograph.

    Args:
        content: The photograph.
        styles: The paintings.
        result: The painted photograph, in its own size.
        before: The photograph, as large as it is shown.
        after: The painted photograph, as large as it is shown.
    """

    content: str
    styles: tuple[str, ...]
    result: str
    before: str
    after: str


def make_print(
    painted: Picture,
    picture: Picture,
    content: str | os.PathLike,
    styles: Sequence[str | os.PathLike],
    folder: str | os.PathLike,
) -> Print:
    """Writes a painted photograph into a new folder.

    Args:
        painted: The result.
        picture: The photograph.
        content: Its file; the result is a PNG file named after it.
        styles: The paintings' files.
        folder: Where the new folder goes.

    Raises:
        OSError: A file cannot be written.
    """
    place = pathlib.Path(tempfile.mkdtemp(dir=folder))
    result = place / f"{pathlib.Path(content).stem}_painted.png"
    save_picture(painted, result)
    return Print(
        content=str(content),
        styles=tuple(map(str, styles)),
        result=str(result),
        before=save_shown(picture, place / "before.jpg"),
        after=save_shown(painted, place / "after.jpg"),
    )


def save_shown(picture: Picture, path: pathlib.Path) -> str:
    """Writes a picture as large as it is shown; returns the path."""
    if max(picture.image.shape[:2]) > SHOWN_SIZE:
        picture = fit(picture, SHOWN_SIZE)
    save_image(picture.pixels, path, quality=_QUALITY)
    return str(path)


def save_canvas(picture: Picture, folder: str | os.PathLike) -> str:
    """Writes a photograph for the brush into a new folder; returns the path."""
    path = pathlib.Path(tempfile.mkdtemp(dir=folder)) / "canvas.jpg"
    save_image(fit(picture, BRUSHED_SIZE).pixels, path, quality=_QUALITY)
    return str(path)


def fit(picture: Picture, long_side: int) -> Picture:
    """Returns a picture whose long side has so many pixels; the other one is no side to refuse."""
    sides = picture.image.shape[:2]
    size = tuple(max(MIN_SIZE, round(side * long_side / max(sides))) for side in sides)
    return resize_picture(picture, size=size)
