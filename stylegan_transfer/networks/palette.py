"""Gives an image the palette of a style: its mean colour, and the ways in which its colours vary.

Everything here runs under each Keras backend.
"""

from keras import ops

from stylegan_transfer.networks.transport import mean_and_covariance, transport_matrix

FLOOR = 1e-6  # of a palette's variances: that of a style of one colour has a direction, too


def mix_palettes(palettes, masks):
    """Returns the palette of an image whose parts have palettes of their own.

    Args:
        palettes: `(batch, styles, 4, 3)`, as `mean_and_covariance` gives them.
        masks: `(batch, styles, height, width)`, summing to 1 over styles.

    Returns:
        `(batch, 4, 3)`: the mean and the covariance of all parts together.
    """
    shares = ops.mean(ops.cast(masks, "float32"), axis=(2, 3))[..., None, None]
    means, covariances = palettes[:, :, :1], palettes[:, :, 1:]
    mean = ops.sum(shares * means, axis=1)
    apart = means - mean[:, None]
    between = ops.matmul(ops.swapaxes(apart, -2, -1), apart)
    return ops.concatenate([mean, ops.sum(shares * (covariances + between), axis=1)], axis=1)


def palette_map(images, palettes, exact=True):
    """Returns the affine map of colours that gives the images the palettes.

    The images then have the palette's mean, and its covariance but for a factor: how much they
    vary in all stays their own. Of a grey palette they become grey.

    Args:
        images: `(batch, height, width, 3)`.
        palettes: `(batch, 4, 3)`, as `mean_and_covariance` gives them.
        exact: As `transport_matrix` takes it.

    Returns:
        `(batch, 4, 3)`: the shift in the first row, the matrix below it.

    Reference:
        Pitié & Kokaram, "The Linear Monge-Kantorovitch Linear Colour Mapping", CVMP 2007, eq. 8.
    """
    own = mean_and_covariance(images)
    mean, covariance = own[:, :1], own[:, 1:]
    target = palettes[:, 1:] + FLOOR * ops.eye(3)
    variance = [ops.trace(c, axis1=-2, axis2=-1)[:, None, None] for c in (covariance, target)]
    matrix = transport_matrix(covariance, target * (variance[0] / variance[1]), exact)
    return ops.concatenate([palettes[:, :1] - ops.matmul(mean, matrix), matrix], axis=1)


def map_colors(images, maps):
    """Returns the images with an affine map applied to their colours, in [0, 1].

    Args:
        images: `(batch, height, width, 3)`.
        maps: `(batch, 4, 3)`, from `palette_map`.
    """
    moved = ops.einsum("bhwc,bcd->bhwd", images, maps[:, 1:]) + maps[:, None, :1]
    return ops.clip(moved, 0.0, 1.0)
