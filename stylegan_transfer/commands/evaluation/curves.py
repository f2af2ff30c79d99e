"""Generators at equal content distance, and at equal Gram distance, by their strengths."""

from collections.abc import Mapping, Sequence

import numpy as np

from stylegan_transfer.commands.evaluation.options import EvaluateOptions
from stylegan_transfer.measuring.statistics import value_at


def compare_at_equal(rows: Sequence[Mapping], options: EvaluateOptions) -> dict[str, float]:
    """Adds `content_at_gram` and `gram_at_content` to the rows of generators at full strength.

    They are left out of generators that do not reach the level, or that have one strength only.

    Args:
        rows: All rows of a report.
        options: Its levels of content and Gram distance; where they say nothing, the largest change
            that all generators make: the least of their largest content distances, and the largest
            of their least Gram distances.

    Returns:
        The levels: "content" and "gram"; nothing without generators of several strengths.
    """
    curves = {
        row["generator"]: [r for r in rows if r["generator"] == row["generator"]]
        for row in rows
        if row["kind"] == "strength"
    }
    if not curves:
        return {}
    values = {
        name: {
            key: np.array([row["figures"][key]["values"] for row in curve])
            for key in ("content", "gram")
        }
        for name, curve in curves.items()
    }
    means = {key: [v[key].mean((1, 2)) for v in values.values()] for key in ("content", "gram")}
    levels = {
        "content": options.equal_content or float(min(m.max() for m in means["content"])),
        "gram": options.equal_gram or float(max(m.min() for m in means["gram"])),
    }
    for row in rows:
        if row["kind"] == "generator" and row["generator"] in curves:
            of_row = values[row["generator"]]
            for figure, along in (("content", "gram"), ("gram", "content")):
                found = value_at(levels[along], of_row[along], of_row[figure], seed=options.seed)
                if found:
                    summary = {"mean": found[0], "interval": found[1]}
                    row["figures"][f"{figure}_at_{along}"] = summary
    return levels
