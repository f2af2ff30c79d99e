"""Paints every content, picture or clip, in every style.

stylegan-transfer stylize --content=photo.jpg --style=painting.jpg --output=out.png
stylegan-transfer stylize --content=PHOTOS --style=a.jpg --style=b.jpg --output=DIR
stylegan-transfer stylize --content=photo.jpg --style=a.jpg:0.7 --style=b.jpg:0.3 --output=c.png
"""

import contextlib
import dataclasses
import functools
import json
import pathlib
import sys
from collections.abc import Sequence

from stylegan_transfer import hub
from stylegan_transfer.atomic import remove_leftovers, renamed_when_done
from stylegan_transfer.commands import launch
from stylegan_transfer.commands.pairs import CONTACT_SHEET, is_clip
from stylegan_transfer.commands.stylization.options import StylizeOptions
from stylegan_transfer.commands.stylization.plan import Plan, make_plan
from stylegan_transfer.commands.stylization.record import Makings
from stylegan_transfer.commands.stylization.unfinished import is_unfinished
from stylegan_transfer.commands.timing import Timer

CELL_SIZE = 256  # pixels, of the contact sheet
CONTACT_SHEET_LIMIT = 600  # pictures


def main(argv: Sequence[str]) -> int:
    """Stylises as the flags say; returns the exit code."""
    flags = launch.Flags(argv, __doc__, StylizeOptions)
    return stylize(flags.make(StylizeOptions), verbose=flags.verbose)


def stylize(options: StylizeOptions, verbose: bool = False) -> int:
    """Paints what the options name; returns 0, or 1 if something of it failed.

    A broken file does not stop the others. What fails is printed at the end.

    Args:
        options: What, in which styles, how, and where it goes.
        verbose: Whether to print where the time went.

    Raises:
        FileExistsError: A result exists and may not be replaced.
        FileNotFoundError: Something that is named does not exist.
        InterruptedError: Ctrl-C or SIGTERM came; the message says how much is done.
        ValueError: The options do not fit together or to the files.
    """
    timer = Timer()
    options = dataclasses.replace(options, generator=hub.find(options.generator))
    makings = Makings(options)
    plan = make_plan(options, makings)
    for note in plan.notes:
        print(note)
    earlier = _read_reports(plan.report) if plan.report and options.resume else {}
    from stylegan_transfer.runtimes.loading import load_generator

    with timer("loading the generator"):
        generator = load_generator(options.generator, options.runtime, options.precision)
    # While onnxruntime reads the graphs, in a thread of its own.
    from stylegan_transfer.commands.stylization.bar import Bar
    from stylegan_transfer.commands.stylization.paint import Painter

    if plan.record is not None:
        remove_leftovers(plan.record.path.parent)
        for job in plan.todo:
            plan.record.plan(job)
        plan.record.save()
    with contextlib.closing(Bar(len(plan.todo))) as bar:
        if len(plan.todo) > 1 or options.quality != "fast":
            bar.show()
        painter = Painter(generator, options, makings, plan.record, timer, bar)
        try:
            painter.paint(plan.todo)
        except KeyboardInterrupt:
            raise InterruptedError(_describe_rest(plan, painter)) from None
        finally:
            _keep(plan, painter, earlier)
    missing = {*plan.todo} - painter.done
    kept, done = len(plan.jobs) - len(plan.todo), [j for j in plan.jobs if j not in missing]
    if len(plan.jobs) > 1:
        sheet = pathlib.Path(options.output) / CONTACT_SHEET
        with painter.guard(sheet):
            _save_contact_sheet(plan, done, sheet)
    before = f", {kept} of them before" if kept else ""
    print(f"Wrote {len(done)} of {len(plan.jobs)} pictures{before}: {options.output}")
    for job, report in painter.reports.items():
        print(f"{job.output}: {report}")
    if verbose:
        print(timer.report())
    for failure in painter.failures:
        print(f"Error: {failure}", file=sys.stderr)
    return 1 if painter.failures else 0


def _keep(plan, painter, earlier):
    """Writes what is known of the results so far, however the painting ended."""
    if plan.record is not None:
        with painter.guard(plan.record.path):
            plan.record.save()
    if painter.reports:
        with painter.guard(plan.report):
            _save_reports(painter.reports, earlier, plan.report)


def _describe_rest(plan, painter):
    done = len(plan.jobs) - len(plan.todo) + len(painter.done)
    can_resume = plan.record is not None or any(map(is_unfinished, plan.todo))
    how = "; the same command with --resume goes on from there" if can_resume else ""
    return f"{done} of {len(plan.jobs)} pictures are done{how}"


def _save_contact_sheet(plan: Plan, done, path):
    """One page of all results, where there are not too many of them."""
    from stylegan_transfer.pictures.contact_sheet import make_contact_sheet
    from stylegan_transfer.pictures.files import load_image, save_image

    outputs = {(job.content, job.style): job.output for job in done}
    styles = [style for style in plan.styles if any(s == style for _, s in outputs)]
    contents = [content for content in plan.contents if not is_clip(content)]
    contents = [c for c in contents if all((c, style) in outputs for style in styles)]
    if not outputs or not contents or len(contents) * len(styles) > CONTACT_SHEET_LIMIT:
        return
    load = functools.partial(load_image, max_short_side=CELL_SIZE)
    sheet = make_contact_sheet(
        [load(content) for content in contents],
        [load(style.paths[0]) for style in styles],
        [[load(outputs[content, style]) for style in styles] for content in contents],
        CELL_SIZE,
    )
    save_image(sheet, path)


def _read_reports(path):
    """The rows of an earlier run."""
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(
            f"Expected the report of an earlier run. Received: {path} ({error})"
        ) from None


def _save_reports(reports, earlier, path):
    """Writes reports to a file, beside the earlier ones."""
    rows = {
        str(job.output): {"verdict": report.verdict, **dataclasses.asdict(report)}
        for job, report in reports.items()
    }
    with renamed_when_done(path) as temporary:
        temporary.write_text(json.dumps({**earlier, **rows}, indent=2) + "\n", encoding="utf-8")
