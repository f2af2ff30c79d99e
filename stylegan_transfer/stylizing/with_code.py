"""Paints contents in styles that are already codes."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from stylegan_transfer.checks import expect
from stylegan_transfer.pictures.arrays import split_alpha
from stylegan_transfer.pictures.colors import transfer_luminance
from stylegan_transfer.pictures.inputs import to_images, to_mask
from stylegan_transfer.pictures.picture import ImageLike, Picture
from stylegan_transfer.stylizing.arguments import (
    as_code,
    check_generator,
    check_painting,
    check_preserve_color,
    check_strength,
    check_style_size,
)
from stylegan_transfer.stylizing.codes import STYLE_SIZE
from stylegan_transfer.stylizing.contents import (
    Repainting,
    fill_contents,
    is_batch,
    load_contents,
    repaint_contents,
)
from stylegan_transfer.stylizing.painting import (
    TILE_SIZE,
    Generator,
    expect_style_generator,
    paint,
    resize_mask,
)


def stylize_with_code(
    generator: Generator,
    content: ImageLike,
    code: np.ndarray | Sequence[np.ndarray],
    *,
    masks: Sequence[ImageLike] | None = None,
    strength: float = 1.0,
    style_size: int = STYLE_SIZE,
    preserve_color: str | None = None,
    seed: int | None = 0,
    tileable: bool = False,
    tile_size: int = TILE_SIZE,
    progress: Callable[[int, int], None] | None = None,
    repainting: Repainting | Sequence[Repainting] | None = None,
    refiner: Callable[..., np.ndarray] | None = None,
) -> np.ndarray | Picture:
    """Returns the content picture painted in the style of a code.

    Args:
        generator: From `load_generator`.
        content: A path, a PIL image, a `Picture` or an array: float in [0, 1] or uint8,
            `(height, width, 3)`, or with alpha `(height, width, 4)`. Sides of at least 32 pixels.
            Or an array of several pictures of one size, `(batch, height, width, 3 or 4)`, which
            go through the network together.
        code: From `encode_style` or `join_codes`; for a batch one for all or one for each,
            concatenated. With masks a list of them, one for each mask.
        masks: One grey picture a code, resized to the content's size: where it is white, the
            content is painted in that style; where they are all black, it stays as it is.
        strength: From 0, the content picture itself, to 1, the full style. In between, the code
            is mixed with the content's own.
        style_size: Short side in pixels at which the content's own code is taken, for a strength
            in between.
        preserve_color: None or `"luminance"`: the painting decides the luma alone, hue and
            saturation stay the content's. (For `"match"`, see `match` of `encode_style`.)
        seed: Seed of the noise from which the strokes of flat areas are made. None: no noise.
        tileable: Whether the result repeats without a seam. The content should repeat, too; its
            sides must be multiples of the generator's largest stride, 8 or 16.
        tile_size: A picture of more than `tile_size ** 2` pixels is painted in tiles of this
            side, a multiple of the generator's largest stride and at least 64.
        progress: Called as `progress(tiles_done, num_tiles)` after each tile; in two rounds for a
            strength in between without a `repainting`.
        repainting: From `repaint`, for the same content and options: what a strength in between
            needs of the content, to be computed once for many styles. For a batch, one of the
            batch or a list with one for each picture. Default: it is computed.
        refiner: From `load_refiner`, for the code's style: refines what the generator painted.

    Returns:
        float32 in [0, 1], of the content's size and number of channels; alpha is the content's.
        For a batch a batch, for a `Picture` a `Picture` with another image.

    Raises:
        FileNotFoundError: A path does not exist.
        ValueError: A picture cannot be read or is too small, an argument is out of its range, or
            codes, masks and contents do not fit in number.

    Example:
        >>> import stylegan_transfer
        >>> from stylegan_transfer import samples
        >>> generator = stylegan_transfer.StyleGenerator(width=4, num_blocks=1)  # untrained
        >>> style = samples.draw_style("swirls", 64)
        >>> code = stylegan_transfer.encode_style(generator, style, style_size=64)
        >>> for name in ("harbour", "city"):
        ...     content = samples.draw_content(name, 64)
        ...     stylized = stylegan_transfer.stylize_with_code(generator, content, code)
    """
    check_generator(generator)
    check_strength(strength)
    check_preserve_color(preserve_color)
    check_painting(seed, tileable, tile_size, progress)
    check_style_size(style_size)
    takes = "None or luminance here, where encode_style or stylize match"
    expect(preserve_color != "match", takes, preserve_color=preserve_color)
    if masks is None:
        code = as_code(generator, code)
    else:
        expect(isinstance(code, (Sequence, np.ndarray)), "code: one for each mask", code=code)
        code = [as_code(generator, c) for c in code]
    pixels = load_contents(content)
    if strength > 0.0:
        options = {"seed": seed, "tileable": tileable, "tile_size": tile_size, "progress": progress}
        contents = fill_contents(pixels)
        coverage = None
        if masks is not None:
            masks, coverage = _prepare_masks(generator, masks, code, contents.shape[1:3])
            shapes = {c.shape for c in code}
            expect(len(shapes) == 1, "codes of one shape", code=sorted(shapes))
            code = np.stack(code, axis=1)
        codes = _one_for_each(code, len(contents))
        if strength == 1.0:
            painted = paint(generator, contents, codes, masks, **options)
        else:
            if repainting is None:
                repainting = repaint_contents(generator, contents, style_size, **options)
            own, missed = _join_repaintings(repainting, contents.shape)
            own = np.expand_dims(own, tuple(range(1, 1 + codes.ndim - own.ndim)))
            painted = paint(generator, contents, own + strength * (codes - own), masks, **options)
            painted = np.clip(painted + (1.0 - strength) * missed, 0.0, 1.0)
        if refiner is not None:
            del options["seed"]
            regions = None if masks is None else masks[0]
            pairs = zip(painted, contents, strict=True)
            painted = np.stack([refiner(*p, regions, strength=strength, **options) for p in pairs])
        pixels = _finish(painted, pixels, preserve_color, coverage)
    return pixels if is_batch(content) else as_content(content, pixels[0])


def _finish(painted, pixels, preserve_color, coverage):
    """Puts back what the painting does not decide: colours, what no mask covers, and alpha."""
    originals, alpha = split_alpha(pixels)
    if preserve_color:
        painted = np.stack([transfer_luminance(*c) for c in zip(originals, painted, strict=True)])
    if coverage is not None:
        painted = originals + coverage[..., None] * (painted - originals)
    return np.concatenate([painted, alpha], axis=-1) if alpha.size else painted


def as_content(content, stylized):
    """Returns stylized pixels, `(height, width, 3 or 4)`, as the same kind of thing as the content:
    for a `Picture` a `Picture` with that image."""
    is_picture = isinstance(content, Picture)
    return dataclasses.replace(content, image=stylized[..., :3]) if is_picture else stylized


def _one_for_each(code, num_contents):
    codes = np.asarray(code)
    expect(len(codes) in (1, num_contents), f"1 or {num_contents} codes", codes=codes.shape)
    return codes if len(codes) == num_contents else np.repeat(codes, num_contents, axis=0)


def _join_repaintings(repainting, shape):
    """The contents' own codes, and what their repaintings miss, of that shape."""
    parts = [repainting] if isinstance(repainting, Repainting) else repainting
    if len(parts) == 1:
        own, missed = parts[0].codes, parts[0].missed
    else:
        own = np.concatenate([part.codes for part in parts])
        missed = np.concatenate([part.missed for part in parts])
    expect(missed.shape == shape, f"repainting of shape {shape}", repainting=missed.shape)
    return own, missed


def _prepare_masks(generator, masks, codes, size):
    """Returns the shares of the styles `(1, styles, height, width)`, summing to 1, and how much of
    each pixel is painted at all, `(height, width)`."""
    expect_style_generator(generator, "masks")
    masks = to_images(masks, "masks")
    expect(len(masks) == len(codes), f"one mask for each of {len(codes)} styles", masks=len(masks))
    masks = np.stack([resize_mask(to_mask(mask), size) for mask in masks])
    total = masks.sum(axis=0)
    shares = np.where(total > 0, masks / np.maximum(total, 1e-6), 1.0 / len(masks))
    return shares[None].astype("float32"), np.minimum(total, 1.0)
