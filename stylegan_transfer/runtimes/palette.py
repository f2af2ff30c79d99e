"""What `networks.palette` does, by NumPy."""

import numpy as np

from stylegan_transfer.runtimes.roots import transport_matrix

_FLOOR = 1e-6  # as in `networks.palette`


def palette_maps(own: np.ndarray, palettes: np.ndarray) -> np.ndarray:
    """Returns the affine maps that give colours other palettes.

    Args:
        own: `(batch, styles, 4, 3)`, the palettes that the colours have.
        palettes: `(batch, styles, 4, 3)`, those that they are given.

    Returns:
        `(batch, styles, 4, 3)`: the shift in the first row, the matrix below it.
    """
    covariance, target = own[..., 1:, :], palettes[..., 1:, :] + _FLOOR * np.eye(3)
    variance = [np.trace(c, axis1=-2, axis2=-1)[..., None, None] for c in (covariance, target)]
    matrix = transport_matrix(covariance, target * (variance[0] / variance[1]))
    shift = palettes[..., :1, :] - own[..., :1, :] @ matrix
    return np.concatenate([shift, matrix], axis=-2).astype("float32")


def map_colors(images: np.ndarray, maps: np.ndarray, masks: np.ndarray | None = None) -> np.ndarray:
    """Returns the images with affine maps applied to their colours, in [0, 1].

    Args:
        images: `(batch, height, width, 3)`.
        maps: `(batch, styles, 4, 3)`, from `palette_maps`.
        masks: `(batch, styles, height, width)`, summing to 1 over styles. None for one map.
    """
    if masks is None:
        moved = _apply(images, maps[:, 0])
    else:
        moved = np.zeros_like(images)
        for style in range(maps.shape[1]):
            moved += masks[:, style, :, :, None] * _apply(images, maps[:, style])
    return np.clip(moved, 0.0, 1.0, out=moved)


def _apply(images, maps):
    colors = images.reshape(len(images), -1, 3) @ maps[:, 1:]
    rows = colors.reshape(*images.shape[:2], -1)
    rows += np.tile(maps[:, :1], images.shape[2])  # long rows add up several times as fast
    return rows.reshape(images.shape)
