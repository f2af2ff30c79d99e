"""A picture with all that its file holds, and what else counts as an image."""

import dataclasses
import os

import numpy as np
from PIL import Image

from stylegan_transfer.checks import expect, is_whole
from stylegan_transfer.pictures.arrays import as_rgb_array


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

    Raises:
        ValueError: A shape or type is another.

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

    def __post_init__(self):
        shape = as_rgb_array(self.image).shape[:2]
        fits = self.alpha is None or np.shape(self.alpha) == shape
        expect(fits, f"alpha of shape {shape}, or None", alpha=self.alpha)
        expect(is_whole(self.bits) and self.bits in (8, 16), "bits of 8 or 16", bits=self.bits)
        for name in ("icc_profile", "exif"):
            data = getattr(self, name)
            expect(data is None or isinstance(data, bytes), f"{name} of bytes", **{name: data})

    @property
    def pixels(self) -> np.ndarray:
        """The image, with alpha as a fourth channel if there is any."""
        return self.image if self.alpha is None else np.dstack([self.image, self.alpha])


ImageLike = str | os.PathLike | Image.Image | np.ndarray | Picture
