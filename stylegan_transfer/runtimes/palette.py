"""What `networks.palette` does, by NumPy."""

import numpy as np

from stylegan_transfer.runtimes.roots import transport_matrix

_FLOOR = 1e-6  # as in `networks.palette`


def mix_palettes(palettes: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Returns the palette of an image whose parts have palettes of their own.

    Args:
        palettes: `(batch, styles, 4, 3)`.
        masks: `(batch, styles, height, width)`, summing to 1 over styles.

    Returns:
        `(batch, 4, 3)`.
    """
    shares = masks.mean(axis=(2, 3))[..., None, None]
    means, covariances = palettes[:, :, :1], palettes[:, :, 1:]
    mean = np.sum(shares * means, axis=1)
    apart = means - mean[:, None]
    between = np.swapaxes(apart, -2, -1) @ apart
    return np.concatenate([mean, np.sum(shares * (covariances + between), axis=1)], axis=1)


def palette_map(own: np.ndarray, palettes: np.ndarray) -> np.ndarray:
    """Returns the affine map of colours that gives images the palettes, but for a factor.

    Args:
        own: `(batch, 4, 3)`, the palettes of the images.
        palettes: `(batch, 4, 3)`.

    Returns:
        `(batch, 4, 3)`: the shift in the first row, the matrix below it.
    """
    mean, covariance = own[:, :1], own[:, 1:]
    target = palettes[:, 1:] + _FLOOR * np.eye(3)
    variances = [np.trace(c, axis1=-2, axis2=-1)[:, None, None] for c in (covariance, target)]
    matrix = transport_matrix(covariance, target * (variances[0] / variances[1]))
    maps = np.concatenate([palettes[:, :1] - mean @ matrix, matrix], axis=1)
    return maps.astype("float32")


def map_colors(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Returns the images with `(batch, 4, 3)` affine maps applied to their colours, in [0, 1]."""
    colors = images.reshape(len(images), -1, 3) @ maps[:, 1:]
    rows = colors.reshape(*images.shape[:2], -1)
    rows += np.tile(maps[:, :1], images.shape[2])  # long rows add up several times as fast
    return np.clip(rows, 0.0, 1.0, out=rows).reshape(images.shape)
