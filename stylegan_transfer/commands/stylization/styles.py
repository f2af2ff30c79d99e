"""How `stylize` encodes styles."""

import contextlib
import functools
import hashlib
import pathlib

import numpy as np

from stylegan_transfer import shipped
from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.commands.pairs import Style
from stylegan_transfer.commands.stylization.options import StylizeOptions
from stylegan_transfer.commands.stylization.record import hash_file
from stylegan_transfer.stylizing.codes import encode_style, join_codes

_LARGE_COLLECTION = 10  # paintings; the code of so many is kept in a file


class StyleEncoder:
    """Encodes styles as the options ask for.

    Args:
        generator: From `load_generator`.
        options: Of the run.
    """

    def __init__(self, generator, options: StylizeOptions):
        self._generator, self._options = generator, options
        self._encode_once = functools.cache(self._encode)

    def encode(self, style: Style, match=None) -> list[np.ndarray]:
        """Returns the style's code, in a list; with masks one for each painting.

        Without `match`, each style is encoded once.

        Args:
            style: The paintings and their weights.
            match: A content whose colours the paintings are given before. Default: none.
        """
        return self._encode_once(style) if match is None else self._encode(style, match)

    def _encode(self, style, match=None):
        options = self._options
        if options.mask:
            codes = [self._encode_paintings([path], None, match) for path in style.paths]
        else:
            codes = [self._encode_paintings(style.paths, style.weights, match)]
        if options.fine_style is None:
            return codes
        fine = self._encode_paintings([options.fine_style], None, match)
        return [join_codes(self._generator, c, fine, options.num_coarse_layers) for c in codes]

    def _encode_paintings(self, paths, weights, match):
        options = {"style_size": self._options.style_size, "weights": weights, "match": match}
        if match is not None or len(paths) < _LARGE_COLLECTION:
            return encode_style(self._generator, list(paths), **options)
        files = [(str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns) for p in paths]
        digest = hash_file(self._options.generator or shipped.GENERATOR)
        key = repr((digest, self._options.style_size, files, weights))
        return _kept(key, lambda: encode_style(self._generator, list(paths), **options))


def _kept(key, compute):
    """A code that takes long, from a file that is named after everything it depends on."""
    folder = pathlib.Path.home() / ".cache" / "stylegan_transfer"
    path = folder / f"{hashlib.sha256(key.encode()).hexdigest()}.npy"
    with contextlib.suppress(OSError, ValueError, EOFError):  # none, or a damaged one
        return np.load(path)
    code = compute()
    with contextlib.suppress(OSError), renamed_when_done(path) as temporary:
        np.save(temporary, code)
    return code
