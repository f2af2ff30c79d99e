"""The report of `evaluate.py`: JSON, Markdown, a plot, and a page that holds all of it."""

import base64
import html
import io
import itertools
import json
import pathlib
from collections.abc import Collection

import numpy as np
from PIL import Image

from stylegan_transfer.atomic import renamed_when_done

FIGURES = {  # name: head of the column, explanation
    "content": ("content ↓", "Mean squared error to the photograph's instance-normalised maps."),
    "gram": ("Gram ↓", "Relative squared distance to the painting's Gram matrices."),
    "moments": ("moments ↓", "The same of the channels' means and deviations."),
    "retrieval": ("retrieved ↑", "How often the nearest painting, by moments, is the right one."),
    "ssim": ("SSIM", "Structural similarity to the photograph's luminance; 1: untouched."),
    "lpips_like": ("LPIPS-like", "Distance to the photograph's maps at unit length; 0: untouched."),
    "colors": ("colours ↓", "Hellinger distance to the painting's colour histogram, 0 to 1."),
    "grid": ("grid ↓", "Power at periods of 2, 4, 8 pixels over its neighbours; above 4 it shows."),
    "patches": (
        "patches ↓",
        "Correlation of the best patches with any of the painting; 1: copied.",
    ),
    "own": ("own ↑", "Share that is neither a copy of the painting nor hardly changed."),
    "kernel": ("kernel ↓", "Squared discrepancy of all results from all paintings, by moments."),
}
MAIN_FIGURES = ("content", "gram", "moments", "retrieval", "ssim", "grid")
MARKERS = "<!-- results -->", "<!-- /results -->"

_THUMBNAIL = 160  # pixels; about 10 KB
_MAX_STYLES, _MAX_THUMBNAILS = 8, 220

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


def save(report: dict, gallery: "Gallery", folder: pathlib.Path) -> None:
    """Writes report.json, report.md, plot.svg and report.html into the folder."""
    _write(folder / "report.json", json.dumps(report, indent=1) + "\n")
    _write(folder / "report.md", render_markdown(report))
    save_plot(folder / "plot.svg", report)
    _write(folder / "report.html", render_page(report, gallery))


def update(path: str, report: dict) -> None:
    """Replaces what stands between a file's markers by the Markdown table of `MAIN_FIGURES`.

    Raises:
        ValueError: As `split_at_markers`.
    """
    before, after = split_at_markers(path)
    table = f"{MARKERS[0]}\n{render_markdown(report, MAIN_FIGURES)}{MARKERS[1]}"
    _write(pathlib.Path(path), before + table + after)


def save_plot(path: str, report: dict) -> None:
    """Writes the plot into an SVG file."""
    _write(pathlib.Path(path), render_plot(report))


def split_at_markers(path: str) -> tuple[str, str]:
    """Returns what stands before and after a file's markers.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It does not have each marker once, in their order.
    """
    text = pathlib.Path(path).read_text(encoding="utf-8")
    before, start, rest = text.partition(MARKERS[0])
    _, end, after = rest.partition(MARKERS[1])
    if not (start and end) or any(text.count(marker) > 1 for marker in MARKERS):
        raise ValueError(f"Expected {' and '.join(MARKERS)}, each once. Received: {path}")
    return before, after


def _write(path, text):
    with renamed_when_done(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def measure_coverage(rows: list[dict], reference: str) -> dict:
    """Returns which share of the way of some results each generator goes.

    The way leads from the Gram distance of the untouched photographs to that of the results. A
    generator's Gram distance is taken at the results' content distance, between its strengths;
    None for one that never goes as far from the photographs.

    Args:
        rows: All rows of a report.
        reference: The name of a row of results.
    """

    def mean(row, figure):
        return row["figures"][figure]["mean"]

    way = next(row for row in rows if row["name"] == reference)
    start = mean(rows[0], "gram")  # the first row is the photographs'
    shares = {}
    for name in dict.fromkeys(row["generator"] for row in rows if row["generator"]):
        points = [(0.0, start)]
        points += [(mean(r, "content"), mean(r, "gram")) for r in rows if r["generator"] == name]
        content, gram = np.transpose(sorted(points))
        reached = np.interp(mean(way, "content"), content, gram, right=np.nan)
        share = float((start - reached) / (start - mean(way, "gram")))
        shares[name] = None if np.isnan(share) else share
    return {"reference": reference, "content": mean(way, "content"), "shares": shares}


# Text.


def summarize(row: dict) -> str:
    """Returns a row in one line."""
    means = (f"{head} {row['figures'][key]['mean']:.3f}" for key, head in _columns([row]).items())
    return f"{row['name']}: {', '.join(means)}"


def render_markdown(report: dict, figures: Collection[str] = tuple(FIGURES)) -> str:
    """Returns the table of all rows and these figures, but for those of single layers."""
    columns = {key: head for key, head in _columns(report["rows"]).items() if key in figures}
    lines = [f"| | {' | '.join(columns.values())} |", "|---" * (len(columns) + 1) + "|"]
    for row in report["rows"]:
        name = row["name"].replace("|", "\\|")
        cells = [f"*{name}*" if row["kind"] == "strength" else name]
        for key in columns:
            mean, interval = _format(row["figures"][key])
            cells.append(f"{mean} {interval}".strip())
        lines.append(f"| {' | '.join(cells)} |")
    paragraphs = [_describe(report), "\n".join(lines)]
    if "coverage" in report:
        paragraphs.append(_describe_coverage(report["coverage"]))
    return "\n\n".join(paragraphs) + "\n"


def _describe(report):
    flags = report["flags"]
    num_contents, num_styles = len(report["contents"]), len(report["styles"])
    return (
        f"{num_contents} photographs in {num_styles} styles, painted at a short side of "
        f"{flags['paint_size']} pixels and measured at {flags['measure_size']}. "
        f"Features: {', '.join(flags['features'])}; content: {', '.join(flags['content_layers'])}; "
        f"style: {', '.join(flags['style_layers'])}. Means, and 95 % intervals over photographs "
        "and styles."
    )


def _describe_coverage(coverage):
    """Returns what the generators reach of the reference, as a sentence each."""
    name, content = coverage["reference"], coverage["content"]
    sentences = [
        f"{generator} never comes as far from the photographs as {name}."
        if share is None
        else f"At the content distance of {name}, {content:.3f}, {generator} goes {share:.0%} of "
        "its way from the photographs' Gram distance."
        for generator, share in coverage["shares"].items()
    ]
    return " ".join(sentences)


def _columns(rows, by_layer=False):
    """Returns the heads of the figures that the rows have, of all layers together or of each."""
    keys = dict.fromkeys(key for row in rows for key in row["figures"])
    if by_layer:
        return {key: key.replace("/", " ") for key in keys if "/" in key}
    return {key: head for key, (head, _) in FIGURES.items() if key in keys}


def _format(figure):
    """Returns the mean and the interval as text."""
    interval = figure.get("interval")
    return f"{figure['mean']:.3f}", "[{:.3f}, {:.3f}]".format(*interval) if interval else ""


# The plot.


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


# The page.


class Gallery:
    """Thumbnails of the results of some rows, as many as a page of about 3 MB can hold.

    Args:
        contents: Pictures `(height, width, 3)` in [0, 1].
        styles: The same.
        rows: The names of the rows.
    """

    def __init__(self, contents, styles, rows):
        styles = styles[:_MAX_STYLES]
        num_contents = max(1, _MAX_THUMBNAILS // (len(styles) * max(1, len(rows))))
        self._contents = [_encode(content) for content in contents[:num_contents]]
        self._styles = [_encode(style) for style in styles]
        self._results = {row: {} for row in rows}

    def add(self, row: str, content: int, style: int, picture: np.ndarray) -> None:
        """Keeps the thumbnail of a result if the gallery has a place for it."""
        has_place = content < len(self._contents) and style < len(self._styles)
        if row in self._results and has_place:
            self._results[row][content, style] = _encode(picture)

    def render(self) -> str:
        """Returns a table: styles across; down the contents, each in all rows."""
        heads = "".join(f"<td>{style}</td>" for style in self._styles)
        lines = [f"<tr><th></th><th></th>{heads}</tr>"]
        for i, content in enumerate(self._contents):
            head = f'<td rowspan="{len(self._results)}">{content}</td>'
            for name, results in self._results.items():
                cells = "".join(f"<td>{results[i, j]}</td>" for j in range(len(self._styles)))
                lines.append(f"<tr>{head}<th>{html.escape(name)}</th>{cells}</tr>")
                head = ""
        return "\n".join(lines) if self._results else ""


def _encode(picture):
    """Returns a picture's thumbnail as an HTML element."""
    image = Image.fromarray(np.rint(255 * picture).astype("uint8"))
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="" src="data:image/jpeg;base64,{data}">'


def render_page(report: dict, gallery: Gallery) -> str:
    """Returns the whole report as one HTML file that needs nothing else."""
    meta = {key: value for key, value in report.items() if key != "rows"}
    explanations = (FIGURES[key] for key in _columns(report["rows"]))
    return _PAGE.format(
        description=html.escape(_describe(report)),
        table=_render_table(report["rows"], _columns(report["rows"])),
        coverage=html.escape(
            _describe_coverage(report["coverage"]) if "coverage" in report else ""
        ),
        plot=render_plot(report),
        explanations="".join(f"<dt>{head}<dd>{text}" for head, text in explanations),
        layers=_render_table(report["rows"], _columns(report["rows"], by_layer=True)),
        gallery=gallery.render(),
        meta=html.escape(json.dumps(meta, indent=1)),
    )


def _render_table(rows, columns):
    heads = "".join(f"<th><button>{head}</button></th>" for head in ("row", *columns.values()))
    lines = []
    for i, row in enumerate(rows):
        cells = f'<th data-value="{i}">{html.escape(row["name"])}</th>'
        for key in columns:
            mean, interval = _format(row["figures"][key])
            value = row["figures"][key]["mean"]
            cells += f'<td data-value="{value}">{mean}<small>{interval}</small></td>'
        lines.append(f'<tr class="{row["kind"]}">{cells}</tr>')
    body = "\n".join(lines)
    return (
        f'<table class="sortable"><thead><tr>{heads}</tr></thead><tbody>\n{body}\n</tbody></table>'
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Evaluation</title>
<style>
:root {{ color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif }}
body {{ margin: 2rem }}
p, dl {{ max-width: 50rem }}
.wide {{ overflow-x: auto }}
table {{ border-collapse: collapse; white-space: nowrap }}
td, th {{ padding: .3rem .6rem; border-bottom: 1px solid #8884; text-align: left }}
small {{ display: block; opacity: .7 }}
.bracket th, .strength th {{ font-weight: 400 }}
.strength th {{ padding-left: 1.8rem }}
thead button {{ all: unset; cursor: pointer }}
thead button:focus-visible {{ outline: 2px solid }}
[aria-sort=ascending] button {{ text-decoration: underline }}
[aria-sort=descending] button {{ text-decoration: overline }}
details {{ margin: 1rem 0 }}
dt {{ font-weight: 600 }}
img, svg {{ display: block }}
</style>
</head>
<body>
<h1>Evaluation</h1>
<p>{description}</p>
<div class="wide">{table}</div>
<p>{coverage}</p>
{plot}
<details><summary>What the figures say</summary><dl>{explanations}</dl></details>
<details><summary>Layer by layer</summary><div class="wide">{layers}</div></details>
<div class="wide"><table>{gallery}</table></div>
<details><summary>Versions, flags and checksums</summary><pre>{meta}</pre></details>
<script>
for (const head of document.querySelectorAll(".sortable thead th")) head.onclick = () => {{
  const value = row => Number(row.cells[head.cellIndex].dataset.value);
  const sign = head.ariaSort === "ascending" ? -1 : 1;
  for (const other of head.parentNode.cells) other.ariaSort = null;
  head.ariaSort = sign === 1 ? "ascending" : "descending";
  const body = head.closest("table").tBodies[0];
  body.append(...[...body.rows].sort((a, b) => sign * (value(a) - value(b))));
}};
</script>
</body>
</html>
"""
