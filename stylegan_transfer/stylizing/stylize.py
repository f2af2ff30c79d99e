"""Stylises pictures with a trained generator.

`stylize` does it in one call; `encode_style` and `stylize_with_code` are its two halves, for one
style and many photographs.
"""

import os
from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops
from PIL import Image

from stylegan_transfer.checks import expect
from stylegan_transfer.pictures.colors import fill_transparent, match_colors, transfer_luminance
from stylegan_transfer.pictures.inputs import resize_image, to_image
from stylegan_transfer.stylizing.painting import (
    TILE_SIZE,
    expect_style_generator,
    paint,
    resize_mask,
)

Picture = str | os.PathLike | Image.Image | np.ndarray

STYLE_SIZE = 384
PRESERVE_COLOR = (None, "luminance", "match")


def stylize(
    generator: keras.Model,
    content: Picture,
    style: Picture | Sequence[Picture],
    *,
    weights: Sequence[float] | None = None,
    fine_style: Picture | None = None,
    num_coarse_layers: int | None = None,
    masks: Sequence[Picture] | None = None,
    strength: float = 1.0,
    style_size: int = STYLE_SIZE,
    preserve_color: str | None = None,
    seed: int | None = 0,
    tileable: bool = False,
    tile_size: int = TILE_SIZE,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Returns the content picture painted in the style of the style picture, or of several.

    Args:
        generator: From `load_generator`.
        content: A path, a PIL image or an array: float in [0, 1] or uint8, `(height, width, 3)`,
            or with alpha `(height, width, 4)`. Sides of at least 32 pixels.
        style: The same; or several, which are mixed by `weights`, or put apart by `masks`.
        weights: The share of each style; they need not sum to 1. Default: equal shares.
        fine_style: A further style for the fine layers of the decoder: strokes and colours come
            from it, larger forms from `style`.
        num_coarse_layers: How many layers of the decoder keep `style` when there is a
            `fine_style`. Default: half of them.
        masks: One grey picture a style, resized to the content's size: where it is white, the
            content is painted in that style; where they are all black, it stays as it is.
        strength: From 0, the content picture itself, to 1, the full style. In between, the style
            code is a mixture of the content's own code and the style's, and what the generator
            misses in repainting the content as itself is put back in proportion.
        style_size: Short side in pixels at which styles are looked at: strokes are as large as
            they are at that size.
        preserve_color: `"luminance"`: the painting decides the luma alone, hue and saturation
            stay the content's. `"match"`: the style picture is given the content's mean colour
            and colour covariance before it is looked at. Default: the style's colours.
        seed: Seed of the noise from which the strokes of flat areas are made: each seed gives
            another painting of the same pair, and the same one each time. None: no noise,
            which leaves flat areas a more regular pattern. A generator with `noise=False` never
            gets any.
        tileable: Whether the result repeats without a seam, as the textures of games do. The
            content should repeat, too. Its sides must be multiples of 8.
        tile_size: A picture of more than `tile_size ** 2` pixels is painted in tiles of this
            side, a multiple of 8, with statistics taken from a thumbnail of so many pixels: the
            memory that it takes beyond the picture itself no longer grows.
        progress: Called as `progress(tiles_done, num_tiles)` after each tile, in two rounds for a
            strength below 1.

    Returns:
        float32 in [0, 1], of the content's size and number of channels; alpha is the content's.

    Raises:
        FileNotFoundError: A path does not exist.
        ValueError: A picture cannot be read or is too small, or an argument is out of its range.

    References:
        Gatys et al., "Preserving Color in Neural Artistic Style Transfer", 2016.
        Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
        Networks", CVPR 2019, section 3.1 (coarse and fine layers of two styles).
    """
    _check_options(strength, preserve_color, tile_size)
    content = to_image(content, keep_alpha=True)
    styles = [style] if isinstance(style, Picture) else list(style)
    fine = [] if fine_style is None else [fine_style]
    if preserve_color == "match":
        styles, fine = (
            [match_colors(to_image(s), content[..., :3]) for s in group] for group in (styles, fine)
        )
    if masks is None:
        codes = encode_style(generator, styles, style_size=style_size, weights=weights)
    else:
        expect(weights is None, "either weights or masks, not both", weights=weights)
        codes = [encode_style(generator, s, style_size=style_size) for s in styles]
    if fine:
        fine_code = encode_style(generator, fine, style_size=style_size)
        codes = (
            join_codes(generator, codes, fine_code, num_coarse_layers)
            if masks is None
            else [join_codes(generator, code, fine_code, num_coarse_layers) for code in codes]
        )
    return stylize_with_code(
        generator,
        content,
        codes,
        masks=masks,
        strength=strength,
        style_size=style_size,
        preserve_color="luminance" if preserve_color == "luminance" else None,
        seed=seed,
        tileable=tileable,
        tile_size=tile_size,
        progress=progress,
    )


def encode_style(
    generator: keras.Model,
    style: Picture | Sequence[Picture],
    *,
    style_size: int = STYLE_SIZE,
    weights: Sequence[float] | None = None,
) -> np.ndarray:
    """Returns the style code of one picture, or the weighted mean of the codes of several.

    Args:
        generator: As in `stylize`.
        style: As in `stylize`.
        style_size: As in `stylize`.
        weights: As in `stylize`.

    Returns:
        float32 `(1, code_size)`.
    """
    expect(style_size >= 32, "style_size of at least 32", style_size=style_size)
    styles = [style] if isinstance(style, Picture) else list(style)
    weights = np.ones(len(styles)) if weights is None else np.asarray(weights, "float64")
    expect(
        weights.shape == (len(styles),) and np.all(weights >= 0) and weights.sum() > 0,
        f"one weight of at least 0 for each of {len(styles)} styles, not all 0",
        weights=weights.tolist(),
    )
    total = 0.0
    for picture, weight in zip(styles, weights / weights.sum(), strict=True):
        small = resize_image(to_image(picture), short_side=style_size)
        total += weight * ops.convert_to_numpy(generator.encode_style(small[None]))
    return np.asarray(total, "float32")


def join_codes(generator: keras.Model, coarse, fine, num_coarse_layers: int | None = None):
    """Returns one code a layer: the coarse layers' from one style, the fine ones' from another.

    Args:
        generator: A `StyleGenerator`.
        coarse: `(1, code_size)`, from `encode_style`.
        fine: The same.
        num_coarse_layers: As in `stylize`.

    Returns:
        float32 `(1, num_layers, code_size)`.
    """
    expect_style_generator(generator, "codes for each layer")
    num_layers = generator.num_layers
    split = num_layers // 2 if num_coarse_layers is None else num_coarse_layers
    expect(0 <= split <= num_layers, f"0 to {num_layers} layers", num_coarse_layers=split)
    is_coarse = np.arange(num_layers)[None, :, None] < split
    return np.where(is_coarse, np.asarray(coarse)[:, None], np.asarray(fine)[:, None])


def stylize_with_code(
    generator: keras.Model,
    content: Picture,
    code,
    *,
    masks: Sequence[Picture] | None = None,
    strength: float = 1.0,
    style_size: int = STYLE_SIZE,
    preserve_color: str | None = None,
    seed: int | None = 0,
    tileable: bool = False,
    tile_size: int = TILE_SIZE,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Returns the content picture painted in the style of a code.

    Args:
        generator: As in `stylize`.
        content: As in `stylize`; or an array of several pictures of one size,
            `(batch, height, width, 3 or 4)`, which go through the network together.
        code: From `encode_style` or `join_codes`; for a batch one for all or one for each,
            concatenated. With masks a list of them, one for each mask.
        masks: As in `stylize`.
        strength: As in `stylize`.
        style_size: As in `stylize`; the size at which the content's own code is taken.
        preserve_color: None or `"luminance"`, as in `stylize`.
        seed: As in `stylize`.
        tileable: As in `stylize`.
        tile_size: As in `stylize`.
        progress: As in `stylize`.

    Returns:
        As `stylize`; for a batch a batch.

    Raises:
        ValueError: As in `stylize`.
    """
    _check_options(strength, preserve_color, tile_size)
    expect(preserve_color != "match", "stylize() for this", preserve_color=preserve_color)
    is_batch = isinstance(content, np.ndarray) and content.ndim == 4
    pictures = [to_image(c, keep_alpha=True) for c in (content if is_batch else [content])]
    pictures = np.stack(pictures) if len(pictures) > 1 else pictures[0][None]  # copies nothing
    if strength == 0.0:
        return pictures if is_batch else pictures[0]
    originals, alpha = pictures[..., :3], pictures[..., 3:]
    contents = originals
    if alpha.size:
        filled = [fill_transparent(*pair) for pair in zip(contents, alpha[..., 0], strict=True)]
        contents = np.stack(filled)
    coverage = None
    if masks is not None:
        masks, coverage = _prepare_masks(generator, masks, code, contents.shape[1:3])
        code = np.stack([np.asarray(c) for c in code], axis=1)
    codes = np.asarray(code)
    expect(len(codes) in (1, len(contents)), f"1 or {len(contents)} codes", codes=codes.shape)
    if len(codes) < len(contents):
        codes = np.repeat(codes, len(contents), axis=0)

    options = {"seed": seed, "tileable": tileable, "tile_size": tile_size, "progress": progress}
    if strength == 1.0:
        painted = paint(generator, contents, codes, masks, **options)
    else:
        own = [encode_style(generator, picture, style_size=style_size) for picture in contents]
        own = np.concatenate(own)
        missed = contents - paint(generator, contents, own, **options)
        own = np.expand_dims(own, tuple(range(1, 1 + codes.ndim - own.ndim)))
        painted = paint(generator, contents, own + strength * (codes - own), masks, **options)
        painted = np.clip(painted + (1.0 - strength) * missed, 0.0, 1.0)
    if preserve_color:
        painted = np.stack([transfer_luminance(*c) for c in zip(originals, painted, strict=True)])
    if coverage is not None:
        painted = originals + coverage[..., None] * (painted - originals)
    stylized = np.concatenate([painted, alpha], axis=-1) if alpha.size else painted
    return stylized if is_batch else stylized[0]


def _prepare_masks(generator, masks, codes, size):
    """Returns the shares of the styles `(1, styles, height, width)`, summing to 1, and how much of
    each pixel is painted at all, `(height, width)`."""
    expect_style_generator(generator, "masks")
    expect(len(masks) == len(codes), f"one mask for each of {len(codes)} styles", masks=len(masks))
    masks = np.stack([resize_mask(to_image(mask)[..., 0], size) for mask in masks])
    total = masks.sum(axis=0)
    shares = np.where(total > 0, masks / np.maximum(total, 1e-6), 1.0 / len(masks))
    return shares[None].astype("float32"), np.minimum(total, 1.0)


def _check_options(strength, preserve_color, tile_size):
    expect(0.0 <= strength <= 1.0, "strength in [0, 1]", strength=strength)
    expect(
        preserve_color in PRESERVE_COLOR, f"one of {PRESERVE_COLOR}", preserve_color=preserve_color
    )
    is_multiple = tile_size >= 64 and tile_size % 8 == 0
    expect(is_multiple, "tile_size of at least 64, a multiple of 8", tile_size=tile_size)
