"""Paints batches of any size: in one pass, or in tiles whose memory does not grow."""

import numpy as np
import tensorflow as tf
from keras import ops
from PIL import Image

from stylegan_transfer.networks.generator import MIN_SIZE
from stylegan_transfer.pictures.inputs import resize_image
from stylegan_transfer.stylizing.tiling import make_tiles

TILE_SIZE = 1024


def paint(
    generator,
    contents,
    codes,
    masks=None,
    *,
    seed=None,
    tileable=False,
    tile_size=TILE_SIZE,
    progress=None,
):
    """Returns the contents painted by the generator.

    Args:
        generator: From `load_generator`.
        contents: float32 `(batch, height, width, 3)` in [0, 1].
        codes: As `generator.synthesize` takes them.
        masks: float32 `(1, styles, height, width)`, summing to 1 over styles; or None.
        seed: Seed of the noise; None: no noise. A generator trained without it gets none.
        tileable: Whether the results repeat without a seam.
        tile_size: Contents of more than `tile_size ** 2` pixels are painted in tiles.
        progress: Called as `progress(tiles_done, num_tiles)`, or None.

    Returns:
        float32, of the contents' shape.

    Raises:
        ValueError: Contents with a side under 32 pixels, tileable ones whose sides are not
            multiples of 8, or a generator without the part that an argument asks for.
    """
    height, width = contents.shape[1:3]
    if min(height, width) < MIN_SIZE:
        raise ValueError(
            f"Expected contents with sides of at least {MIN_SIZE} pixels. "
            f"Received: {width} x {height} pixels"
        )
    noise = None
    if seed is not None and generator.noise:
        noise = [ops.convert_to_numpy(n) for n in generator.draw_noise(1, height, width, seed)]
    if not tileable:
        return _paint(generator, contents, codes, masks, noise, tile_size, progress)
    if height % 8 or width % 8:
        raise ValueError(
            "Expected sides that are multiples of 8 for a tileable texture. "
            f"Received: {width} x {height} pixels"
        )
    # As a part of an endless repetition: with a margin, which is then cut off.
    margin = expect_style_generator(generator, "tileable=True").receptive_radius
    canvas = _repeat(contents, 1, margin)
    masks = None if masks is None else _repeat(masks, 2, margin)
    if noise is not None:
        margins = [margin // stride for stride in generator.strides]
        noise = [_repeat(maps, 1, m) for maps, m in zip(noise, margins, strict=True)]
    painted = _paint(generator, canvas, codes, masks, noise, tile_size, progress)
    return painted[:, margin:-margin, margin:-margin]


def _repeat(maps, axis, margin):
    padding = [(0, 0)] * maps.ndim
    padding[axis] = padding[axis + 1] = (margin, margin)
    return np.pad(maps, padding, mode="wrap")


def _paint(generator, contents, codes, masks, noise, tile_size, progress):
    height, width = contents.shape[1:3]
    if height * width <= tile_size**2 or not is_style_generator(generator):
        return ops.convert_to_numpy(synthesize(generator, contents, codes, masks, noise))
    moments = thumbnail_moments(generator, contents, codes, masks, tile_size)
    tiles = make_tiles(height, width, tile_size, generator.receptive_radius)
    painted = np.empty_like(contents)
    for done, tile in enumerate(tiles, start=1):
        part = synthesize(
            generator,
            _cut(contents, 1, tile.outer),
            codes,
            _cut(masks, 2, tile.outer),
            _cut_noise(noise, generator.strides, tile.outer),
            moments=moments,
        )
        _cut(painted, 1, tile.inner)[...] = _cut(ops.convert_to_numpy(part), 1, tile.crop)
        if progress is not None:
            progress(done, len(tiles))
    return painted


def thumbnail_moments(generator, contents, codes, masks=None, tile_size=TILE_SIZE):
    """Returns the statistics of all normalizations when thumbnails of the contents, of
    `tile_size ** 2` pixels, are painted."""
    scale = tile_size / np.sqrt(contents.shape[1] * contents.shape[2])
    size = tuple(max(32, round(side * scale)) for side in contents.shape[1:3])
    thumbnails = np.stack([resize_image(content, size=size) for content in contents])
    if masks is not None:
        masks = np.stack([[resize_mask(mask, size) for mask in masks[0]]])
    return synthesize(generator, thumbnails, codes, masks, return_moments=True)[1]


def synthesize(generator, contents, codes, masks=None, noise=None, **options):
    """Returns what `generator.synthesize` does, as a graph: compiled at the first call for one
    size, at the second for all, and kept on the generator."""
    if not hasattr(generator, "compiled_synthesize"):
        generator.compiled_synthesize = tf.function(generator.synthesize, reduce_retracing=True)
    if is_style_generator(generator):
        # All codes in their longest form: a graph that serves several ranks knows none.
        codes = np.asarray(codes)
        if codes.ndim == (2 if masks is None else 3):
            codes = np.repeat(codes[..., None, :], generator.num_layers, axis=-2)
    if masks is not None:
        masks = np.broadcast_to(masks, (len(contents), *masks.shape[1:]))
    options |= {"masks": masks, "noise": noise}
    given = {name: value for name, value in options.items() if value is not None}
    return generator.compiled_synthesize(contents, codes, **given)


def resize_mask(mask, size):
    """Returns a `(height, width)` mask in another size, antialiased."""
    if mask.shape == tuple(size):
        return mask
    image = Image.fromarray(mask.astype("float32"))
    return np.asarray(image.resize(size[::-1], Image.Resampling.BILINEAR))


def is_style_generator(generator) -> bool:
    """Whether the generator takes masks, moments and a code for each layer."""
    return hasattr(generator, "receptive_radius")


def expect_style_generator(generator, purpose):
    """Returns the generator; a `ValueError` if it has not what `purpose` needs."""
    if not is_style_generator(generator):
        kind = type(generator).__name__
        raise ValueError(f"Expected a StyleGenerator for {purpose}. Received: a {kind}")
    return generator


def _cut(maps, axis, box):
    return None if maps is None else maps[(slice(None),) * axis + box]


def _cut_noise(noise, strides, box):
    """The noise of a tile that begins at multiples of 8."""
    if noise is None:
        return None
    return [
        _cut(maps, 1, tuple(slice(s.start // n, -(-s.stop // 8) * 8 // n) for s in box))
        for maps, n in zip(noise, strides, strict=True)
    ]
