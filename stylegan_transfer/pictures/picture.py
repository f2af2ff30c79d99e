"""A picture with all that its file holds, and what else counts as an image."""

import dataclasses
import os

import numpy as np
from PIL import Image


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """An image with what else its file holds, so that it can be saved as the same kind of file.

    `load_picture` makes one, `stylize` paints it, `save_picture` writes it.

    Args:
        image: float32 sRGB in [0, 1], `(height, width, 3)`, upright.
        alpha: Opacity, float32 in [0, 1], `(height, width)`. Default: None, opaque.
        is_grey: Whether the file has one channel of grey instead of three of colour.
        bits: 8 or 16, of each channel in the file.
        icc_profile: The sRGB profile if the file had any profile. Default: None, which writes
            none.
        exif: The EXIF block with date, camera, place, copyright and so on, but without
            orientation and thumbnail. Default: None.

    Example:
        >>> import numpy as np
        >>> from stylegan_transfer import Picture
        >>> sprite = Picture(np.zeros((32, 48, 3)), alpha=np.ones((32, 48)), bits=16)
        >>> sprite.pixels.shape
        (32, 48, 4)
    """

    image: np.ndarray
    alpha: np.ndarray | None = None
    is_grey: bool = False
    bits: int = 8
    icc_profile: bytes | None = None
    exif: bytes | None = None

    @property
    def pixels(self) -> np.ndarray:
        """The image, with alpha as a fourth channel if there is any."""
        return self.image if self.alpha is None else np.dstack([self.image, self.alpha])


ImageLike = str | os.PathLike | Image.Image | np.ndarray | Picture
