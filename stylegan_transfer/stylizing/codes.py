"""Codes of styles: of one picture, of several in one, of one for each layer."""

from collections.abc import Sequence

import numpy as np

from stylegan_transfer.checks import expect
from stylegan_transfer.pictures.arrays import split_alpha
from stylegan_transfer.pictures.colors import match_colors
from stylegan_transfer.pictures.inputs import resize_image, to_image
from stylegan_transfer.pictures.picture import ImageLike
from stylegan_transfer.stylizing.painting import (
    MIN_SIZE,
    Generator,
    expect_style_generator,
    to_numpy,
)

STYLE_SIZE = 384


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
            they are at that size. At least 32.
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
    is_large = style_size >= MIN_SIZE
    expect(is_large, f"style_size of at least {MIN_SIZE}", style_size=style_size)
    styles = [style] if isinstance(style, ImageLike) else list(style)
    weights = np.ones(len(styles)) if weights is None else np.asarray(weights, "float64")
    expect(
        weights.shape == (len(styles),) and np.all(weights >= 0) and weights.sum() > 0,
        f"one weight of at least 0 for each of {len(styles)} styles, not all 0",
        weights=weights.tolist(),
    )
    if match is not None:
        colors, alpha = split_alpha(to_image(match, keep_alpha=True))
        alpha = alpha[..., 0] if alpha.size else None
    total = 0.0
    for picture, weight in zip(styles, weights / weights.sum(), strict=True):
        image = to_image(picture)
        if match is not None:
            image = match_colors(image, colors, alpha)
        small = resize_image(image, short_side=style_size)
        total += weight * to_numpy(generator.encode_style(small[None]))
    return np.asarray(total, "float32")


def join_codes(
    generator: Generator,
    coarse: np.ndarray,
    fine: np.ndarray,
    num_coarse_layers: int | None = None,
) -> np.ndarray:
    """Returns one code a layer: the coarse layers' from one style, the fine ones' from another.

    Args:
        generator: A `StyleGenerator`.
        coarse: `(1, code_size)`, from `encode_style`: larger forms.
        fine: The same: strokes and colours.
        num_coarse_layers: How many layers of the decoder take the coarse code, from 0 to
            `generator.num_layers`. Default: half of them.

    Returns:
        float32 `(1, num_layers, code_size)`.

    Raises:
        ValueError: The generator is no `StyleGenerator`, or it has fewer layers.

    Reference:
        Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
        Networks", CVPR 2019, section 3.1 (coarse and fine layers of two styles).

    Example:
        >>> import numpy as np
        >>> import stylegan_transfer
        >>> generator = stylegan_transfer.StyleGenerator(width=4, num_blocks=1)  # untrained
        >>> coarse, fine = np.zeros((1, 256)), np.ones((1, 256))
        >>> codes = stylegan_transfer.join_codes(generator, coarse, fine, num_coarse_layers=2)
        >>> codes[0, :4, 0]
        array([0., 0., 1., 1.])
    """
    expect_style_generator(generator, "codes for each layer")
    num_layers = generator.num_layers
    split = num_layers // 2 if num_coarse_layers is None else num_coarse_layers
    expect(0 <= split <= num_layers, f"0 to {num_layers} layers", num_coarse_layers=split)
    is_coarse = np.arange(num_layers)[None, :, None] < split
    return np.where(is_coarse, np.asarray(coarse)[:, None], np.asarray(fine)[:, None])
