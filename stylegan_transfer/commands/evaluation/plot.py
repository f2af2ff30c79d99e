"""The plot of the report: style distance against content distance, as SVG."""

import io
import itertools
from collections.abc import Mapping

_COLORS = ("#4e79a7", "#e15759", "#59a14f", "#b07aa1", "#f28e2b", "#76b7b2", "#9c755f")
_PLACES = (  # of a label beside its point: offset in points, alignment
    ((7, 0), "left", "center"),
    ((-7, 0), "right", "center"),
    ((0, 7), "center", "bottom"),
    ((0, -7), "center", "top"),
    ((5, 8), "left", "bottom"),
    ((5, -8), "left", "top"),
    ((-5, -8), "right", "top"),
    ((-5, 8), "right", "bottom"),
)


def render_plot(report: Mapping) -> str:
    """Returns an SVG: Gram over content distance, each generator a line through its strengths.

    The point of the n-th row has the id `row-n`, the line of the n-th generator `line-n`; one
    report always gives the same text.

    Raises:
        ImportError: matplotlib is missing.
    """
    import matplotlib
    from matplotlib.figure import Figure

    rows = report["rows"]
    points = [tuple(row["figures"][key]["mean"] for key in ("content", "gram")) for row in rows]
    owners = [row["generator"] or row["name"] for row in rows]
    colored = dict.fromkeys(
        owner for owner, row in zip(owners, rows, strict=True) if row["kind"] != "bracket"
    )
    colors = dict(zip(colored, itertools.cycle(_COLORS), strict=False))
    generators = dict.fromkeys(row["generator"] for row in rows if row["generator"])

    figure = Figure(figsize=(7.6, 4.8))
    axes = figure.subplots(gridspec_kw={"left": 0.08, "right": 0.98, "bottom": 0.11, "top": 0.97})
    x_max, y_max = (1.08 * max(values) or 1.0 for values in zip(*points, strict=True))
    axes.set(xlim=(0, x_max), ylim=(0, y_max), xlabel="content distance", ylabel="Gram distance")
    axes.spines[["top", "right"]].set_visible(False)
    for i, name in enumerate(generators):
        line = [j for j, row in enumerate(rows) if row["generator"] == name]
        line.sort(key=lambda j: rows[j]["strength"])
        places = zip(*(points[j] for j in line), strict=True)
        axes.plot(*places, color=colors[name], clip_on=False, gid=f"line-{i}")
    for i, (row, point) in enumerate(zip(rows, points, strict=True)):
        size = 4 if row["kind"] == "strength" else 7
        color = colors.get(owners[i], "black")
        axes.plot(*point, "o", color=color, markersize=size, clip_on=False, gid=f"row-{i}")
    _label_points(axes, rows, points)

    file = io.BytesIO()
    settings = {"svg.fonttype": "none", "svg.hashsalt": "stylegan_transfer"}
    with matplotlib.rc_context(settings):  # text stays text; ids are alike in every run
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue().decode("utf-8")


def _label_points(axes, rows, points):
    """Names each row, and each strength, where nothing is yet."""
    from matplotlib.transforms import Bbox

    places = axes.transData.transform(points)
    taken = [Bbox.from_bounds(x - 4, y - 4, 8, 8) for x, y in places]
    inside, page = axes.bbox, axes.figure.bbox
    for i in sorted(range(len(rows)), key=lambda i: rows[i]["kind"] == "strength"):
        row = rows[i]
        text = f"{row['strength']:g}" if row["kind"] == "strength" else row["name"]
        for place in _PLACES:
            label = _annotate(axes, text, points[i], *place)
            box = label.get_window_extent()
            fits = inside.x0 < box.x0 and inside.y0 + 2 < box.y0 and box.x1 < page.x1
            if fits and not box.count_overlaps(taken):
                break
            label.remove()
        else:
            label = _annotate(axes, text, points[i], *_PLACES[0])
            box = label.get_window_extent()
        taken.append(box)


def _annotate(axes, text, point, offset, horizontal, vertical):
    return axes.annotate(
        text,
        point,
        offset,
        textcoords="offset points",
        horizontalalignment=horizontal,
        verticalalignment=vertical,
        fontsize=9,
        parse_math=False,  # names are the user's: a dollar is a dollar
    )
