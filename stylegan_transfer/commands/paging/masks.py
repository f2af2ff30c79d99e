"""What the brush of the page has painted, as a mask."""

import os
from collections.abc import Sequence

import numpy as np

from stylegan_transfer.checks import expect
from stylegan_transfer.pictures.files import load_picture

_MAX_PIXELS = 2**22  # of a canvas


def read_mask(layers: Sequence[str | os.PathLike]) -> np.ndarray | None:
    """Returns where the brush has been: how opaque the layers of a canvas are.

    Args:
        layers: Files of one size, transparent where nothing is painted.

    Returns:
        float32 `(height, width)` in [0, 1]; None if nothing is painted.

    Raises:
        ValueError: A layer cannot be read, or they differ in size.
    """
    pictures = [load_picture(layer, "the brush's layer", _MAX_PIXELS) for layer in layers]
    opacities = [
        np.ones(picture.image.shape[:2], "float32") if picture.alpha is None else picture.alpha
        for picture in pictures
    ]
    shapes = {opacity.shape for opacity in opacities}
    expect(len(shapes) <= 1, "layers of one size", layers=shapes)
    mask = np.max(opacities, axis=0) if opacities else np.zeros(())
    return mask if mask.any() else None
