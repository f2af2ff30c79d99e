"""An exported `TransportGenerator`: two graphs, and the matrices between them, by NumPy."""

import contextlib
import functools
import threading
from collections.abc import Iterator

import numpy as np

from stylegan_transfer.runtimes.exported import ExportedGenerator, check_images

_RIDGE = 0.02  # as in `networks.transport`
_EPSILON = 1e-5  # as in `networks.normalization`
_LOCK = threading.Lock()  # of the number of threads, which is the process's


class ExportedTransportGenerator(ExportedGenerator):
    """A transport generator as exported graphs; see `ExportedGenerator`.

    The first graph gives the content's maps and their statistics, the second paints. What moves
    the maps onto a style is computed in between, in float64.
    """

    @property
    def length_of_codes(self) -> int:
        """Length of a code: w, and the statistics of the levels."""
        deepest, *others = self._description.levels
        statistics = 2 * deepest + sum(size * (1 + size) for size in others)
        return self._description.code_size + statistics

    def synthesize(
        self, content, codes, masks=None, moments=None, noise=None, return_moments=False
    ):
        content = check_images("content", content)
        codes = self.in_full(codes, masks)
        strides = sorted(set(self.strides), reverse=True)
        names = [f"maps_{stride}" for stride in strides]
        *maps, own = self.session("analyse", {"content": content}, [*names, "statistics"])
        own = own if moments is None else moments[0]
        with _one_thread():
            moves = self._moves(own, codes[..., self._description.code_size :], strides)
        codes = codes[..., : self._description.code_size]
        feeds = dict(zip(names, maps, strict=True)) | moves | self.steer(codes, masks, noise)
        outputs = ["stylized", *(["used_moments"] if return_moments else [])]
        stylized, *used = self.session("synthesize", feeds | self.give(moments), outputs)
        height, width = content.shape[1:3]
        stylized = np.ascontiguousarray(stylized[:, :height, :width])
        return (stylized, [own, *used]) if return_moments else stylized

    def _moves(self, own, statistics, strides):
        """The matrices and shifts of all levels: the inputs of the second graph."""
        feeds, start = {}, 0
        for i, (stride, size) in enumerate(zip(strides, self._description.levels, strict=True)):
            rows = 1 + (size if i else 1)
            part = slice(start, start + rows * size)
            start = part.stop
            target = statistics[:, :, self.strides.index(stride), part]
            target = target.reshape(*target.shape[:2], rows, size)
            source = own[:, None, part].reshape(len(own), 1, rows, size)
            matrix = _covariance_matrix(source, target) if i else _deviation_matrix(source, target)
            shift = target[..., :1, :] - source[..., :1, :] @ matrix
            feeds[f"matrix_{stride}"] = matrix.astype("float32")
            feeds[f"shift_{stride}"] = shift[..., 0, :].astype("float32")
        return feeds


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Computes small products in one thread: others would wait, busily, beside the next graph."""
    with _LOCK, _find_blas().limit(limits=1, user_api="blas"):
        yield


@functools.cache
def _find_blas():
    import threadpoolctl

    return threadpoolctl.ThreadpoolController()


def _covariance_matrix(source, target):
    return transport_matrix(source[..., 1:, :], target[..., 1:, :])


def _deviation_matrix(source, target):
    """The diagonal matrix that gives each channel the target's deviation."""
    gains = np.sqrt((target[..., 1, :] + _EPSILON) / (source[..., 1, :] + _EPSILON))
    return gains[..., None] * np.eye(gains.shape[-1])


def transport_matrix(content_covariance: np.ndarray, style_covariance: np.ndarray) -> np.ndarray:
    """Returns the matrix of `networks.transport.transport_matrix`, float64.

    Args:
        content_covariance: `(..., channels, channels)`.
        style_covariance: The same; the axes before broadcast.
    """
    content_covariance = np.asarray(content_covariance, "float64")
    identity = np.eye(content_covariance.shape[-1])
    variance = np.trace(content_covariance, axis1=-2, axis2=-1)[..., None, None] / len(identity)
    root, inverse = _roots(content_covariance + (_RIDGE * variance + 1e-6) * identity)
    middle = root @ (np.asarray(style_covariance, "float64") + 1e-6 * identity) @ root
    return inverse @ _roots(middle)[0] @ inverse


def _roots(matrix):
    """The square root of a positive matrix, and the inverse of the root."""
    values, vectors = np.linalg.eigh(matrix)
    values = np.sqrt(np.maximum(values, 1e-10))[..., None, :]
    transposed = np.swapaxes(vectors, -2, -1)
    return (vectors * values) @ transposed, (vectors / values) @ transposed
