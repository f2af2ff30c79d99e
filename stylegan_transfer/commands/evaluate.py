"""Measures how well generators, and folders of results, keep contents and meet styles.

stylegan-transfer evaluate --content=PHOTOS --style=PAINTINGS --output=DIR
stylegan-transfer evaluate --content=PHOTOS --style=PAINTINGS --output=DIR \\
    --generator=mine=runs/mine/generator.keras --results=theirs=FOLDER --pairwise
stylegan-transfer evaluate --choices=choices.json
stylegan-transfer evaluate --clip=CLIP --style=PAINTINGS --output=DIR
stylegan-transfer evaluate --clip=CLIP --style=PAINTING --output=DIR --results=theirs=PAINTED
stylegan-transfer evaluate --motions=pan,zoom --content=PHOTOS --style=PAINTINGS --output=DIR

DIR gets report.json and report.md, and with the packages of the extra `evaluate` report.html and
plot.svg. With --pairwise it also gets pairwise.html: a page on which you choose the better one of
two results, and save your choices; --choices makes a table of them. --clip and --motions measure
how much painted clips flicker: files, or rendered from photographs; report.json and report.md. With
--results they do so with clips that another program has painted: as many frames, of the same size.
"""

import dataclasses
import pathlib
from collections.abc import Sequence

from stylegan_transfer.atomic import check_place
from stylegan_transfer.commands import launch
from stylegan_transfer.commands.evaluation import choices, curves, inputs, report_files, tables
from stylegan_transfer.commands.evaluation.options import ChoicesOptions, EvaluateOptions


def main(argv: Sequence[str]) -> int:
    """Measures what the flags name and writes the report; returns the exit code."""
    flags = launch.Flags(argv, __doc__, EvaluateOptions, ChoicesOptions)
    chosen = flags.make(ChoicesOptions).choices
    if chosen:
        print(choices.render_table(choices.read_choices(chosen)))
    else:
        evaluate(flags.make(EvaluateOptions))
    return 0


def evaluate(options: EvaluateOptions) -> dict:
    """Returns the report, as report.json holds it, after writing all files of it.

    Args:
        options: What is measured and how.

    Raises:
        FileNotFoundError: A picture, clip, result or the file to update is not there.
        ImportError: A plot or the pairwise page is asked for, and a package of the extra `evaluate`
            is missing; or clips are measured without those of the extra `video`.
        ValueError: The file to update has no markers, or a picture cannot be read.
    """
    if options.is_of_clips:
        return _evaluate_clips(options)
    contents, styles = map(inputs.list_pictures, (options.content, options.style))
    results = {
        name: inputs.find_results(folder, contents, styles)
        for name, folder in options.named_results.items()
    }
    missing = report_files.missing_packages()
    for flag in ("plot", "pairwise"):
        if getattr(options, flag) and missing:
            raise ImportError(
                f"Expected {report_files.INSTALL} for --{flag}. Received: no {missing[0]}"
            )
    if options.update:
        report_files.split_at_markers(options.update)
    output = pathlib.Path(options.output)
    output.mkdir(parents=True, exist_ok=True)

    report, gallery, comparisons = _measure(options, contents, styles, results)
    report["equal"] = curves.compare_at_equal(report["rows"], options)
    if options.reference:
        report["coverage"] = tables.measure_coverage(report["rows"], options.reference)
    report_files.save(report, gallery, output)
    if options.pairwise:
        report_files.save_pairwise(comparisons.describe(), output)
    if options.update:
        report_files.update(options.update, report)
    if options.plot:
        report_files.save_plot(options.plot, report)
    if missing:
        print(f"Wrote {output / 'report.md'}; report.html and plot.svg need {report_files.INSTALL}")
    else:
        print(f"Wrote {output / 'report.html'}")
    return report


def _evaluate_clips(options):
    from stylegan_transfer.commands.evaluation import flicker_report

    output = pathlib.Path(options.output)
    check_place(output / "report.json")
    report = flicker_report.measure_clips(options)
    report_files.save_clips(report, flicker_report.describe(report), output)
    print(f"Wrote {output / 'report.md'}")
    return report


def _measure(options, contents, styles, results):
    """Returns the report with all rows, thumbnails of what was painted, and what is compared."""
    import tqdm

    from stylegan_transfer.commands.evaluation.gallery import Gallery
    from stylegan_transfer.commands.evaluation.measures import Measures
    from stylegan_transfer.commands.evaluation.pairwise import Comparisons
    from stylegan_transfer.commands.evaluation.rows import make_rows

    generators = options.named_generators
    rows = make_rows(generators, results, styles, options)
    measures = Measures(contents, styles, options)
    shown = [row.name for row in rows if row.kind in ("generator", "results")]
    gallery = Gallery(*measures.images, shown)
    report = report_files.describe_run(contents, styles, generators, results, options)
    names = report["contents"], report["styles"]
    count = options.num_comparisons if options.pairwise else 0
    comparisons = Comparisons(*measures.images, names, shown, count, options.seed)
    num_pictures = len(rows) * len(contents) * len(styles)
    with tqdm.tqdm(total=num_pictures, unit="picture", disable=None) as bar:
        for row, make_picture in rows.items():

            def show(content, style, picture, row=row):
                gallery.add(row.name, content, style, picture)
                comparisons.add(row.name, content, style, picture)
                bar.update()

            figures = measures.measure_row(make_picture, show)
            report["rows"].append({**dataclasses.asdict(row), "figures": figures})
            bar.write(tables.summarize(report["rows"][-1]))
    return report, gallery, comparisons
