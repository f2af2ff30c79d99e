"""The files of the report: JSON, Markdown, a plot, and a page that holds all of it."""

import base64
import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import platform
from collections.abc import Iterable, Mapping, Sequence

from stylegan_transfer import __version__, hub, shipped
from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.commands.evaluation import plot, tables
from stylegan_transfer.commands.evaluation.options import EvaluateOptions
from stylegan_transfer.commands.stylization.record import hash_file

MARKERS = "<!-- results -->", "<!-- /results -->"
INSTALL = 'pip install "stylegan_transfer[evaluate]"'


def missing_packages() -> list[str]:
    """Returns which packages for the page and the plot are not installed."""
    return [name for name in ("jinja2", "matplotlib") if importlib.util.find_spec(name) is None]


def describe_run(
    contents: Sequence[pathlib.Path],
    styles: Sequence[pathlib.Path],
    generators: Mapping[str, str | None],
    results: Mapping[str, Mapping],
    options: EvaluateOptions,
) -> dict:
    """Returns the report without its rows: all that they depend on."""
    files = [*contents, *styles]
    files += [hub.find(path) or shipped.GENERATOR for path in generators.values()]
    files += [file for of_row in results.values() for file in of_row.values()]
    files += [path for path in map(pathlib.Path, options.features) if path.is_file()]
    packages = ("tensorflow", "keras", "numpy")
    return {
        "versions": {
            "python": platform.python_version(),
            **{package: importlib.metadata.version(package) for package in packages},
            "stylegan_transfer": __version__,
        },
        "seed": options.seed,
        "flags": dataclasses.asdict(options),
        "sha256": {str(path): hash_file(path) for path in files},
        "contents": [path.stem for path in contents],
        "styles": [path.stem for path in styles],
        "rows": [],
    }


def save(report: Mapping, gallery: Iterable, folder: pathlib.Path) -> None:
    """Writes report.json and report.md; plot.svg and report.html if their packages are there."""
    _write(folder / "report.json", json.dumps(report, indent=1) + "\n")
    _write(folder / "report.md", tables.render_markdown(report))
    if not missing_packages():
        save_plot(folder / "plot.svg", report)
        _write(folder / "report.html", render_page(report, gallery))


def save_clips(report: Mapping, text: str, folder: pathlib.Path) -> None:
    """Writes report.json, and report.md with a text above its table."""
    _write(folder / "report.json", json.dumps(report, indent=1) + "\n")
    _write(
        folder / "report.md", f"{tables.escape(text)}\n\n{tables.render_table(report['rows'])}\n"
    )


def save_plot(path: str | os.PathLike, report: Mapping) -> None:
    """Writes the plot into an SVG file."""
    _write(path, plot.render_plot(report))


def update(path: str | os.PathLike, report: Mapping) -> None:
    """Replaces what stands between a file's markers by the Markdown table of `MAIN_FIGURES`.

    Raises:
        ValueError: As `split_at_markers`.
    """
    before, after = split_at_markers(path)
    table = tables.render_markdown(report, tables.MAIN_FIGURES)
    _write(path, f"{before}{MARKERS[0]}\n{table}{MARKERS[1]}{after}")


def split_at_markers(path: str | os.PathLike) -> tuple[str, str]:
    """Returns what stands before and after a file's markers.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It does not have each marker once, in their order.
    """
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
    except UnicodeError as error:
        raise ValueError(f"Expected a text in UTF-8. Received: {path} ({error})") from error
    before, start, rest = text.partition(MARKERS[0])
    _, end, after = rest.partition(MARKERS[1])
    if not (start and end) or any(text.count(marker) > 1 for marker in MARKERS):
        raise ValueError(f"Expected {' and '.join(MARKERS)}, each once. Received: {path}")
    return before, after


def render_page(report: Mapping, gallery: Iterable) -> str:
    """Returns the whole report as one HTML file that needs nothing else.

    Args:
        report: As report.json holds it.
        gallery: A `Gallery`.

    Raises:
        ImportError: Jinja2 or matplotlib is missing.
    """
    rows = report["rows"]
    columns = tables.list_columns(rows)
    coverage = report.get("coverage")
    svg = base64.b64encode(plot.render_plot(report).encode()).decode()
    return _load_template("report.html").render(
        description=tables.describe(report),
        rows=rows,
        columns=columns,
        layer_columns=tables.list_columns(rows, by_layer=True),
        coverage=tables.describe_coverage(coverage) if coverage else "",
        plot=f"data:image/svg+xml;base64,{svg}",
        explanations=[tables.FIGURES[key] for key in columns],
        gallery=gallery,
        meta=json.dumps({key: report[key] for key in report if key != "rows"}, indent=1),
        format_figure=tables.format_figure,
    )


def save_pairwise(page: Mapping, folder: pathlib.Path) -> None:
    """Writes pairwise.html, which needs nothing else.

    Args:
        page: As `Comparisons.describe` returns it.
        folder: Where.

    Raises:
        ImportError: Jinja2 is missing.
    """
    _write(folder / "pairwise.html", _load_template("pairwise.html").render(page=page))


def _load_template(name):
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _write(path, text):
    with renamed_when_done(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
