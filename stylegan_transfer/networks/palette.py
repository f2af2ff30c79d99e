"""Gives images the palettes of styles: their mean colours, and the ways in which colours vary.

Everything here runs under each Keras backend. Of several styles, each has its palette where its
mask says so.
"""

from keras import ops

from stylegan_transfer.networks.transport import mean_and_covariance, transport_matrix

FLOOR = 1e-6  # of a palette's variances: that of a style of one colour has a direction, too
ELSEWHERE = 1e-3  # how much the rest of an image counts for a region, which may have no pixels


def measure_palettes(images, masks=None):
    """Returns the mean and the covariance of the colours of each region.

    Args:
        images: `(batch, height, width, 3)`.
        masks: Optional `(batch, styles, height, width)`, summing to 1 over styles.

    Returns:
        `(batch, styles, 4, 3)`, 1 style without masks: the mean in the first row, the covariance
        below it.
    """
    if masks is None:
        return mean_and_covariance(images)[:, None]
    _, height, width, _ = ops.shape(images)
    colors = ops.reshape(images, (-1, 1, height * width, 3))
    shares = ops.reshape(masks, (-1, ops.shape(masks)[1], height * width, 1)) + ELSEWHERE
    shares = shares / ops.sum(shares, axis=2, keepdims=True)
    mean = ops.sum(shares * colors, axis=2, keepdims=True)
    centred = colors - mean
    covariance = ops.matmul(ops.swapaxes(shares * centred, -2, -1), centred)
    return ops.concatenate([mean, covariance], axis=2)


def palette_maps(own, palettes, exact=True):
    """Returns the affine maps that give colours other palettes.

    They then have the palette's mean, and its covariance but for a factor: how much they vary in
    all stays their own. Of a grey palette they become grey.

    Args:
        own: `(batch, styles, 4, 3)`, the palettes that the colours have.
        palettes: `(batch, styles, 4, 3)`, those that they are given.
        exact: As `transport_matrix` takes it.

    Returns:
        `(batch, styles, 4, 3)`: the shift in the first row, the matrix below it.

    Reference:
        Pitié & Kokaram, "The Linear Monge-Kantorovitch Linear Colour Mapping", CVMP 2007, eq. 8.
    """
    covariance, target = own[..., 1:, :], palettes[..., 1:, :] + FLOOR * ops.eye(3)
    variance = [ops.trace(c, axis1=-2, axis2=-1)[..., None, None] for c in (covariance, target)]
    matrix = transport_matrix(covariance, target * (variance[0] / variance[1]), exact)
    shift = palettes[..., :1, :] - ops.matmul(own[..., :1, :], matrix)
    return ops.concatenate([shift, matrix], axis=-2)


def map_colors(images, maps, masks=None):
    """Returns the images with affine maps applied to their colours, in [0, 1].

    Args:
        images: `(batch, height, width, 3)`.
        maps: `(batch, styles, 4, 3)`, from `palette_maps`.
        masks: `(batch, styles, height, width)`, summing to 1 over styles: the share of each map at
            each pixel. None for one map.
    """
    if masks is None:
        moved = ops.einsum("bhwc,bcd->bhwd", images, maps[:, 0, 1:]) + maps[:, 0, None, :1]
    else:
        shares = ops.transpose(ops.cast(masks, "float32"), (0, 2, 3, 1))
        mixed = ops.einsum("bhwk,bkcd->bhwcd", shares, maps)
        moved = ops.einsum("bhwc,bhwcd->bhwd", images, mixed[..., 1:, :]) + mixed[..., 0, :]
    return ops.clip(moved, 0.0, 1.0)
