"""The matrix that carries one covariance onto another, by NumPy."""

import numpy as np

_RIDGE = 0.02  # as in `networks.transport`


def transport_matrix(content_covariance: np.ndarray, style_covariance: np.ndarray) -> np.ndarray:
    """Returns the matrix of `networks.transport.transport_matrix`, float64.

    With C = L L' (Cholesky) it is `L'^-1 (L' S L)^1/2 L^-1`: there is one symmetric positive A with
    `A C A = S`, and this one takes the eigenvalues of a single matrix.

    Args:
        content_covariance: `(..., channels, channels)`.
        style_covariance: The same; the axes before broadcast.
    """
    content, style = (np.asarray(c, "float64") for c in (content_covariance, style_covariance))
    identity = np.eye(content.shape[-1])
    variance = np.trace(content, axis1=-2, axis2=-1)[..., None, None] / len(identity)
    factor = np.linalg.cholesky(content + (_RIDGE * variance + 1e-6) * identity)
    inverse = np.linalg.inv(factor)
    values, vectors = np.linalg.eigh(_transpose(factor) @ (style + 1e-6 * identity) @ factor)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]) @ _transpose(vectors)
    return _transpose(inverse) @ root @ inverse


def _transpose(matrix):
    return np.swapaxes(matrix, -2, -1)
