"""Arranges contents, styles and results in one image."""

from collections.abc import Sequence

import numpy as np

from stylegan_transfer.checks import expect, is_whole
from stylegan_transfer.pictures.arrays import as_rgb_array, to_float
from stylegan_transfer.pictures.inputs import resize_image


def make_contact_sheet(
    contents: Sequence[np.ndarray],
    styles: Sequence[np.ndarray],
    results: Sequence[Sequence[np.ndarray]],
    cell_size: int = 256,
) -> np.ndarray:
    """Returns one image that shows every content (left) in every style (top).

    Images of any size are fitted into square cells, antialiased, on white.

    Args:
        contents: Images `(height, width, 3)`, float in [0, 1] or uint8; or one array of them.
        styles: The same.
        results: `results[i][j]` is content `i` in style `j`.
        cell_size: Side of a cell in pixels, 16 to 4,096.

    Returns:
        float32 `(height, width, 3)` in [0, 1]: `num_contents + 1` by `num_styles + 1` cells with
        gaps of `cell_size // 32` pixels between and around them.

    Raises:
        ValueError: The results do not match the contents and styles in number, one is no image,
            or the size is out of its range.

    Example:
        >>> import numpy as np
        >>> import stylegan_transfer
        >>> content, style = np.zeros((2, 48, 64, 3))
        >>> results = [[np.ones((48, 64, 3))]]
        >>> stylegan_transfer.make_contact_sheet([content], [style], results, cell_size=32).shape
        (67, 67, 3)
    """
    expect(is_whole(cell_size, 16, 4_096), "cell_size of 16 to 4096", cell_size=cell_size)
    for name, images in (("contents", contents), ("styles", styles), ("results", results)):
        is_several = isinstance(images, (Sequence, np.ndarray)) and len(images) > 0
        expect(is_several, f"{name}: a list of images, not empty", **{name: images})
    shape = [len(row) if isinstance(row, (Sequence, np.ndarray)) else None for row in results]
    fits = shape == [len(styles)] * len(contents)
    expect(fits, f"{len(contents)} rows of {len(styles)} results", results_per_row=shape)
    rows = [[None, *styles]] + [[c, *row] for c, row in zip(contents, results, strict=True)]
    gap = cell_size // 32
    pitch = cell_size + gap
    sheet = np.ones((len(rows) * pitch + gap, len(rows[0]) * pitch + gap, 3), np.float32)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            if (i, j) != (0, 0):
                _paste(sheet, image, gap + i * pitch, gap + j * pitch, cell_size)
    return sheet


def _paste(sheet: np.ndarray, image: np.ndarray, top: int, left: int, cell_size: int) -> None:
    image = to_float(as_rgb_array(image))
    scale = cell_size / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    top, left = top + (cell_size - height) // 2, left + (cell_size - width) // 2
    sheet[top : top + height, left : left + width] = resize_image(image, size=(height, width))
