"""An exported `TransportGenerator`: two graphs, and the matrices between them, by NumPy."""

import contextlib
import functools
import threading
from collections.abc import Iterator

import numpy as np

from stylegan_transfer.runtimes.exported import ExportedGenerator, check_images
from stylegan_transfer.runtimes.palette import map_colors, palette_maps
from stylegan_transfer.runtimes.roots import transport_matrix

_EPSILON = 1e-5  # as in `networks.normalization`
_LOCK = threading.Lock()  # of the number of threads, which is the process's


class ExportedTransportGenerator(ExportedGenerator):
    """A transport generator as exported graphs; see `ExportedGenerator`.

    The first graph gives the content's maps and their statistics, the second paints. What moves
    the maps onto a style is computed in between, in float64.
    """

    _analysed = (None, None)  # the last content, and what the first graph made of it

    @property
    def length_of_codes(self) -> int:
        """Length of a code: w, and the statistics of the levels and of the colours."""
        deepest, *others = self._description.levels
        statistics = 2 * deepest + sum(size * (1 + size) for size in (*others, 3))
        return self._description.code_size + statistics

    def synthesize(
        self, content, codes, masks=None, moments=None, noise=None, return_moments=False
    ):
        content = check_images("content", content)
        height, width = content.shape[1:3]
        codes = self.in_full(codes, masks)
        strides = sorted(set(self.strides), reverse=True)
        content = _pad_to_multiple(content, strides[0])
        names = [f"maps_{stride}" for stride in strides]
        *maps, own = self._analyse(content, [*names, "statistics"], is_tile=moments is not None)
        own = own if moments is None else moments[0]
        statistics = codes[..., self._description.code_size :]
        with _one_thread():
            moves = self._moves(own, statistics, strides)
        codes = codes[..., : self._description.code_size]
        feeds = dict(zip(names, maps, strict=True)) | moves | self.steer(codes, masks, noise)
        outputs = ["stylized", "palettes", *(["used_moments"] if return_moments else [])]
        feeds |= self.give(None if moments is None else moments[1])
        stylized, painted, *used = self.session("synthesize", feeds, outputs, moments is not None)
        stylized = np.ascontiguousarray(stylized[:, :height, :width])
        with _one_thread():
            if moments is None:
                wanted = statistics[:, :, -1, -12:].reshape(*codes.shape[:2], 4, 3)
                colors = palette_maps(painted, wanted)
            else:
                colors = moments[-1]
            stylized = map_colors(stylized, colors, None if masks is None else np.asarray(masks))
        return (stylized, [own, *used, colors]) if return_moments else stylized

    def _analyse(self, content, outputs, is_tile):
        """What the first graph gives; that of the last content is kept, for its next style."""
        known, results = self._analysed
        if is_tile or not np.array_equal(known, content):
            results = self.session("analyse", {"content": content}, outputs, is_tile)
            if not is_tile:
                self._analysed = content.copy(), results
        return results

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


def _pad_to_multiple(images, multiple):
    """Images of any size with rows and columns added below and to the right."""
    missing = [(0, -side % multiple) for side in images.shape[1:3]]
    return images if not np.any(missing) else np.pad(images, [(0, 0), *missing, (0, 0)], "reflect")


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Computes products in one thread: others would wait, busily, beside the next graph."""
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
