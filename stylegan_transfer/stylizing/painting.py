"""Paints batches of any size: in one pass, or in tiles whose memory does not grow.

Neither TensorFlow nor Keras is imported here: the generator may run on anything that takes and
gives arrays.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from PIL import Image

from stylegan_transfer.checks import expect
from stylegan_transfer.pictures.arrays import resize_channels
from stylegan_transfer.pictures.inputs import resize_image
from stylegan_transfer.stylizing.arguments import MIN_SIZE
from stylegan_transfer.stylizing.noise import cut_noise, draw_noise
from stylegan_transfer.stylizing.tiling import make_tiles

TILE_SIZE = 1024


class Generator(Protocol):
    """What paints: a generator of `networks`, an exported one, or anything else that has these.

    `compiled_synthesize`, where there is one, is called in place of `synthesize`. Masks, moments,
    a code for each layer and tiles need what a `StyleGenerator` and a `TransportGenerator` have
    besides: `num_layers` and `receptive_radius`.
    """

    noise: bool
    strides: Sequence[int]

    def encode_style(self, style): ...

    def synthesize(self, content, codes, **options): ...


def paint(
    generator: Generator,
    contents: np.ndarray,
    codes,
    masks: np.ndarray | None = None,
    *,
    seed: int | None = None,
    tileable: bool = False,
    tile_size: int = TILE_SIZE,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
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
            multiples of the generator's largest stride, or a generator without the part that an
            argument asks for.
    """
    height, width = contents.shape[1:3]
    is_large = min(height, width) >= MIN_SIZE
    expect(is_large, f"sides of at least {MIN_SIZE} pixels", height=height, width=width)
    noise = _draw_noise(generator, height, width, seed)
    options = {"seed": seed, "tile_size": tile_size, "progress": progress}
    if not tileable:
        return _paint(generator, contents, codes, masks, noise, **options)
    multiple = max(expect_style_generator(generator, "tileable=True").strides)
    is_multiple = height % multiple == 0 and width % multiple == 0
    sides = f"sides in multiples of {multiple} for tileable=True"
    expect(is_multiple, sides, height=height, width=width)
    # As a part of an endless repetition: with a margin, which is then cut off.
    margin = generator.receptive_radius
    canvas = _repeat(contents, 1, margin)
    masks = None if masks is None else _repeat(masks, 2, margin)
    if noise is not None:
        margins = [margin // stride for stride in generator.strides]
        noise = [_repeat(maps, 1, m) for maps, m in zip(noise, margins, strict=True)]
    painted = _paint(generator, canvas, codes, masks, noise, **options)
    return painted[:, margin:-margin, margin:-margin]


def _repeat(maps, axis, margin):
    padding = [(0, 0)] * maps.ndim
    padding[axis] = padding[axis + 1] = (margin, margin)
    return np.pad(maps, padding, mode="wrap")


def _draw_noise(generator, height, width, seed):
    if seed is None or not generator.noise:
        return None
    return draw_noise(generator.strides, height, width, seed)


def _paint(generator, contents, codes, masks, noise, seed, tile_size, progress):
    height, width = contents.shape[1:3]
    if height * width <= tile_size**2 or not is_style_generator(generator):
        return to_numpy(synthesize(generator, contents, codes, masks, noise))
    multiple = max(generator.strides)
    fits = tile_size % multiple == 0
    expect(fits, f"tile_size in multiples of {multiple}", tile_size=tile_size)
    moments = thumbnail_moments(generator, contents, codes, masks, seed=seed, tile_size=tile_size)
    tiles = make_tiles(height, width, tile_size, generator.receptive_radius, multiple)
    painted = np.empty_like(contents)
    for done, tile in enumerate(tiles, start=1):
        part = synthesize(
            generator,
            _cut(contents, 1, tile.outer),
            codes,
            _cut(masks, 2, tile.outer),
            cut_noise(noise, generator.strides, tile.outer),
            moments=moments,
        )
        _cut(painted, 1, tile.inner)[...] = _cut(to_numpy(part), 1, tile.crop)
        if progress is not None:
            progress(done, len(tiles))
    return painted


def thumbnail_moments(
    generator: Generator,
    contents: np.ndarray,
    codes,
    masks: np.ndarray | None = None,
    *,
    seed: int | None = None,
    tile_size: int = TILE_SIZE,
) -> list:
    """Returns the statistics of all normalizations when thumbnails of the contents are painted.

    The thumbnails get noise, too: noise of their own size, because it has as much variance in
    each layer at any size, while noise that is resized with the picture would lose it.

    Args:
        generator: A `StyleGenerator` or a `TransportGenerator`.
        contents: float32 `(batch, height, width, 3)` in [0, 1].
        codes: As `generator.synthesize` takes them.
        masks: float32 `(1, styles, height, width)`, summing to 1 over styles; or None.
        seed: Seed of the noise; None: no noise.
        tile_size: A thumbnail has `tile_size ** 2` pixels.

    Returns:
        A list, as `generator.synthesize` takes it for `moments`.
    """
    scale = tile_size / np.sqrt(contents.shape[1] * contents.shape[2])
    size = tuple(max(MIN_SIZE, round(side * scale)) for side in contents.shape[1:3])
    thumbnails = np.stack([resize_image(content, size=size) for content in contents])
    if masks is not None:
        masks = np.stack([[resize_mask(mask, size) for mask in masks[0]]])
    noise = _draw_noise(generator, *size, seed)
    return synthesize(generator, thumbnails, codes, masks, noise, return_moments=True)[1]


def synthesize(generator: Generator, contents, codes, masks=None, noise=None, **options):
    """Returns what `generator.synthesize` does, compiled where the generator can compile it.

    Args:
        generator: The generator.
        contents: float32 `(batch, height, width, 3)` in [0, 1].
        codes: As `generator.synthesize` takes them.
        masks: float32 `(1 or batch, styles, height, width)`, summing to 1 over styles; or None.
        noise: From `draw_noise`; or None.
        options: `moments` and `return_moments`, as `generator.synthesize` takes them.

    Returns:
        Tensors of the generator's framework.
    """
    if is_style_generator(generator):
        # All codes in their longest form: a graph that serves several ranks knows none.
        codes = np.asarray(codes)
        if codes.ndim == (2 if masks is None else 3):
            codes = np.repeat(codes[..., None, :], generator.num_layers, axis=-2)
    if masks is not None:
        masks = np.broadcast_to(masks, (len(contents), *masks.shape[1:]))
    options |= {"masks": masks, "noise": noise}
    given = {name: value for name, value in options.items() if value is not None}
    run = getattr(generator, "compiled_synthesize", generator.synthesize)
    return run(contents, codes, **given)


def to_numpy(tensor) -> np.ndarray:
    """Returns a tensor of any framework as an array."""
    if hasattr(tensor, "detach"):  # PyTorch: it may be on a device, or part of a gradient
        tensor = tensor.detach().cpu()
    return np.asarray(tensor)


def resize_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns a `(height, width)` mask in another size, antialiased, without overshoot."""
    if mask.shape == tuple(size):
        return mask
    return resize_channels(mask[..., None], size, Image.Resampling.BILINEAR)[..., 0]


def is_style_generator(generator: Generator) -> bool:
    """Whether the generator takes masks, moments and a code for each layer."""
    return hasattr(generator, "receptive_radius")


def expect_style_generator(generator: Generator, purpose: str) -> Generator:
    """Returns the generator; a `ValueError` unless it is one that `purpose` needs."""
    kind = type(generator).__name__
    needed = f"a StyleGenerator or TransportGenerator for {purpose}"
    expect(is_style_generator(generator), needed, generator=kind)
    return generator


def _cut(maps, axis, box):
    return None if maps is None else maps[(slice(None),) * axis + box]
