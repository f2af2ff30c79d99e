"""Style transfer by optimizing the picture itself.

It is slow, needs no training, and shows what the losses ask for. What a trained generator makes
can be measured against it.
"""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from stylegan_transfer import losses
from stylegan_transfer.checks import expect, is_number, is_whole
from stylegan_transfer.networks.features import build_features
from stylegan_transfer.pictures.colors import transfer_luminance
from stylegan_transfer.pictures.inputs import resize_image, resize_style, to_image, to_images
from stylegan_transfer.pictures.picture import ImageLike
from stylegan_transfer.stylizing.arguments import check_strength
from stylegan_transfer.stylizing.codes import to_shares
from stylegan_transfer.stylizing.minimizers import MINIMIZERS

CONTENT_LAYERS = ("relu3_1", "relu4_1")
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
MIN_SIZE = 32  # pixels, short side of the coarsest scale: relu4_1 is left with 4
MAX_SIZE = 8_192
MAX_WEIGHT = 1e6


def optimize(
    content: ImageLike,
    style: ImageLike | Sequence[ImageLike],
    features: Callable | None = None,
    *,
    strength: float = 1.0,
    style_weights: Sequence[float] | None = None,
    image_size: int | None = None,
    num_scales: int = 3,
    num_steps: int = 500,
    optimizer: str = "adam",
    content_layers: Sequence[str] = CONTENT_LAYERS,
    style_layers: Sequence[str] = STYLE_LAYERS,
    content_weight: float = 1.0,
    style_weight: float = 3.5,
    moments_weight: float = 3.5,
    total_variation_weight: float = 0.0,
    original_colors: bool = False,
    initial: str = "content",
    seed: int = 0,
    on_step: Callable[[int, float, dict[str, float], np.ndarray], None] | None = None,
) -> np.ndarray:
    """Returns the picture of the lowest loss: the content's things with the styles' statistics.

    Minimizes, over pixels in [0, 1], `content_weight * content_loss + style_weight * style_loss +
    moments_weight * moments_loss + strength * total_variation_weight * total_variation_loss`, the
    training's losses with the training's weights. It goes from coarse to fine: each scale starts
    from the best picture of the one before, enlarged from half the size. That makes large
    strokes. Of the last scale, the picture of the lowest loss is returned, which need not be
    that of the last step; the picture that the scale started from counts, too.

    The Gram matrices and moments to reach are weighted means over the styles and, with a share of
    `1 - strength`, the content. So strength leads evenly from the content, which is the optimum
    of its own statistics, to the full style. A factor on the style's loss would have nearly all
    of its effect below 0.1.

    Free pixels can meet the training's weights with a fine grain that the eye hardly takes for
    style. The defaults are for judging a generator by its own losses. For a picture to look at,
    ten times the style's weights and a total variation of 0.3 are better.

    Args:
        content: A path, a PIL image, a `Picture` or an array: float in [0, 1] or uint8,
            `(height, width, 3)`. What is transparent lies over white.
        style: The same, or a list of several. Each is looked at with the short side that the
            result has at the scale.
        features: Images `(1, height, width, 3)` -> dict of the maps of all layers below. Default:
            `VGG19Features`, distilled.
        strength: From 0, the content itself, to 1, the full style.
        style_weights: One number of at least 0 a style, relative to each other. Default: equal.
        image_size: Short side of the result in pixels. Default: the content's. 512 x 512 pixels
            take about 0.3 GB with the distilled features, 1 GB with VGG19.
        num_scales: Number of sizes, each half the next; sizes under 32 are left out. 1 reaches the
            lowest loss, more paint larger strokes.
        num_steps: Steps in all, shared evenly between the scales.
        optimizer: `"adam"`; or `"lbfgs"`: L-BFGS-B, as Gatys et al., which needs SciPy, takes two
            to three times as long a step and may end early, where float32 shows no way down.
        content_layers: Layers of the content loss.
        style_layers: Layers of the style and the moments loss.
        content_weight: Weight of the content loss.
        style_weight: Weight of the Gram style loss.
        moments_weight: Weight of the moments loss.
        total_variation_weight: Weight of the total variation.
        original_colors: Whether to keep the content's colours and take only the luminance of the
            result.
        initial: Where the coarsest scale starts: `"content"` or uniform `"noise"`.
        seed: Of the noise.
        on_step: Called after each step with its number from 1 on, the weighted sum of the losses,
            the unweighted losses by name, and the picture of this step, in the size of its scale.

    Returns:
        float32 RGB in [0, 1], `(height, width, 3)`.

    Raises:
        FileNotFoundError: A path does not exist.
        ImportError: `optimizer="lbfgs"` without SciPy.
        ValueError: An argument is out of range, a picture cannot be read, or the features lack a
            layer.
        FloatingPointError: The loss became NaN or infinite.

    Reference:
        - Gatys et al., "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016,
          eq. 7 (there with unnormalized maps and plain squares; see `losses`).
        - Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017,
          section 6 (coarse to fine).
        - Gatys et al., "Preserving Color in Neural Artistic Style Transfer", 2016, section 3.2
          (luminance only).

    Example:
        >>> import stylegan_transfer
        >>> from stylegan_transfer import samples
        >>> content = samples.draw_content("harbour", 64)
        >>> style = samples.draw_style("swirls", 64)
        >>> picture = stylegan_transfer.optimize(content, style, num_steps=3)
        >>> picture.shape == content.shape
        True
    """
    styles = to_images(style, "style")
    check_strength(strength)
    _check_counts(image_size, num_scales, num_steps, seed)
    for name, value, known in (
        ("optimizer", optimizer, ("adam", "lbfgs")),
        ("initial", initial, ("content", "noise")),
    ):
        is_known = isinstance(value, str) and value in known
        expect(is_known, f"{name} to be {' or '.join(known)}", **{name: value})
    for name, value in (("features", features), ("on_step", on_step)):
        expect(value is None or callable(value), f"{name}: a function, or None", **{name: value})
    for name, layers in (("content_layers", content_layers), ("style_layers", style_layers)):
        is_list = isinstance(layers, (tuple, list)) and len(layers) > 0
        expect(is_list, f"{name}: names of at least one layer", **{name: layers})
    shares = strength * to_shares(style_weights, len(styles), "style_weights")
    weights = {
        "content": content_weight,
        "style": style_weight,
        "moments": moments_weight,
        "total_variation": total_variation_weight,
    }
    for name, weight in weights.items():
        fits = is_number(weight, 0, MAX_WEIGHT)
        expect(fits, f"a weight of 0 to {MAX_WEIGHT:g}", **{f"{name}_weight": weight})
    weights = {f"{name}_loss": weight for name, weight in weights.items()}
    weights["total_variation_loss"] *= strength

    content, styles = to_image(content), [to_image(painting) for painting in styles]
    if image_size is not None:
        content = resize_image(content, short_side=image_size)
    if strength == 0:
        return content
    if features is None:
        features = build_features(["distilled"], (*content_layers, *style_layers))
    sizes = _sizes(content.shape[:2], min(num_scales, num_steps))
    image, step = content, 0
    if initial == "noise":
        image = np.random.default_rng(seed).random((*sizes[0], 3), "float32")

    def finish(image):
        if not original_colors:
            return image
        return transfer_luminance(resize_image(content, size=image.shape[:2]), image)

    def report(loss, terms, image):
        nonlocal step
        step += 1
        if not np.isfinite(float(loss)):
            raise FloatingPointError(f"Expected finite losses. Received: {float(loss)} at {step=}")
        if on_step is not None:
            values = {name: float(term) for name, term in terms.items()}
            on_step(step, float(loss), values, finish(image))

    for index, size in enumerate(sizes):
        targets = _measure_targets(
            features,
            resize_image(content, size=size),
            [resize_style(painting, min(size)) for painting in styles],
            shares,
            content_layers,
            style_layers,
        )
        objective = _compile_objective(features, targets, weights)
        image = resize_image(image, size=size)
        share_of_steps = (num_steps - step) // (len(sizes) - index)
        image = MINIMIZERS[optimizer](objective, image, share_of_steps, report)
    return finish(image)


def _check_counts(image_size, num_scales, num_steps, seed):
    fits = image_size is None or is_whole(image_size, MIN_SIZE, MAX_SIZE)
    limits = f"image_size of at least {MIN_SIZE} and at most {MAX_SIZE}, or None"
    expect(fits, limits, image_size=image_size)
    expect(is_whole(num_scales, 1), "num_scales of at least 1", num_scales=num_scales)
    expect(is_whole(num_steps, 1), "num_steps of at least 1", num_steps=num_steps)
    expect(is_whole(seed, 0), "seed of at least 0", seed=seed)


def _sizes(shape, num_scales):
    """The (height, width) of each scale, coarse to fine."""
    sizes = [tuple(round(side / 2**halvings) for side in shape) for halvings in range(num_scales)]
    return [size for size in reversed(sizes) if size == shape or min(size) >= MIN_SIZE]


def _measure_targets(features, content, styles, shares, content_layers, style_layers):
    """The content's maps, and the mixed Gram matrices and moments of the styles and the content."""
    maps = features(content[None])
    missing = [name for name in (*content_layers, *style_layers) if name not in maps]
    expect(not missing, f"features with maps of {', '.join(missing)}, too", features=sorted(maps))
    statistics = [_statistics(maps, style_layers)]
    statistics += [_statistics(features(style[None]), style_layers) for style in styles]
    shares = [1.0 - sum(shares), *shares]

    def mix(*values):
        return sum(share * value for share, value in zip(shares, values, strict=True))

    grams, moments = tf.nest.map_structure(mix, *statistics)
    return {name: maps[name] for name in content_layers}, grams, moments


def _statistics(maps, layers):
    grams = {name: losses.gram_matrix(maps[name]) for name in layers}
    moments = {name: losses.channel_moments(maps[name]) for name in layers}
    return grams, moments


def _compile_objective(features, targets, weights):
    """The function image -> weighted loss, losses by name, gradient of the weighted loss."""
    content_maps, target_grams, target_moments = targets

    @tf.function(autograph=False)
    def objective(image):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(image)
            maps = features(image[None])
            grams, moments = _statistics(maps, target_grams)
            stylized = {name: maps[name] for name in content_maps}
            terms = {
                "content_loss": losses.content_loss(stylized, content_maps),
                "style_loss": losses.relative_distance(grams, target_grams),
                "moments_loss": losses.relative_distance(moments, target_moments),
                "total_variation_loss": losses.total_variation_loss(image[None]),
            }
            loss = sum(weights[name] * term for name, term in terms.items())
        return loss, terms, tape.gradient(loss, image)

    return objective
