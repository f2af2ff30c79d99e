"""The page on which results are compared by eye, without knowing whose they are."""

import hashlib
import itertools
import json
import random
from collections.abc import Sequence

import numpy as np

from stylegan_transfer.commands.evaluation.gallery import encode

_SHOWN = {"max_side": 1024, "quality": 92}  # at 512 x 512 pixels some 100 KB a picture


class Comparisons:
    """Pairs of results of one content in one style, in random order and on random sides.

    Of all pairs of rows, contents and styles as many as asked for are drawn, every pair of rows
    equally often if it can be.

    Args:
        contents: Pictures `(height, width, 3)` in [0, 1].
        styles: The same.
        names: The names of contents and styles.
        rows: The names of the rows that are compared, two or more.
        count: How many comparisons; fewer if there are not so many.
        seed: Of the order and the sides.
    """

    def __init__(
        self,
        contents: Sequence[np.ndarray],
        styles: Sequence[np.ndarray],
        names: tuple[Sequence[str], Sequence[str]],
        rows: Sequence[str],
        count: int,
        seed: int,
    ):
        self._names = names
        self._drawn = _draw(len(contents), len(styles), rows, count, random.Random(seed))
        self._pictures = {
            **{f"content {i}": encode(contents[i], **_SHOWN) for i, *_ in self._drawn},
            **{f"style {j}": encode(styles[j], **_SHOWN) for _, j, *_ in self._drawn},
        }

    def add(self, row: str, content: int, style: int, picture: np.ndarray) -> None:
        """Keeps a result if it is compared."""
        if any((content, style) == (i, j) and row in sides for i, j, *sides in self._drawn):
            self._pictures[_key(content, style, row)] = encode(picture, **_SHOWN)

    def describe(self) -> dict:
        """Returns what the page shows: its comparisons, their pictures, and a name of its own."""
        contents, styles = self._names
        comparisons = [
            {
                "content": contents[i],
                "style": styles[j],
                "left": left,
                "right": right,
                "pictures": {
                    "content": f"content {i}",
                    "style": f"style {j}",
                    "left": _key(i, j, left),
                    "right": _key(i, j, right),
                },
            }
            for i, j, left, right in self._drawn
        ]
        page = {"comparisons": comparisons, "pictures": self._pictures}
        return {"id": hashlib.sha256(json.dumps(page).encode()).hexdigest()[:16], **page}


def _draw(num_contents, num_styles, rows, count, rng):
    """Contents, styles, and the rows to the left and to the right."""
    drawn = []
    for pair in itertools.combinations(rows, 2):
        places = list(itertools.product(range(num_contents), range(num_styles)))
        rng.shuffle(places)
        drawn.append([(*place, *rng.sample(pair, 2)) for place in places])
    in_turns = itertools.chain.from_iterable(zip(*drawn, strict=True))
    drawn = list(itertools.islice(in_turns, count))
    rng.shuffle(drawn)
    return drawn


def _key(content, style, row):
    return f"result {content} {style} {row}"
