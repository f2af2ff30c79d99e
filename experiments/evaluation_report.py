"""The report of `evaluate.py`: JSON, Markdown, a plot, and a page that holds all of it."""

import base64
import html
import io
import json
import pathlib

import numpy as np
from evaluation_plot import render_plot
from evaluation_tables import (
    FIGURES,
    MAIN_FIGURES,
    describe,
    describe_coverage,
    format_figure,
    list_columns,
    render_markdown,
)
from PIL import Image

from stylegan_transfer.atomic import renamed_when_done

MARKERS = "<!-- results -->", "<!-- /results -->"

_THUMBNAIL = 160  # pixels; about 10 KB
_MAX_STYLES, _MAX_THUMBNAILS = 8, 220


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
    explanations = (FIGURES[key] for key in list_columns(report["rows"]))
    return _PAGE.format(
        description=html.escape(describe(report)),
        table=_render_table(report["rows"], list_columns(report["rows"])),
        coverage=html.escape(describe_coverage(report["coverage"]) if "coverage" in report else ""),
        plot=render_plot(report),
        explanations="".join(f"<dt>{head}<dd>{text}" for head, text in explanations),
        layers=_render_table(report["rows"], list_columns(report["rows"], by_layer=True)),
        gallery=gallery.render(),
        meta=html.escape(json.dumps(meta, indent=1)),
    )


def _render_table(rows, heads):
    top = "".join(f"<th><button>{head}</button></th>" for head in ("row", *heads.values()))
    lines = []
    for i, row in enumerate(rows):
        cells = f'<th data-value="{i}">{html.escape(row["name"])}</th>'
        for key in heads:
            mean, interval = format_figure(row["figures"][key])
            value = row["figures"][key]["mean"]
            cells += f'<td data-value="{value}">{mean}<small>{interval}</small></td>'
        lines.append(f'<tr class="{row["kind"]}">{cells}</tr>')
    body = "\n".join(lines)
    return f'<table class="sortable"><thead><tr>{top}</tr></thead><tbody>\n{body}\n</tbody></table>'


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
