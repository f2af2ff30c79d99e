"""Codes of styles: of one picture, of several in one, of one for each layer."""

from collections.abc import Iterator, Sequence

import numpy as np

from stylegan_transfer.checks import expect, is_number, is_whole
from stylegan_transfer.pictures.arrays import split_alpha
from stylegan_transfer.pictures.colors import match_colors
from stylegan_transfer.pictures.inputs import resize_style, to_image, to_images
from stylegan_transfer.pictures.picture import ImageLike
from stylegan_transfer.stylizing.arguments import as_code, check_generator, check_style_size
from stylegan_transfer.stylizing.painting import Generator, expect_style_generator, to_numpy

STYLE_SIZE = 384
_READ_FACTOR = 8  # a larger file is made smaller while it is read: it would take gigabytes


def encode_style(
    generator: Generator,
    style: ImageLike | Sequence[ImageLike],
    *,
    style_size: int = STYLE_SIZE,
    weights: Sequence[float] | None = None,
    match: ImageLike | None = None,
) -> np.ndarray:
    """Returns the style code of one picture, or the weighted mean of the codes of several.

    Args:
        generator: From `load_generator`.
        style: A path, a PIL image, a `Picture` or an array: float in [0, 1] or uint8,
            `(height, width, 3)`; or a list of several.
        style_size: Short side in pixels at which styles are looked at: strokes are as large as
            they are at that size. At least 32. Of a picture of more than 16 to 1 the middle is
            looked at, and no picture in more than 16 megapixels.
        weights: The share of each style, at least 0; they need not sum to 1. Default: equal
            shares.
        match: A content picture. Each style is given its mean colour and colour covariance
            before it is looked at. What is transparent in it does not count. Default: the
            style's own colours.

    Returns:
        float32 `(1, code_size)`.

    Raises:
        FileNotFoundError: A path does not exist.
        ValueError: A picture cannot be read, or an argument is out of its range.

    Example:
        >>> import stylegan_transfer
        >>> from stylegan_transfer import samples
        >>> generator = stylegan_transfer.StyleGenerator(width=4, num_blocks=1)  # untrained
        >>> style = samples.draw_style("swirls", 64)
        >>> code = stylegan_transfer.encode_style(generator, style, style_size=64)
        >>> len(code)
        1
    """
    check_generator(generator)
    check_style_size(style_size)
    styles = to_images(style, "style")
    shares = to_shares(weights, len(styles))
    total = 0.0
    for image, share in zip(look_at_styles(styles, style_size, match), shares, strict=True):
        total += share * to_numpy(generator.encode_style(image[None]))
    code = np.asarray(total, "float32")
    expect(np.isfinite(code).all(), "a generator with finite weights", code=code)
    return code


def look_at_styles(
    styles: Sequence[ImageLike], style_size: int, match: ImageLike | None = None
) -> Iterator[np.ndarray]:
    """Yields pictures as networks look at their style: in that size, with the colours of `match`.

    Args:
        styles: Pictures, as `to_image` takes them.
        style_size: Short side in pixels.
        match: As `encode_style` takes it.
    """
    if match is not None:
        colors, alpha = split_alpha(to_image(match, keep_alpha=True))
        alpha = alpha[..., 0] if alpha.size else None
    for picture in styles:
        image = to_image(picture, max_short_side=_READ_FACTOR * style_size)
        if match is not None:
            image = match_colors(image, colors, alpha)
        yield resize_style(image, style_size)


def to_shares(weights: Sequence[float] | None, count: int, name: str = "weights") -> np.ndarray:
    """Returns weights as shares that sum to 1; equal ones of None.

    Args:
        weights: One a style, at least 0.
        count: How many styles there are.
        name: What the message calls them.

    Raises:
        ValueError: There is another number of them, one is negative or not finite, or all are 0.
    """
    if weights is None:
        return np.full(count, 1.0 / count)
    is_list = isinstance(weights, (Sequence, np.ndarray)) and not isinstance(weights, str)
    values = list(weights) if is_list else []
    fits = len(values) == count and all(is_number(v, 0) for v in values) and max(values) > 0
    limits = f"one finite weight of at least 0 for each of {count} styles, not all 0"
    expect(fits, limits, **{name: weights})
    shares = np.asarray(values, "float64") / max(values)  # first: the sum may overflow
    return shares / shares.sum()


def join_codes(
    generator: Generator,
    coarse: np.ndarray,
    fine: np.ndarray,
    num_coarse_layers: int | None = None,
) -> np.ndarray:
    """Returns one code a layer: the coarse layers' from one style, the fine ones' from another.

    Args:
        generator: A `StyleGenerator` or a `TransportGenerator`.
        coarse: `(1, code_size)`, from `encode_style`: larger forms.
        fine: The same: strokes and colours.
        num_coarse_layers: How many layers of the decoder take the coarse code, from 0 to
            `generator.num_layers`. Default: half of them.

    Returns:
        float32 `(1, num_layers, code_size)`.

    Raises:
        ValueError: The generator has no layers that codes modulate, or fewer layers.

    Reference:
        Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
        Networks", CVPR 2019, section 3.1 (coarse and fine layers of two styles).

    Example:
        >>> import numpy as np
        >>> import stylegan_transfer
        >>> generator = stylegan_transfer.StyleGenerator(width=4, num_blocks=1)  # untrained
        >>> coarse, fine = np.zeros((1, 256)), np.ones((1, 256))
        >>> codes = stylegan_transfer.join_codes(generator, coarse, fine, num_coarse_layers=2)
        >>> codes[0, :4, 0].tolist()
        [0.0, 0.0, 1.0, 1.0]
    """
    expect_style_generator(generator, "codes for each layer")
    num_layers = generator.num_layers
    split = num_layers // 2 if num_coarse_layers is None else num_coarse_layers
    fits = is_whole(split, 0, num_layers)
    expect(fits, f"0 to {num_layers} layers", num_coarse_layers=split)
    coarse, fine = as_code(generator, coarse, "coarse"), as_code(generator, fine, "fine")
    shapes = {"coarse": coarse.shape, "fine": fine.shape}
    expect(coarse.ndim == 2 and coarse.shape == fine.shape, "two codes of one shape", **shapes)
    is_coarse = np.arange(num_layers)[None, :, None] < split
    return np.where(is_coarse, coarse[:, None], fine[:, None])
