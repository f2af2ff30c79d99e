"""What the brush of the page has painted, as a mask."""

import io
from collections.abc import Sequence

import numpy as np

from stylegan_transfer.pictures.arrays import split_image, to_float
from stylegan_transfer.pictures.decoding import decode_file

_MAX_PIXELS = 2**22  # of a canvas


def read_mask(layers: Sequence[bytes | None]) -> np.ndarray | None:
    """Returns where the brush has been: how opaque the layers of a canvas are.

    Args:
        layers: Encoded pictures of one size, transparent where nothing is painted.

    Returns:
        float32 `(height, width)` in [0, 1]; None if nothing is painted.

    Raises:
        ValueError: A layer cannot be read, or they differ in size.
    """
    opacities = [_read_opacity(layer) for layer in layers if layer]
    if len({opacity.shape for opacity in opacities}) > 1:
        raise ValueError(
            "Expected layers of one size. "
            f"Received: {', '.join(str(opacity.shape) for opacity in opacities)}"
        )
    if not opacities:
        return None
    mask = np.max(opacities, axis=0)
    return mask if mask.any() else None


def _read_opacity(layer):
    pixels, _ = decode_file(io.BytesIO(layer), "what the brush painted", max_pixels=_MAX_PIXELS)
    color, alpha = split_image(to_float(pixels))
    return np.ones(color.shape[:2], "float32") if alpha is None else alpha
