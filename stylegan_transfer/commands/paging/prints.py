"""Pictures as files that the page shows and offers."""

import dataclasses
import os
import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np

from stylegan_transfer.pictures.files import save_image, save_picture
from stylegan_transfer.pictures.inputs import resize_picture
from stylegan_transfer.pictures.picture import Picture

SHOWN_SIZE = 1400  # pixels of the long side: a page shows no more
BRUSHED_SIZE = 800  # ... and a canvas for the brush has no more
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


def save_shown(picture: Picture, path: pathlib.Path, long_side: int = SHOWN_SIZE) -> str:
    """Writes a picture as large as it is shown; returns the path."""
    save_image(shrink(picture, long_side), path, quality=_QUALITY)
    return str(path)


def shrink(picture: Picture, long_side: int) -> np.ndarray:
    """Returns the pixels of a picture, smaller if its long side has more pixels than that.

    Args:
        picture: Of any size.
        long_side: In pixels.

    Returns:
        float32 `(height, width, 3 or 4)`.
    """
    sides = picture.image.shape[:2]
    if max(sides) > long_side:
        size = tuple(max(1, round(side * long_side / max(sides))) for side in sides)
        picture = resize_picture(picture, size=size)
    return picture.pixels
