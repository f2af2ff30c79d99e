"""The figures as text: lines, Markdown tables and what follows from them."""

import pathlib
import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np

FIGURES = {  # name: head of the column, explanation
    "flicker": (
        "flicker, % ↓",
        "Mean absolute difference to the frame before, moved along, in percent of white.",
    ),
    "flicker_long": ("over 8 frames, % ↓", "The same to the frame 8 before."),
    "flicker_ratio": ("of frame by frame ↓", "Flicker over that of frames painted one by one."),
    "ghosting": (
        "ghosting ↓",
        "Difference to the frame painted alone, around moving edges, over that of two seeds; frame "
        "by frame: of the frame before, moved along.",
    ),
    "content": ("content ↓", "Mean squared error to the photograph's instance-normalised maps."),
    "gram": ("Gram ↓", "Relative squared distance to the painting's Gram matrices."),
    "moments": ("moments ↓", "The same of the channels' means and deviations."),
    "retrieval": ("retrieved ↑", "How often the nearest painting, by moments, is the right one."),
    "ssim": ("SSIM", "Structural similarity to the photograph's luminance; 1: untouched."),
    "lpips_like": ("LPIPS-like", "Distance to the photograph's maps at unit length; 0: untouched."),
    "colors": ("colours ↓", "Hellinger distance to the painting's colour histogram, 0 to 1."),
    "grid": ("grid ↓", "Power at periods of 2, 4, 8 pixels over its neighbours; above 4 it shows."),
    "hatching": (
        "hatching ↓",
        "How much more alike what is added to flat areas is in all styles than the paintings are; "
        "0: photographs and paintings; above 0.3 every style has the same strokes.",
    ),
    "halo": (
        "halo ↓",
        "How much lighter or darker flat ground is 2 to 16 pixels from edges than beyond 32, in "
        "its deviations; 0: photographs; 0.6: a glow shows; by chance: as the copies of the style.",
    ),
    "halo_gradient": (
        "halo gradient ↓",
        "How many times as steep flat ground is beside edges, smoothed over 4 pixels; 1: none.",
    ),
    "patches": (
        "patches ↓",
        "Correlation of the best patches with any of the painting; 1: copied.",
    ),
    "own": ("own ↑", "Share that is neither a copy of the painting nor hardly changed."),
    "kernel": ("kernel ↓", "Squared discrepancy of all results from all paintings, by moments."),
    "content_at_gram": (
        "content at equal Gram ↓",
        "Content distance where the generator's curve of strengths has a given Gram distance.",
    ),
    "gram_at_content": (
        "Gram at equal content ↓",
        "Gram distance where the generator's curve of strengths has a given content distance.",
    ),
}
MAIN_FIGURES = (
    *("content", "gram", "moments", "retrieval", "ssim", "grid", "hatching", "halo"),
    *("content_at_gram", "gram_at_content"),
)


def measure_coverage(rows: Sequence[Mapping], reference: str) -> dict:
    """Returns which share of the Gram gap between photographs and some results generators close.

    The gap leads from the Gram distance of the untouched photographs to that of the results. A
    generator's Gram distance is taken at the results' content distance, between its strengths, or
    at its largest content distance where that is less.

    Args:
        rows: All rows of a report.
        reference: The name of a row of results.

    Returns:
        The reference, its content distance, and for each generator the content distance and the
        share; shares are None where the results are no nearer to the styles than the photographs.
    """

    def mean(row, figure):
        return row["figures"][figure]["mean"]

    target = next(row for row in rows if row["name"] == reference)
    start = mean(rows[0], "gram")  # the first row is the photographs'
    gap = start - mean(target, "gram")
    shares = {}
    for name in dict.fromkeys(row["generator"] for row in rows if row["generator"]):
        points = [(0.0, start)]
        points += [(mean(r, "content"), mean(r, "gram")) for r in rows if r["generator"] == name]
        content, gram = np.transpose(sorted(points))
        at = min(mean(target, "content"), content[-1])
        share = float(start - np.interp(at, content, gram)) / gap if gap > 0 else None
        shares[name] = {"content": float(at), "share": share}
    return {"reference": reference, "content": mean(target, "content"), "generators": shares}


def summarize(row: Mapping) -> str:
    """Returns a row in one line."""
    means = (
        f"{head} {row['figures'][key]['mean']:.3f}" for key, head in list_columns([row]).items()
    )
    return f"{row['name']}: {', '.join(means)}"


def render_markdown(report: Mapping, figures: Collection[str] = tuple(FIGURES)) -> str:
    """Returns the table of all rows and these figures with what was measured how."""
    paragraphs = [escape(describe(report)), render_table(report["rows"], figures)]
    if "coverage" in report:
        paragraphs.append(escape(describe_coverage(report["coverage"])))
    return "\n\n".join(paragraphs) + "\n"


def render_table(rows: Sequence[Mapping], figures: Collection[str] = tuple(FIGURES)) -> str:
    """Returns the table of all rows and these figures, but for those of single layers."""
    heads = {key: head for key, head in list_columns(rows).items() if key in figures}
    lines = [f"| | {' | '.join(heads.values())} |", "|---" * (len(heads) + 1) + "|"]
    for row in rows:
        name = escape(row["name"])
        cells = [f"*{name}*" if row["kind"] == "strength" else name]
        for key in heads:
            mean, interval = format_figure(row["figures"].get(key))
            cells.append(f"{mean} {interval}".strip())
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def escape(text: str) -> str:
    """Returns text that Markdown shows as it is, in one line."""
    text = re.sub(r"[\\`*~\[\]<>|&$]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)
    return " ".join(text.split())


def describe(report: Mapping) -> str:
    """Returns what was measured how, in a few sentences."""
    flags = report["flags"]
    names = [pathlib.Path(source).name for source in flags["features"]]
    num_contents, num_styles = len(report["contents"]), len(report["styles"])
    text = (
        f"{num_contents} photographs in {num_styles} styles, painted at a short side of "
        f"{flags['paint_size']} pixels and measured at {flags['measure_size']}. "
        f"Features: {', '.join(names)}; content: {', '.join(flags['content_layers'])}; "
        f"style: {', '.join(flags['style_layers'])}. Means, and 95 % intervals over photographs "
        "and styles."
    )
    levels = [f"{FIGURES[key][0][:-2]} {level:.3f}" for key, level in report["equal"].items()]
    return f"{text} Equal means {' and '.join(levels)}." if levels else text


def describe_coverage(coverage: Mapping) -> str:
    """Returns what the generators reach of the reference, in a sentence each."""
    reference, sentences = f"“{coverage['reference']}”", []
    for name, reached in coverage["generators"].items():
        if reached["share"] is None:
            return f"{reference} is no nearer to the styles than the photographs: there is no gap."
        sentences.append(
            f"“{name}” closes {100 * reached['share']:.0f} % of the Gram gap between the "
            f"photographs and {reference}, at content distance {reached['content']:.3f} "
            f"({reference}: {coverage['content']:.3f})."
        )
    return " ".join(sentences)


def list_columns(rows: Sequence[Mapping], by_layer: bool = False) -> dict[str, str]:
    """Returns the heads of the figures that the rows have, of all layers together or of each."""
    keys = dict.fromkeys(key for row in rows for key in row["figures"])
    if by_layer:
        return {key: key.replace("/", " ") for key in keys if "/" in key}
    return {key: head for key, (head, _) in FIGURES.items() if key in keys}


def format_figure(figure: Mapping | None) -> tuple[str, str]:
    """Returns the mean and the interval as text; nothing for a figure that a row does not have."""
    if figure is None:
        return "", ""
    interval = figure.get("interval")
    return f"{figure['mean']:.3f}", "[{:.3f}, {:.3f}]".format(*interval) if interval else ""
