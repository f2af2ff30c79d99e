"""Generators compared at equal content and Gram distances."""

import itertools

import numpy as np
import pytest

from stylegan_transfer.commands.evaluation import curves
from stylegan_transfer.commands.evaluation.options import EvaluateOptions


def make_curve(name, *points):
    """Rows of a generator whose pairs, 3 x 2, all have the same content and Gram distances."""
    rows = []
    for strength, content, gram in points:
        means = {"content": content, "gram": gram}
        figures = {key: {"values": np.full((3, 2), mean)} for key, mean in means.items()}
        kind = "generator" if strength == 1 else "strength"
        rows.append({"name": name, "kind": kind, "generator": name, "figures": figures})
    return rows


def compare_at_equal(*curves_of, **levels):
    rows = [{"kind": "bracket", "generator": None}, *itertools.chain(*curves_of)]
    options = EvaluateOptions(content=("a",), style=("b",), output="c", **levels)
    equal = curves.compare_at_equal(rows, options)
    keys = ("content_at_gram", "gram_at_content")
    figures = {
        row["name"]: [row["figures"][key]["mean"] for key in keys if key in row["figures"]]
        for row in rows
        if row["kind"] == "generator"
    }
    return equal, figures


WIDE = [(1.0, 0.6, 0.2), (0.5, 0.2, 0.4)]
TIMID = [(1.0, 0.4, 0.3), (0.0, 0.0, 0.9)]


def test_generators_are_compared_at_the_largest_change_that_all_of_them_make():
    equal, figures = compare_at_equal(make_curve("wide", *WIDE), make_curve("timid", *TIMID))
    assert equal == pytest.approx({"content": 0.4, "gram": 0.3})
    # wide: from (0.2, 0.4) to (0.6, 0.2), so (0.4, 0.3) is on its line, too
    assert figures == {"wide": pytest.approx([0.4, 0.3]), "timid": pytest.approx([0.4, 0.3])}


def test_generators_are_compared_at_given_levels_if_they_reach_them():
    equal, figures = compare_at_equal(
        make_curve("wide", *WIDE), make_curve("timid", *TIMID), equal_content=0.5, equal_gram=0.35
    )
    assert equal == {"content": 0.5, "gram": 0.35}
    assert figures["wide"] == pytest.approx([0.3, 0.25])  # content at Gram, Gram at content
    assert figures["timid"] == pytest.approx([0.4 * 0.55 / 0.6])  # it never gets to content 0.5


def test_without_other_strengths_nothing_is_compared_at_equal_distance():
    assert compare_at_equal(make_curve("single", WIDE[0])) == ({}, {"single": []})
