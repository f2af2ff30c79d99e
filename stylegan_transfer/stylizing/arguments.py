"""The checks of what painting is given: the generator, numbers and codes."""

import numpy as np

from stylegan_transfer.checks import describe, expect, is_number, is_whole

MIN_SIZE = 32  # pixels, the shortest side that generators take
MAX_STYLE_SIZE = 16_384
MAX_TILE_SIZE = 16_384
PRESERVE_COLOR = (None, "luminance", "match")


def check_generator(generator) -> None:
    """Raises a `ValueError` unless this has what every generator has."""
    methods = (getattr(generator, name, None) for name in ("encode_style", "synthesize"))
    is_one = all(map(callable, methods)) and not isinstance(generator, type)
    if not (is_one and hasattr(generator, "noise")):
        raise ValueError(
            f"Expected a generator, from load_generator. Received: generator={describe(generator)}"
        )


def check_strength(strength) -> None:
    """Raises a `ValueError` unless this is a number from 0 to 1."""
    expect(is_number(strength, 0, 1), "strength in [0, 1]", strength=strength)


def check_preserve_color(preserve_color) -> None:
    """Raises a `ValueError` unless this is one of `PRESERVE_COLOR`."""
    is_known = isinstance(preserve_color, str | None) and preserve_color in PRESERVE_COLOR
    expect(is_known, f"one of {PRESERVE_COLOR}", preserve_color=preserve_color)


def check_style_size(style_size) -> None:
    """Raises a `ValueError` unless styles can be looked at in this size."""
    fits = is_whole(style_size, MIN_SIZE, MAX_STYLE_SIZE)
    limits = f"style_size of at least {MIN_SIZE} and at most {MAX_STYLE_SIZE}, a whole number"
    expect(fits, limits, style_size=style_size)


def check_painting(seed, tileable, tile_size, progress) -> None:
    """Raises a `ValueError` unless these options of painting are of their types and ranges."""
    is_multiple = is_whole(tile_size, 64, MAX_TILE_SIZE) and tile_size % 8 == 0
    limits = f"tile_size of at least 64 and at most {MAX_TILE_SIZE}, a multiple of 8"
    expect(is_multiple, limits, tile_size=tile_size)
    expect(seed is None or is_whole(seed), "seed: a whole number, or None", seed=seed)
    is_bool = isinstance(tileable, (bool, np.bool_))
    expect(is_bool, "tileable: True or False", tileable=tileable)
    is_callable = progress is None or callable(progress)
    expect(is_callable, "progress: a function, or None", progress=progress)


def as_code(generator, code, name: str = "code") -> np.ndarray:
    """Returns a style code as a float32 array.

    Args:
        generator: Whose code it is.
        code: Should be `(batch, code_size)`, or `(batch, num_layers, code_size)`.
        name: What the message calls it.

    Raises:
        ValueError: It has another shape, or something that is no finite number.
    """
    try:
        array = np.asarray(code, "float32") if not np.iscomplexobj(code) else np.zeros(0)
    except (ValueError, TypeError):
        array = np.zeros(0)
    size, layers = (getattr(generator, n, None) for n in ("length_of_codes", "num_layers"))
    fits = (
        array.ndim in (2, 3)
        and array.size > 0
        and size in (None, array.shape[-1])
        and (array.ndim == 2 or layers in (None, array.shape[1]))
    )
    shapes = f"(batch, {size or 'size'}) or (batch, {layers or 'layers'}, {size or 'size'})"
    expect(fits, f"{name} of shape {shapes}, from encode_style or join_codes", **{name: code})
    expect(np.isfinite(array).all(), f"{name} of finite numbers", **{name: code})
    return array
