"""Stylises pictures with a trained generator.

`stylize` does it in one call. `encode_style` and `stylize_with_code` are its two halves, for one
style and many photographs; `contents.repaint` is what many styles of one photograph share.
"""

from collections.abc import Callable, Sequence

import numpy as np

from stylegan_transfer.checks import expect
from stylegan_transfer.pictures.inputs import to_images
from stylegan_transfer.pictures.picture import ImageLike, Picture
from stylegan_transfer.stylizing.arguments import (
    check_generator,
    check_painting,
    check_preserve_color,
    check_strength,
)
from stylegan_transfer.stylizing.codes import STYLE_SIZE, encode_style, join_codes
from stylegan_transfer.stylizing.contents import is_batch, load_contents
from stylegan_transfer.stylizing.painting import TILE_SIZE, Generator
from stylegan_transfer.stylizing.qualities import QUALITIES
from stylegan_transfer.stylizing.with_code import as_content, stylize_with_code


def stylize(
    generator: Generator,
    content: ImageLike,
    style: ImageLike | Sequence[ImageLike],
    *,
    weights: Sequence[float] | None = None,
    fine_style: ImageLike | None = None,
    num_coarse_layers: int | None = None,
    masks: Sequence[ImageLike] | None = None,
    strength: float = 1.0,
    style_size: int = STYLE_SIZE,
    preserve_color: str | None = None,
    seed: int | None = 0,
    quality: str = "fast",
    tileable: bool = False,
    tile_size: int = TILE_SIZE,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray | Picture:
    """Returns the content picture painted in the style of the style picture, or of several.

    Args:
        generator: From `load_generator`.
        content: A path, a PIL image, a `Picture` or an array: float in [0, 1] or uint8,
            `(height, width, 3)`, or with alpha `(height, width, 4)`. Sides of at least 32 pixels.
        style: The same; or several, which are mixed by `weights`, or put apart by `masks`.
        weights: The share of each style; they need not sum to 1. Default: equal shares.
        fine_style: A further style for the fine layers of the decoder: strokes and colours come
            from it, larger forms from `style`.
        num_coarse_layers: How many layers of the decoder keep `style` when there is a
            `fine_style`. Default: half of them.
        masks: One grey picture a style, resized to the content's size: where it is white, the
            content is painted in that style; where they are all black, it stays as it is. Colours
            count by their luma, transparent parts as black. An array may be of booleans.
        strength: From 0, the content picture itself, to 1, the full style. In between, the style
            code is a mixture of the content's own code and the style's, and what the generator
            misses in repainting the content as itself is put back in proportion.
        style_size: Short side in pixels at which styles are looked at: strokes are as large as
            they are at that size.
        preserve_color: `"luminance"`: the painting decides the luma alone, hue and saturation
            stay the content's. `"match"`: the style picture is given the mean colour and the
            colour covariance of what is visible of the content before it is looked at. Default:
            the style's colours.
        seed: Seed of the noise from which the strokes of flat areas are made: each seed gives
            another painting of the same pair, and the same one each time. None: no noise,
            which leaves flat areas a more regular pattern. A generator with `noise=False` never
            gets any.
        quality: `"fast"`: what the generator makes. `"fine"` and `"best"`: that, refined for
            some seconds or for as long as it pays, by gradient descent on the picture: closer to
            both the content and the style. This needs TensorFlow.
        tileable: Whether the result repeats without a seam, as the textures of games do. The
            content should repeat, too. Its sides must be multiples of the generator's largest
            stride, 8 or 16.
        tile_size: A picture of more than `tile_size ** 2` pixels is painted in tiles of this
            side, a multiple of the generator's largest stride, with statistics taken from a
            thumbnail of so many pixels: the memory that it takes beyond the picture itself no
            longer grows.
        progress: Called as `progress(tiles_done, num_tiles)` after each tile, in two rounds for a
            strength below 1; in a last round as `progress(steps_done, num_steps)` after each step
            of refinement.

    Returns:
        float32 in [0, 1], of the content's size and number of channels; alpha is the content's.
        For a `Picture` a `Picture`: only its image is another, so `save_picture` writes the same
        kind of file.

    Raises:
        FileNotFoundError: A path does not exist.
        ValueError: A picture cannot be read or is too small, or an argument is out of its range.

    Reference:
        - Gatys et al., "Preserving Color in Neural Artistic Style Transfer", 2016.
        - Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
          Networks", CVPR 2019, section 3.1 (coarse and fine layers of two styles).

    Example:
        >>> import stylegan_transfer
        >>> from stylegan_transfer import samples
        >>> generator = stylegan_transfer.load_generator()
        >>> content = samples.draw_content("harbour", 64)
        >>> style = samples.draw_style("swirls", 64)
        >>> stylized = stylegan_transfer.stylize(generator, content, style, style_size=64)
        >>> stylized.shape == content.shape
        True
    """
    check_generator(generator)
    check_strength(strength)
    check_preserve_color(preserve_color)
    check_painting(seed, tileable, tile_size, progress)
    shape = getattr(content, "shape", None)
    expect(not is_batch(content), "one content, or stylize_with_code for several", content=shape)
    styles = to_images(style, "style")
    pixels = load_contents(content)
    encoding = {
        "style_size": style_size,
        "match": pixels[0] if preserve_color == "match" else None,
    }
    if masks is None:
        codes = [encode_style(generator, styles, weights=weights, **encoding)]
    else:
        expect(weights is None, "either weights or masks, not both", weights=weights)
        codes = [encode_style(generator, s, **encoding) for s in styles]
    if fine_style is not None:
        fine = encode_style(generator, fine_style, **encoding)
        codes = [join_codes(generator, code, fine, num_coarse_layers) for code in codes]
    options = {"weights": weights, "fine_style": fine_style, "is_masked": masks is not None}
    stylized = stylize_with_code(
        generator,
        pixels[0],
        codes[0] if masks is None else codes,
        masks=masks,
        strength=strength,
        style_size=style_size,
        preserve_color="luminance" if preserve_color == "luminance" else None,
        seed=seed,
        tileable=tileable,
        tile_size=tile_size,
        progress=progress,
        refiner=load_refiner(quality, styles, **options, **encoding),
    )
    return as_content(content, stylized)


def load_refiner(quality: str, style, **options):
    """Returns what refines pictures painted in a style; None for `"fast"`.

    Args:
        quality: One of `QUALITIES`.
        style: A picture or several, as `encode_style` takes them.
        options: As `refinement.make_refiner` takes them.

    Raises:
        ImportError: TensorFlow is not installed.
        ValueError: The quality is another, or Keras runs on another backend than TensorFlow.
    """
    is_known = isinstance(quality, str) and quality in QUALITIES
    expect(is_known, f"one of {', '.join(QUALITIES)}", quality=quality)
    refinement = QUALITIES[quality]
    if refinement is None:
        return None
    try:
        from stylegan_transfer.stylizing.refinement import make_refiner
    except ImportError as error:
        raise ImportError(
            f"Expected TensorFlow for a quality other than fast. Received: quality={quality!r}, "
            f"but {error}"
        ) from error
    return make_refiner(style, refinement, **options)
