"""The plot of `evaluate.py`: style distance against content distance, as SVG."""

import html
import itertools

from evaluation_tables import summarize

_COLORS = ("#4e79a7", "#e15759", "#59a14f", "#b07aa1", "#f28e2b", "#76b7b2", "#9c755f")
_WIDTH, _HEIGHT = 760, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 744, 16, 432  # what the axes enclose
_PLOT = f"""<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}">
<style>
.plot {{{{ color: #222; background: #fff; font: 12px sans-serif; max-width: {_WIDTH}px }}}}
.plot text {{{{ fill: currentColor }}}} .plot polyline {{{{ stroke-width: 2 }}}}
@media (prefers-color-scheme: dark) {{{{ .plot {{{{ color: #ddd; background: #222 }}}} }}}}
</style>
{{parts}}
</svg>
"""


def render_plot(report: dict) -> str:
    """Returns an SVG: Gram over content distance, each generator a line through its strengths."""
    rows = sorted(report["rows"], key=lambda row: row["kind"] == "strength")  # labelled last
    content, gram = ([row["figures"][key]["mean"] for row in rows] for key in ("content", "gram"))
    x_of, y_of = _make_scale(content, _LEFT, _RIGHT), _make_scale(gram, _BOTTOM, _TOP)
    points = [(x_of(x), y_of(y)) for x, y in zip(content, gram, strict=True)]
    generators = dict.fromkeys(row["generator"] for row in rows if row["generator"])
    results = [row["name"] for row in rows if row["kind"] == "results"]
    colors = dict(zip([*generators, *results], itertools.cycle(_COLORS), strict=False))

    parts = _render_axes(x_of, max(content), y_of, max(gram))
    for name in generators:
        line = [i for i, row in enumerate(rows) if row["generator"] == name]
        line.sort(key=lambda i: rows[i]["strength"])
        path = " ".join("{:.1f},{:.1f}".format(*points[i]) for i in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colors[name]}"/>')
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    for row, point in zip(rows, points, strict=True):
        color = colors.get(row["generator"] or row["name"], "currentColor")
        parts.append(_render_point(row, *point, color, taken))
    return _PLOT.format(parts="\n".join(parts))


def _render_point(row, x, y, color, taken):
    is_part = row["kind"] == "strength"
    label = _place_label(f"{row['strength']:g}" if is_part else row["name"], x, y, taken)
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3 if is_part else 5}" fill="{color}">'
        f"<title>{html.escape(summarize(row))}</title></circle>{label}"
    )


def _make_scale(values, start, end):
    """Returns the function from a value to its place on an axis that begins at 0."""
    top = 1.08 * max(values) or 1.0
    return lambda value: start + (end - start) * value / top


def _render_axes(x_of, x_max, y_of, y_max):
    parts = [f'<path d="M{_LEFT},{_TOP}V{_BOTTOM}H{_RIGHT}" fill="none" stroke="currentColor"/>']
    texts = [(_RIGHT, _BOTTOM + 36, "end", "content distance")]
    texts += [(_LEFT + 8, _TOP + 4, "start", "Gram distance")]
    texts += [(x_of(value), _BOTTOM + 18, "middle", f"{value:g}") for value in _ticks(x_max)]
    texts += [(_LEFT - 8, y_of(value) + 4, "end", f"{value:g}") for value in _ticks(y_max)]
    for x, y, anchor, text in texts:
        parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>')
    return parts


def _ticks(top):
    """Returns at most 8 round numbers from 0 on."""
    steps = (digit * 10.0**power for power in range(-6, 9) for digit in (1, 2, 5))
    step = next(step for step in steps if top / step < 8)
    return [i * step for i in range(int(top / step) + 1)]


def _place_label(text, x, y, taken):
    """Returns the label of a point, put where nothing is; its box joins the taken ones."""
    width, height = 6.4 * len(text), 12
    for dx, dy in [(9, 4), (-9 - width, 4), (-width / 2, -9), (-width / 2, 19), (9, -9), (9, 17)]:
        left, top, right, bottom = box = (x + dx, y + dy - height, x + dx + width, y + dy)
        is_inside = left > _LEFT and right < _WIDTH and bottom < _BOTTOM
        if is_inside and all(
            left > b[2] or right < b[0] or top > b[3] or bottom < b[1] for b in taken
        ):
            break
    taken.append(box)
    return f'<text x="{left:.1f}" y="{bottom:.1f}">{html.escape(text)}</text>'
