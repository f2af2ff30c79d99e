"""Contents, as the network sees them and as it repaints them."""

import dataclasses
from collections.abc import Callable

import numpy as np

from stylegan_transfer.checks import expect
from stylegan_transfer.pictures.arrays import split_alpha
from stylegan_transfer.pictures.colors import fill_transparent
from stylegan_transfer.pictures.inputs import to_image
from stylegan_transfer.pictures.picture import ImageLike
from stylegan_transfer.stylizing.arguments import (
    check_generator,
    check_painting,
    check_style_size,
)
from stylegan_transfer.stylizing.codes import STYLE_SIZE, encode_style
from stylegan_transfer.stylizing.painting import TILE_SIZE, Generator, paint


@dataclasses.dataclass(frozen=True, eq=False)
class Repainting:
    """What the generator makes of contents in their own style.

    Args:
        codes: The contents' own style codes, `(batch, code_size)`.
        missed: What is missing from the contents when they are painted with these codes: content
            minus painting, `(batch, height, width, 3)`.
    """

    codes: np.ndarray
    missed: np.ndarray


def repaint(
    generator: Generator,
    content: ImageLike,
    *,
    style_size: int = STYLE_SIZE,
    seed: int | None = 0,
    tileable: bool = False,
    tile_size: int = TILE_SIZE,
    progress: Callable[[int, int], None] | None = None,
) -> Repainting:
    """Returns what a strength below 1 needs of a content, whatever the style and the strength.

    Painting one content in many styles, one computes it once and hands it to each call of
    `stylize_with_code`, with the same options.

    Args:
        generator: From `load_generator`.
        content: A path, a PIL image, a `Picture` or an array: float in [0, 1] or uint8,
            `(height, width, 3 or 4)`; or an array of several, `(batch, height, width, 3 or 4)`.
        style_size: Short side in pixels at which the content's own style is looked at.
        seed: Seed of the noise; None: no noise.
        tileable: Whether the result repeats without a seam.
        tile_size: A picture of more than `tile_size ** 2` pixels is painted in tiles.
        progress: Called as `progress(tiles_done, num_tiles)` after each tile.

    Returns:
        A `Repainting`.

    Raises:
        ValueError: A picture cannot be read or is too small, or an argument is out of its range.
    """
    check_generator(generator)
    check_style_size(style_size)
    check_painting(seed, tileable, tile_size, progress)
    contents = fill_contents(load_contents(content))
    options = {"seed": seed, "tileable": tileable, "tile_size": tile_size, "progress": progress}
    return repaint_contents(generator, contents, style_size, **options)


def repaint_contents(
    generator: Generator, contents: np.ndarray, style_size: int, **options
) -> Repainting:
    """Returns the `Repainting` of `(batch, height, width, 3)`; options as `paint` takes them."""
    codes = np.concatenate([encode_style(generator, c, style_size=style_size) for c in contents])
    return Repainting(codes, contents - paint(generator, contents, codes, **options))


def is_batch(content) -> bool:
    """Whether this is an array of several pictures."""
    return isinstance(content, np.ndarray) and content.ndim == 4


def load_contents(content: ImageLike) -> np.ndarray:
    """Returns one picture or a batch as float32 `(batch, height, width, 3 or 4)` in [0, 1]."""
    contents = content if is_batch(content) else [content]
    expect(len(contents) > 0, "at least one content", content=getattr(content, "shape", None))
    pictures = [to_image(c, keep_alpha=True) for c in contents]
    return np.stack(pictures) if len(pictures) > 1 else pictures[0][None]  # copies nothing


def fill_contents(pixels: np.ndarray) -> np.ndarray:
    """Returns the RGB of `(batch, height, width, 3 or 4)`, with no colours under transparency but
    those of the visible parts."""
    colors, alpha = split_alpha(pixels)
    if not alpha.size:
        return colors
    return np.stack([fill_transparent(*pair) for pair in zip(colors, alpha[..., 0], strict=True)])
