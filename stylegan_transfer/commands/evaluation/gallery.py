"""Thumbnails of the results, small enough for a page."""

import base64
import io
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

_THUMBNAIL = 160  # pixels; about 10 KB
_MAX_STYLES, _MAX_THUMBNAILS = 8, 220


class Gallery:
    """Thumbnails of the results of some rows, as many as a page of about 3 MB can hold.

    Args:
        contents: Pictures `(height, width, 3)` in [0, 1].
        styles: The same.
        rows: The names of the rows.
    """

    def __init__(
        self, contents: Sequence[np.ndarray], styles: Sequence[np.ndarray], rows: Sequence[str]
    ):
        styles = styles[:_MAX_STYLES]
        num_contents = max(1, _MAX_THUMBNAILS // (len(styles) * max(1, len(rows))))
        self._contents = [encode(content) for content in contents[:num_contents]]
        self.styles = [encode(style) for style in styles]
        self._results = {row: {} for row in rows}

    def add(self, row: str, content: int, style: int, picture: np.ndarray) -> None:
        """Keeps the thumbnail of a result if the gallery has a place for it."""
        has_place = content < len(self._contents) and style < len(self.styles)
        if row in self._results and has_place:
            self._results[row][content, style] = encode(picture)

    def __iter__(self) -> Iterator[tuple[str, dict[str, list[str]]]]:
        """Yields each content with its results in all styles, by row; all as data URIs."""
        if self._results:
            for i, content in enumerate(self._contents):
                yield (
                    content,
                    {
                        row: [results[i, j] for j in range(len(self.styles))]
                        for row, results in self._results.items()
                    },
                )


def encode(picture: np.ndarray, max_side: int = _THUMBNAIL, quality: int = 80) -> str:
    """Returns a picture as a data URI, in JPEG, made smaller where a side is longer than this."""
    image = Image.fromarray(np.rint(255 * picture).astype("uint8"))
    image.thumbnail((max_side, max_side))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
