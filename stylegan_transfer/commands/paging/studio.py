"""Paints and judges what visitors of the page upload."""

import functools
import importlib.util
import os
import pathlib
from collections.abc import Callable, Sequence

import numpy as np

from stylegan_transfer.checks import expect
from stylegan_transfer.commands.paging.deadlines import Deadline
from stylegan_transfer.commands.paging.options import PageOptions
from stylegan_transfer.commands.paging.wishes import Wish
from stylegan_transfer.pictures.files import load_image, load_picture
from stylegan_transfer.pictures.picture import Picture
from stylegan_transfer.runtimes.loading import load_generator
from stylegan_transfer.stylizing.codes import encode_style
from stylegan_transfer.stylizing.qualities import QUALITIES
from stylegan_transfer.stylizing.stylize import load_refiner
from stylegan_transfer.stylizing.with_code import stylize_with_code

_JUDGED_SIZE = 512  # pixels of the short side; the verdict looks at half of it


class Studio:
    """One generator for all visitors. Its functions may be called from several threads.

    Args:
        options: Name the generator, and how much a visitor may ask for.
    """

    def __init__(self, options: PageOptions):
        self._options = options
        self._generator = load_generator(options.generator, options.runtime)

    @property
    def qualities(self) -> tuple[str, ...]:
        """What can be chosen: without TensorFlow, nothing but `fast`."""
        return tuple(QUALITIES) if self.can_judge else ("fast",)

    @property
    def can_judge(self) -> bool:
        """Whether there can be a verdict: it needs TensorFlow."""
        return importlib.util.find_spec("tensorflow") is not None

    def read(self, path: str | os.PathLike, what: str) -> Picture:
        """Returns an uploaded picture.

        Args:
            path: Of the file.
            what: What it is to be, for the message when there is none.

        Raises:
            ValueError: There is none, or it is broken or too large, or no longer there.
        """
        expect(path, f"a {what}", **{what: None})
        name = pathlib.Path(path).name
        expect(os.path.exists(path), f"a {what} that has not been deleted yet", **{what: name})
        return load_picture(path, name, max_pixels=self._options.max_megapixels * 1_000_000)

    def paint(
        self,
        content: Picture,
        styles: Sequence[Picture],
        wish: Wish,
        mask: np.ndarray | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Picture:
        """Returns the photograph, painted in one painting's style or in a mixture of two.

        Args:
            content: The photograph.
            styles: One painting or two.
            wish: How.
            mask: `(height, width)`: only where it is 1, the photograph is painted. Default:
                everywhere.
            progress: Called as `progress(done, total)`, in several rounds.

        Returns:
            A `Picture` of the photograph's size and kind.

        Raises:
            ImportError: The quality needs TensorFlow, which is not installed.
            TimeoutError: It takes longer than the options allow.
            ValueError: A picture is too small, or there are more paintings.
        """
        deadline = Deadline(self._options.time_limit)
        expect(1 <= len(styles) <= 2, "one painting or two", paintings=len(styles))
        pairs = zip(styles, wish.shares(len(styles)), strict=True)
        styles, weights = zip(*(pair for pair in pairs if pair[1] > 0), strict=True)
        looking = {
            "weights": weights,
            "style_size": wish.style_size,
            "match": content if wish.preserve_color == "match" else None,
        }
        code = encode_style(self._generator, styles, **looking)
        refiner = load_refiner(wish.quality, styles, **looking)
        deadline.check()
        return stylize_with_code(
            self._generator,
            content,
            code if mask is None else [code],
            masks=None if mask is None else [mask],
            strength=wish.strength,
            style_size=wish.style_size,
            preserve_color="luminance" if wish.preserve_color == "luminance" else None,
            seed=wish.seed,
            progress=deadline.watch(progress),
            refiner=refiner,
        )

    def judge(
        self,
        result: str | os.PathLike,
        content: str | os.PathLike,
        styles: Sequence[str | os.PathLike],
    ) -> str:
        """Returns what a result is, in words: "a copy of the style image" and so on.

        Args:
            result: File of the painted photograph.
            content: File of the photograph.
            styles: Files of the paintings; the one that the result is closest to counts.

        Raises:
            ImportError: TensorFlow is not installed.
            ValueError: A picture cannot be read.
        """
        from stylegan_transfer.measuring.originality import judge_originality

        load = functools.partial(load_image, max_short_side=_JUDGED_SIZE)
        reports = [
            judge_originality(load(result), load(content), load(style), self._features)
            for style in styles
        ]
        return max(reports, key=lambda report: report.style.patch_correlation).verdict

    @functools.cached_property
    def _features(self):
        from stylegan_transfer.networks.features import VGG19Features

        return VGG19Features()
