"""Moves feature maps onto the mean and covariance of a style: Gaussian optimal transport."""

import keras
from keras import ops

RIDGE = 0.02


def mean_and_covariance(maps):
    """Returns each sample's channel means and covariances over positions, float32.

    Args:
        maps: `(batch, height, width, channels)`.

    Returns:
        `(batch, 1 + channels, channels)`: the mean in the first row, the covariance below it.
    """
    _, height, width, channels = ops.shape(maps)
    flat = ops.reshape(ops.cast(maps, "float32"), (-1, height * width, channels))
    mean = ops.mean(flat, axis=1, keepdims=True)
    centred = flat - mean
    covariance = ops.matmul(ops.transpose(centred, (0, 2, 1)), centred)
    return ops.concatenate([mean, covariance / ops.cast(height * width, "float32")], axis=1)


def transport_matrix(content_covariance, style_covariance, exact=True):
    """Returns the symmetric matrix A with `A C A = S` that moves maps the least.

    `A = C^-1/2 (C^1/2 S C^1/2)^1/2 C^-1/2` carries a normal distribution of covariance C onto one
    of covariance S with the smallest mean squared displacement. Whitening and colouring reaches S
    as well, but turns the channels on the way. A ridge of 0.02 times the mean variance on C keeps
    directions in which the content hardly varies from being blown up.

    Args:
        content_covariance: C, `(..., channels, channels)`, float32.
        style_covariance: S, of the same shape.
        exact: Whether the roots come from eigenvalues, in float64. Otherwise float32 and nothing
            but products (Newton-Schulz), for runtimes that have no more and for gradients; images
            then differ by less than a hundredth. Of more than 4 channels not for bfloat16, in which
            the iteration diverges.

    Returns:
        `(..., channels, channels)`, float32.

    References:
        - Higham, "Functions of Matrices", SIAM 2008, equation 6.35 (Newton-Schulz iteration).
        - Mroueh, "Wasserstein Style Transfer", AISTATS 2020, section 3.
        - Li et al., "Universal Style Transfer via Feature Transforms", NeurIPS 2017 (whitening
          and colouring).
    """
    # Roots of small eigenvalues lose half of the digits, and oneDNN may round float32 products.
    precise = "float64" if exact and keras.backend.backend() != "jax" else "float32"
    content, style = (ops.cast(c, precise) for c in (content_covariance, style_covariance))
    channels = content.shape[-1]
    identity = ops.eye(channels, dtype=precise)
    variance = ops.trace(content, axis1=-2, axis2=-1)[..., None, None] / channels
    find_roots = _roots if exact else _roots_by_products
    root, inverse = find_roots(content + (RIDGE * variance + 1e-6) * identity)
    middle, _ = find_roots(_multiply(_multiply(root, style + 1e-6 * identity), root))
    return ops.cast(_multiply(_multiply(inverse, middle), inverse), "float32")


def transport(maps, content_statistics, style_statistics, masks=None, exact=True):
    """Returns the maps with the style's mean and covariance.

    Args:
        maps: `(batch, height, width, channels)`.
        content_statistics: `(batch, 1 + channels, channels)` from `mean_and_covariance`.
        style_statistics: The same of the style; with masks `(batch, styles, 1 + channels,
            channels)`.
        masks: Optional `(batch, styles, height, width)`, summing to 1 over styles: each position
            gets the masks' mean of what the styles make of it.
        exact: As `transport_matrix` takes it.

    Returns:
        `(batch, height, width, channels)`, of the dtype of `maps`.
    """
    if masks is not None:
        content_statistics = content_statistics[:, None]
    mean, target = content_statistics[..., :1, :], style_statistics[..., :1, :]
    covariances = content_statistics[..., 1:, :], style_statistics[..., 1:, :]
    matrix = transport_matrix(*covariances, exact)
    shift = ops.cast(target - ops.matmul(mean, matrix), maps.dtype)
    matrix = ops.cast(matrix, maps.dtype)
    if masks is None:
        return ops.einsum("bhwc,bcd->bhwd", maps, matrix) + shift[:, None]
    moved = ops.einsum("bhwc,bkcd->bkhwd", maps, matrix) + shift[:, :, None]
    return ops.sum(ops.cast(masks[..., None], maps.dtype) * moved, axis=1)


def _roots(matrix):
    """The square root of a positive matrix, and the inverse of the root."""
    values, vectors = ops.eigh(matrix)
    values = ops.sqrt(ops.maximum(values, 1e-10))[..., None, :]
    transposed = ops.swapaxes(vectors, -2, -1)
    return ops.matmul(vectors * values, transposed), ops.matmul(vectors / values, transposed)


def _roots_by_products(matrix):
    """The same by the coupled Newton-Schulz iteration, for eigenvalues within six digits."""
    identity = ops.eye(matrix.shape[-1])
    norm = ops.sqrt(ops.sum(ops.square(matrix), axis=(-2, -1), keepdims=True))
    root, inverse = matrix / norm, ops.broadcast_to(identity, ops.shape(matrix))
    for _ in range(18):  # more: rounding errors grow where the style has few positions
        step = 1.5 * identity - 0.5 * _multiply(inverse, root)
        root, inverse = _multiply(root, step), _multiply(step, inverse)
    return root * ops.sqrt(norm), inverse / ops.sqrt(norm)


def _multiply(first, second):
    """Their product; of small matrices one that no accelerator rounds to bfloat16 or TF32."""
    if first.shape[-1] > 4:
        return ops.matmul(first, second)
    return ops.sum(first[..., None] * second[..., None, :, :], axis=-2)
