"""Colours of pictures: sRGB, luma and chroma, and colour distributions."""

import numpy as np
from PIL import Image

from stylegan_transfer.pictures.arrays import resize_channels

RGB_TO_YIQ = np.array(
    [[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]]
).T  # for rows of RGB: `rgb @ RGB_TO_YIQ`


def encode_srgb(linear: np.ndarray) -> np.ndarray:
    """Returns linear light in [0, 1] in the curve of sRGB (IEC 61966-2-1), in [0, 1]."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def luminance(image: np.ndarray) -> np.ndarray:
    """Returns the luma (Rec. 601) of RGB in [0, 1], without the last axis."""
    return image @ RGB_TO_YIQ[:, 0].astype(image.dtype)


def transfer_luminance(image: np.ndarray, luminance_source: np.ndarray) -> np.ndarray:
    """Returns the colours (chroma) of `image` with the luma of `luminance_source`.

    Colours that leave the RGB cube are desaturated until they fit, so that the luma is exact.

    Args:
        image: `(height, width, 3)` in [0, 1].
        luminance_source: The same size: RGB, whose luma is taken, or that luma itself,
            `(height, width)`.

    Returns:
        float32 `(height, width, 3)` in [0, 1].

    Reference:
        Gatys et al., "Preserving Color in Neural Artistic Style Transfer", 2016, section 3.2
        (luminance-only transfer).
    """
    luma = luminance_source if luminance_source.ndim == 2 else luminance(luminance_source)
    luma = np.clip(luma, 0.0, 1.0)[..., None]
    chroma = image - luminance(image)[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):  # no chroma: no limit
        room = np.where(chroma > 0, (1.0 - luma) / chroma, luma / -chroma)
    room = np.min(np.where(chroma == 0, np.inf, room), axis=-1, keepdims=True)
    return np.clip(luma + np.minimum(room, 1.0) * chroma, 0.0, 1.0).astype("float32")


def match_colors(
    image: np.ndarray, target: np.ndarray, alpha: np.ndarray | None = None
) -> np.ndarray:
    """Returns the image with the mean colour and the colour covariance of the target.

    A pixel of the target counts as much as it is opaque: what a file stores under transparent
    pixels is arbitrary. (To fill these pixels first, as a network needs it, would count the
    colours at the border of the visible part several times.)

    The linear map is the symmetric one of the smallest change: with covariances S and T,
    `S^-1/2 (S^1/2 T S^1/2)^1/2 S^-1/2`, the optimal transport between Gaussians, where Gatys et al.
    take `T^1/2 S^-1/2`; both give the target's moments, this one without needless turns of hue.

    Args:
        image: `(height, width, 3)` in [0, 1].
        target: The same, of any size.
        alpha: Opacity of the target, `(height, width)` in [0, 1]. Default: opaque.

    Returns:
        float32 `(height, width, 3)`, clipped to [0, 1]; the image itself if nothing of the target
        can be seen.

    Reference:
        - Gatys et al., "Preserving Color in Neural Artistic Style Transfer", 2016, section 3.1.
        - Pitié & Kokaram, "The Linear Monge-Kantorovitch Linear Colour Mapping", CVMP 2007, eq. 8.
    """
    if alpha is not None and not np.any(alpha):
        return image
    source_mean, source = _color_moments(image)
    target_mean, covariance = _color_moments(target, alpha)
    root = _power(source, 0.5)
    inverse_root = _power(source, -0.5)
    transform = inverse_root @ _power(root @ covariance @ root, 0.5) @ inverse_root
    return np.clip((image - source_mean) @ transform + target_mean, 0, 1).astype("float32")


def fill_transparent(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Returns the image with the colours of its opaque parts spread under the transparent ones.

    What a file stores under transparent pixels is arbitrary; a network that looks at it paints a
    halo along the edge. The filling is smooth and depends on the visible colours alone (pull-push:
    averages weighted with alpha on ever coarser levels, then back).

    Args:
        image: `(height, width, 3)` in [0, 1].
        alpha: `(height, width)` in [0, 1].

    Returns:
        float32 `(height, width, 3)`; the image itself where alpha is 1.

    Reference:
        Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4 (pull-push).
    """
    alpha = alpha[..., None].astype("float32")
    return _fill(np.concatenate([image * alpha, alpha], axis=-1))


def _fill(premultiplied):
    """Pull-push on one level: `(height, width, 4)`, colours times alpha, and alpha."""
    height, width = premultiplied.shape[:2]
    alpha = premultiplied[..., 3:]
    if min(height, width) == 1:
        total = premultiplied.sum(axis=(0, 1))
        behind = total[:3] / total[3] if total[3] > 0 else np.full(3, 0.5, "float32")
    else:
        half = -(-height // 2), -(-width // 2)
        coarser = resize_channels(premultiplied, half, Image.Resampling.BOX)
        gain = np.minimum(coarser[..., 3:] * 4, 1) / np.maximum(coarser[..., 3:], 1e-12)
        filled = _fill(coarser * gain)
        behind = resize_channels(filled, (height, width), Image.Resampling.BILINEAR)
    return premultiplied[..., :3] + (1 - alpha) * behind


def _color_moments(image, alpha=None):
    pixels = image.reshape(-1, 3).astype("float64")
    weights = None if alpha is None else np.ravel(alpha).astype("float64")
    covariance = np.cov(pixels.T, bias=True, aweights=weights)
    return np.average(pixels, axis=0, weights=weights), covariance + 1e-6 * np.eye(3)


def _power(matrix, exponent):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, 1e-12) ** exponent) @ vectors.T
