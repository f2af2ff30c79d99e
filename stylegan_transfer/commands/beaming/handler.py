"""The generator as Beam's RunInference takes it."""

import collections
import dataclasses
import functools
import math
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np
from apache_beam.ml.inference.base import ModelHandler, PredictionResult

from stylegan_transfer.commands.beaming.options import BeamOptions
from stylegan_transfer.commands.pairs import Style
from stylegan_transfer.pictures.files import load_image
from stylegan_transfer.pictures.picture import Picture
from stylegan_transfer.runtimes.loading import load_generator
from stylegan_transfer.stylizing.codes import encode_style, join_codes
from stylegan_transfer.stylizing.contents import repaint
from stylegan_transfer.stylizing.with_code import stylize_with_code

_PARTS = 8  # of a tile: as many small pictures wait for others of their size
_READ_FACTOR = 8  # as `encode_style` reads files

load_once = functools.cache(load_generator)  # a process has one, whichever thread asks


@dataclasses.dataclass(frozen=True, eq=False)
class Content:
    """A picture, and the names of the styles that it is to be painted in."""

    picture: Picture
    styles: tuple[str, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class StyleCode:
    """A style as it travels to the workers.

    Attributes:
        code: Of the style.
        weights: Shares of the paintings, or None.
        paintings: The encoded files, for codes that depend on the content (`match`), else none.
        fine: The file of `--fine_style`, likewise.
    """

    code: np.ndarray
    weights: tuple[float, ...] | None = None
    paintings: tuple[bytes, ...] = ()
    fine: bytes | None = None


def encode_styles(options: BeamOptions, styles: Sequence[Style]) -> dict[str, StyleCode]:
    """Returns the styles by name, encoded once for all workers.

    Raises:
        ImportError: The runtime is not installed.
        OSError: A file cannot be read.
        ValueError: A style or the generator is none.
    """
    generator = load_once(options.generator, options.runtime, options.precision)
    encoded = {}
    for style in styles:
        paths, fine = [*style.paths], options.fine_style
        code = _encode(generator, options, paths, style.weights, fine)
        if options.preserve_color == "match":
            files = tuple(path.read_bytes() for path in paths)
            fine = fine and pathlib.Path(fine).read_bytes()
            encoded[style.name] = StyleCode(code, style.weights, files, fine)
        else:
            encoded[style.name] = StyleCode(code)
    return encoded


class StyleHandler(ModelHandler[Content, PredictionResult, object]):
    """Paints contents, those of one size together.

    Beam hands over what comes next, of whatever size: enough that some will be alike, and no more
    than `batch_size` tiles in all.

    Args:
        options: Of the run.
        styles: From `encode_styles`.
    """

    def __init__(self, options: BeamOptions, styles: dict[str, StyleCode]):
        limit = _PARTS * options.batch_size
        super().__init__(
            min_batch_size=limit,
            max_batch_size=limit,
            element_size_fn=functools.partial(_weigh, limit, options.tile_size),
        )
        self._options, self._styles = options, styles

    def load_model(self) -> object:
        """Returns the generator, loaded at its first use in a process."""
        options = self._options
        return load_once(options.generator, options.runtime, options.precision)

    def run_inference(
        self, batch: Sequence[Content], model: object, inference_args: dict | None = None
    ) -> Iterator[PredictionResult]:
        """Yields for each content its paintings by style, or what went wrong, as an exception."""
        alike = collections.defaultdict(list)
        for index, content in enumerate(batch):
            alike[content.picture.pixels.shape, content.styles].append(index)
        painted = {}
        for (shape, _), indices in alike.items():
            fits = shape[0] * shape[1] <= self._options.tile_size**2
            size = self._options.batch_size if fits else 1
            if self._options.preserve_color == "match":
                size = 1  # each content has codes of its own
            for start in range(0, len(indices), size):
                some = indices[start : start + size]
                contents = [batch[index] for index in some]
                painted.update(zip(some, self._paint_alike(model, contents), strict=True))
        return (PredictionResult(c, painted[index]) for index, c in enumerate(batch))

    def get_num_bytes(self, batch: Sequence[Content]) -> int:
        """Returns the bytes of the pixels."""
        return sum(content.picture.pixels.nbytes for content in batch)

    def get_metrics_namespace(self) -> str:
        """Returns where Beam counts batches."""
        return "stylegan_transfer"

    def _paint_alike(self, generator, contents):
        """The paintings of contents of one size in the same styles; each by itself if it fails."""
        try:
            return self._paint(generator, contents)
        except (ValueError, OSError) as error:
            if len(contents) == 1:
                return [error]
            return [
                result for content in contents for result in self._paint_alike(generator, [content])
            ]

    def _paint(self, generator, contents):
        options = self._options
        pixels = np.stack([content.picture.pixels for content in contents])
        same = {
            "style_size": options.style_size,
            "seed": options.seed,
            "tileable": options.tileable,
            "tile_size": options.tile_size,
        }
        repainting = None
        if 0 < options.strength < 1:
            repainting = repaint(generator, pixels, **same)
        results = [{} for _ in contents]
        for style in contents[0].styles:
            painted = stylize_with_code(
                generator,
                pixels,
                self._find_code(generator, style, contents[0].picture),
                strength=options.strength,
                preserve_color="luminance" if options.preserve_color == "luminance" else None,
                repainting=repainting,
                **same,
            )
            for result, image in zip(results, painted, strict=True):
                result[style] = image[..., :3]
        return results

    def _find_code(self, generator, name, picture):
        style = self._styles[name]
        if not style.paintings:
            return style.code
        paintings = [_decode(file, self._options.style_size) for file in style.paintings]
        fine = style.fine and _decode(style.fine, self._options.style_size)
        return _encode(generator, self._options, paintings, style.weights, fine, picture)


def _encode(generator, options, paintings, weights, fine, match=None):
    """A style's code; one a layer if there is a fine style."""
    same = {"style_size": options.style_size, "match": match}
    code = encode_style(generator, paintings, weights=weights, **same)
    if fine is None:
        return code
    fine = encode_style(generator, fine, **same)
    return join_codes(generator, code, fine, options.num_coarse_layers)


@functools.lru_cache(maxsize=32)
def _decode(file, style_size):
    return load_image(file, max_short_side=_READ_FACTOR * style_size)


def _weigh(limit, tile_size, element):
    """How much of a batch a content takes, with its results."""
    _, content = element
    height, width = content.picture.image.shape[:2]
    tiles = height * width * len(content.styles) / tile_size**2
    return min(max(1, math.ceil(_PARTS * tiles)), limit)
