"""The losses of image style transfer, on feature maps, images and discriminator logits.

Feature maps are dicts `{"relu1_1": (batch, height, width, channels), ...}` as `VGG19Features`
returns them: calibrated, so that every layer's mean activation is about 1. Every loss is a scalar:
the mean over layers, then over the batch. All statistics are computed in float32, since Gram
matrices and variances overflow in half precision.
"""

from keras import ops

_EPSILON = 1e-6


def gram_matrix(maps):
    """Returns the Gram matrix of each sample, `G_ij = 1/(H W) sum_p F_pi F_pj`.

    Gatys et al. divide by `2 H W C` inside the loss; the division by `H W` makes maps of different
    sizes comparable, and `style_loss` is relative, so that no other constant matters.

    Args:
        maps: `(batch, height, width, channels)`.

    Returns:
        `(batch, channels, channels)`, float32.

    Example:
        >>> import numpy as np
        >>> from stylegan_transfer.losses import gram_matrix
        >>> np.asarray(gram_matrix(np.ones((1, 5, 7, 2)))).tolist()
        [[[1.0, 1.0], [1.0, 1.0]]]

    Reference:
        Gatys et al., "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016, eq. 3.
    """
    _, height, width, channels = ops.shape(maps)
    flat = ops.reshape(ops.cast(maps, "float32"), (-1, height * width, channels))
    return ops.matmul(ops.transpose(flat, (0, 2, 1)), flat) / ops.cast(height * width, "float32")


def instance_moments(maps):
    """Returns each sample's mean and variance of each channel, `(batch, 2, channels)`, float32.

    Args:
        maps: `(batch, height, width, channels)`.
    """
    return ops.stack(ops.moments(ops.cast(maps, "float32"), axes=(1, 2)), axis=1)


def channel_moments(maps, epsilon=_EPSILON):
    """Returns each sample's mean and standard deviation of each channel, `(batch, 2, channels)`.

    Args:
        maps: `(batch, height, width, channels)`.
        epsilon: Added to the variance, so that the gradient is finite on flat maps. Defaults to
            1e-6.

    Returns:
        `(batch, 2, channels)`, float32.
    """
    mean, variance = ops.unstack(instance_moments(maps), axis=1)
    return ops.stack([mean, ops.sqrt(variance + epsilon)], axis=1)


def instance_normalize(maps, epsilon=1e-5):
    """Returns the maps with mean 0 and variance 1 in each sample and channel, float32.

    Args:
        maps: `(batch, height, width, channels)`.
        epsilon: Added to the variance. Defaults to 1e-5.
    """
    mean, variance = ops.unstack(instance_moments(maps)[:, :, None, None], axis=1)
    return (ops.cast(maps, "float32") - mean) * ops.rsqrt(variance + epsilon)


def content_loss(stylized, content):
    """Returns the mean squared error of instance-normalized maps.

    The document's and Gatys' content loss is the plain squared error. Normalized maps say where
    things are and not how bright or saturated they are, which is the style's to decide.

    Args:
        stylized: Dict of the stylized images' maps.
        content: Dict of the content images' maps, same keys and shapes.

    Returns:
        Scalar: mean over positions, channels, batch and layers. 0 for equal maps, about 2 for
        unrelated ones.

    Reference:
        Gatys et al., CVPR 2016, eq. 1; Huang et al., "Multimodal Unsupervised Image-to-Image
        Translation", ECCV 2018, section 5.1 (the instance-normalized distance).
    """
    return _mean_over_layers(
        lambda y, c: ops.mean(ops.square(instance_normalize(y) - instance_normalize(c))),
        stylized,
        content,
    )


def style_loss(stylized, style, per_sample=True):
    """Returns the relative squared Frobenius distance of Gram matrices.

    `||G(y) - G(s)||_F^2 / ||G(s)||_F^2` for each layer and sample. Gatys et al. sum the plain
    squares, so that strong styles drown weak ones; Cheng et al. divide by a bound that holds both
    matrices, we by the style's alone, which the generator cannot move.

    Args:
        stylized: Dict of the stylized images' maps.
        style: Dict of the style images' maps, same keys; sizes may differ.
        per_sample: Whether each sample is divided by its own `||G(s)||_F^2`; else all by the
            batch's mean, which leaves strong styles the larger losses. Defaults to True.

    Returns:
        Scalar: mean over batch and layers. 0 for equal Gram matrices, 1 for a black result.

    Example:
        >>> import numpy as np
        >>> from stylegan_transfer.losses import style_loss
        >>> style = {"relu1_1": np.random.default_rng(0).random((1, 8, 8, 3))}
        >>> float(style_loss(style, style))
        0.0
        >>> black = {"relu1_1": np.zeros((1, 8, 8, 3))}
        >>> print(f"{float(style_loss(black, style)):.3f}")
        1.000

    Reference:
        Gatys et al., CVPR 2016, eq. 4 and 5; Cheng et al., "Style-Aware Normalized Loss for
        Improving Arbitrary Style Transfer", CVPR 2021, eq. 6.
    """
    return _mean_over_layers(
        lambda y, s: relative_distances(gram_matrix(y), gram_matrix(s), per_sample),
        stylized,
        style,
    )


def moments_loss(stylized, style, per_sample=True):
    """Returns the relative squared distance of channel means and standard deviations.

    `(||m(y) - m(s)||^2 + ||d(y) - d(s)||^2) / (||m(s)||^2 + ||d(s)||^2)` for each layer and
    sample. Huang & Belongie sum plain norms; relative for the reason given in `style_loss`.

    Args:
        stylized: Dict of the stylized images' maps.
        style: Dict of the style images' maps, same keys; sizes may differ.
        per_sample: As in `style_loss`.

    Returns:
        Scalar: mean over batch and layers.

    Reference:
        Huang & Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance
        Normalization", ICCV 2017, eq. 13.
    """
    return _mean_over_layers(
        lambda y, s: relative_distances(channel_moments(y), channel_moments(s), per_sample),
        stylized,
        style,
    )


def relative_distance(actual, expected):
    """Returns the relative squared distance of statistics that are already there.

    `||a - e||^2 / ||e||^2` for each layer and sample: `style_loss` is this of Gram matrices,
    `moments_loss` of channel moments. For targets that are computed once, or mixed.

    Args:
        actual: Dict of arrays of shape `(batch, ...)`.
        expected: Dict of arrays, same keys and shapes.

    Returns:
        Scalar: mean over batch and layers.
    """
    return _mean_over_layers(relative_distances, actual, expected)


def relative_distances(actual, expected, per_sample=True):
    """Returns the relative squared distance of each sample, `||a - e||^2 / ||e||^2`.

    Args:
        actual: `(batch, ...)`.
        expected: Same shape, or a batch of 1.
        per_sample: As in `style_loss`.

    Returns:
        `(batch,)`, float32.
    """
    axes = tuple(range(1, len(actual.shape)))
    actual, expected = ops.cast(actual, "float32"), ops.cast(expected, "float32")
    distance = ops.sum(ops.square(actual - expected), axis=axes)
    norm = ops.sum(ops.square(expected), axis=axes)
    return distance / ((norm if per_sample else ops.mean(norm)) + _EPSILON)


def for_each_layer(function, first, second):
    """Returns what a function makes of two maps, for each layer.

    Args:
        function: Takes a layer's two values.
        first: Dict of values by layer.
        second: Dict of values by layer, same keys.

    Returns:
        Dict by layer, in the order of `first`.

    Raises:
        ValueError: The layers differ, or there is none.
    """
    if first.keys() != second.keys() or not first:
        raise ValueError(
            "Expected maps of the same layers, at least one. Received: "
            f"layers {sorted(first)} and {sorted(second)}"
        )
    return {layer: function(first[layer], second[layer]) for layer in first}


def identity_loss(reconstructed_images, images, reconstructed, maps):
    """Returns how far images painted in their own style are from themselves.

    The mean absolute difference of pixels plus the relative squared distance of maps.

    Args:
        reconstructed_images: `generator([x, x])`, `(batch, height, width, 3)` in [0, 1].
        images: `x`, same shape.
        reconstructed: Dict of the maps of `reconstructed_images`.
        maps: Dict of the maps of `images`.

    Returns:
        Scalar: mean over pixels, batch and layers.

    Reference:
        Park & Lee, "Arbitrary Style Transfer with Style-Attentional Networks", CVPR 2019, eq. 9.
    """
    difference = ops.cast(reconstructed_images, "float32") - ops.cast(images, "float32")
    return ops.mean(ops.abs(difference)) + relative_distance(reconstructed, maps)


def total_variation_loss(images):
    """Returns the mean absolute difference of neighbours, down plus right (anisotropic).

    Args:
        images: `(batch, height, width, channels)`, both sides at least 2.

    Returns:
        Scalar: mean over positions, channels and batch of each direction, summed over both.

    Reference:
        Mahendran & Vedaldi, "Understanding Deep Image Representations by Inverting Them",
        CVPR 2015, eq. 4, with the absolute difference for the squared one.
    """
    images = ops.cast(images, "float32")
    down = ops.mean(ops.abs(images[:, 1:] - images[:, :-1]))
    right = ops.mean(ops.abs(images[:, :, 1:] - images[:, :, :-1]))
    return down + right


def adversarial_loss(fake_logits, kind="hinge"):
    """Returns the generator's adversarial loss.

    `mean(-D(y))` for the hinge loss, `mean(softplus(-D(y)))` for the document's sigmoid
    cross-entropy, in its non-saturating form.

    Args:
        fake_logits: The discriminator's logits for generated images, any shape.
        kind: `"hinge"` or `"cross_entropy"`. Defaults to hinge.

    Returns:
        Scalar: mean over all logits.

    Raises:
        ValueError: For another `kind`.

    Reference:
        Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, section 3; Lim & Ye,
        "Geometric GAN", 2017 (hinge).
    """
    fake_logits = ops.cast(fake_logits, "float32")
    if _check_kind(kind) == "hinge":
        return -ops.mean(fake_logits)
    return ops.mean(ops.softplus(-fake_logits))


def discriminator_loss(real_logits, fake_logits, kind="hinge"):
    """Returns the discriminator's loss.

    `(mean(relu(1 - D(real))) + mean(relu(1 + D(fake)))) / 2` for the hinge loss,
    `(mean(softplus(-D(real))) + mean(softplus(D(fake)))) / 2` for the cross-entropy.

    Args:
        real_logits: Logits for real images, any shape.
        fake_logits: Logits for generated or mismatched images, any shape.
        kind: `"hinge"` or `"cross_entropy"`. Defaults to hinge.

    Returns:
        Scalar: mean over all logits; 1 (hinge) or log 2 for a discriminator that cannot decide.

    Raises:
        ValueError: For another `kind`.

    Reference:
        As `adversarial_loss`.
    """
    real_logits, fake_logits = ops.cast(real_logits, "float32"), ops.cast(fake_logits, "float32")
    penalty = (lambda z: ops.relu(1.0 + z)) if _check_kind(kind) == "hinge" else ops.softplus
    return 0.5 * (ops.mean(penalty(-real_logits)) + ops.mean(penalty(fake_logits)))


def _check_kind(kind):
    if kind not in ("hinge", "cross_entropy"):
        raise ValueError(f'Expected kind "hinge" or "cross_entropy". Received: kind={kind!r}')
    return kind


def _mean_over_layers(distance, actual, expected):
    values = for_each_layer(distance, actual, expected).values()
    return sum(ops.mean(value) for value in values) / len(values)
