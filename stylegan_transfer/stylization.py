"""Stylises pictures with a trained generator."""

import os

import keras
import numpy as np
from keras import ops
from PIL import Image

from stylegan_transfer.images import resize_image, to_image

Picture = str | os.PathLike | Image.Image | np.ndarray


def stylize(
    generator: keras.Model,
    content: Picture,
    style: Picture,
    *,
    strength: float = 1.0,
    style_size: int = 256,
) -> np.ndarray:
    """Returns the content picture painted in the style of the style picture.

    Args:
        generator: From `load_generator`.
        content: A path, a PIL image or an array: float in [0, 1] or uint8,
            `(height, width, 3)`. Sides of at least 32 pixels.
        style: The same.
        strength: From 0, the content picture itself, to 1, the full style. In between, the style
            code is a mixture of the content's own code and the style's, and what the generator
            misses in repainting the content as itself is put back in proportion.
        style_size: Short side in pixels at which the style is looked at: its strokes are as large
            as they are at that size.

    Returns:
        float32 RGB in [0, 1], of the content's size.

    Raises:
        FileNotFoundError: A path does not exist.
        ValueError: A picture cannot be read, is too small, or `strength` is out of range.
    """
    code = encode_style(generator, style, style_size)
    return stylize_with_code(generator, content, code, strength=strength, style_size=style_size)


def encode_style(generator: keras.Model, style: Picture, style_size: int = 256):
    """Returns the style code of one picture, to be used for many content pictures.

    Args:
        generator: From `load_generator`.
        style: As in `stylize`.
        style_size: As in `stylize`.
    """
    if style_size < 32:
        raise ValueError(f"Expected style_size of at least 32. Received: style_size={style_size}")
    return generator.encode_style(resize_image(to_image(style), short_side=style_size)[None])


def stylize_with_code(
    generator: keras.Model,
    content: Picture,
    code,
    *,
    strength: float = 1.0,
    style_size: int = 256,
) -> np.ndarray:
    """Returns the content picture painted in the style of a code from `encode_style`.

    Args:
        generator: From `load_generator`.
        content: As in `stylize`.
        code: From `encode_style`.
        strength: As in `stylize`.
        style_size: As in `stylize`; the size at which the content's own code is taken.

    Returns:
        As `stylize`.
    """
    if not 0.0 <= strength <= 1.0:
        raise ValueError(f"Expected strength in [0, 1]. Received: strength={strength}")
    content = to_image(content)
    if strength == 0.0:
        return content
    if strength == 1.0:
        return _synthesize(generator, content, code)
    own = encode_style(generator, content, style_size)
    painted = _synthesize(generator, content, own + strength * (code - own))
    missed = content - _synthesize(generator, content, own)
    return np.clip(painted + (1.0 - strength) * missed, 0.0, 1.0)


def _synthesize(generator, content, code):
    return ops.convert_to_numpy(generator.synthesize(content[None], code))[0]
