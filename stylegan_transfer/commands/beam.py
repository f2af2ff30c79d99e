"""Paints millions of pictures with Apache Beam: on this machine, Flink, Spark or Dataflow.

stylegan-transfer beam --content=PHOTOS --style=a.jpg --output=DIR --num_workers=2
stylegan-transfer beam --content=list.txt --style=a.jpg --style=b.jpg --output=DIR --resume
stylegan-transfer beam --content=gs://BUCKET/PHOTOS --style=a.jpg --output=gs://BUCKET/PAINTED \\
    --beam_options="--runner=DataflowRunner --project=PROJECT --region=REGION"
"""

import importlib.util
import os
import pathlib
import sys
from collections.abc import Sequence

from stylegan_transfer.atomic import remove_leftovers
from stylegan_transfer.commands import launch
from stylegan_transfer.commands.beaming.logs import quiet_log
from stylegan_transfer.commands.beaming.options import BeamOptions


def main(argv: Sequence[str]) -> int:
    """Paints as the flags say; returns the exit code."""
    flags = launch.Flags(argv, __doc__, BeamOptions)
    return paint_all(flags.make(BeamOptions), verbose=flags.verbose)


def paint_all(options: BeamOptions, verbose: bool = False) -> int:
    """Paints all contents in all styles; returns 0, or 1 if something of it failed.

    What fails does not stop the others; `failures.jsonl` in the output folder lists it.

    Args:
        options: What, in which styles, how, where it goes, and what runs it.
        verbose: Whether Beam's log is shown.

    Raises:
        ChildProcessError: The pipeline failed as a whole.
        ConnectionError: A process of several was lost.
        FileExistsError: There are results, which may not be replaced.
        FileNotFoundError: Something that is named does not exist.
        ImportError: Apache Beam is not installed.
        InterruptedError: Ctrl-C or SIGTERM came.
        ValueError: The options do not fit together or to the files.
    """
    if importlib.util.find_spec("apache_beam") is None:
        raise ImportError(
            'Expected apache_beam: pip install "stylegan_transfer[beam]". '
            "Received: it is not installed"
        )
    with quiet_log(verbose):  # Beam complains while it is imported, too
        return _paint_all(options, verbose)


def _paint_all(options, verbose):
    from stylegan_transfer.commands.beaming import places, plan, running
    from stylegan_transfer.commands.beaming.handler import encode_styles
    from stylegan_transfer.commands.beaming.pipeline import Work
    from stylegan_transfer.commands.beaming.record import save_record

    running.make_pipeline(options.beam_options)  # an error here and now
    planned = plan.make_plan(options)
    counts, failures = {"painted": 0, "failed": 0}, places.join(options.output, plan.FAILURES)
    if planned.entries:
        styles = encode_styles(options, planned.styles)
        todo = places.join(options.output, plan.TODO)
        _clean(options.output)
        places.remove([failures, *planned.outdated])
        save_record(options.output, planned.record)
        plan.save_todo(todo, planned.entries)
        try:
            work = Work(options, styles, todo, planned.has_records, failures)
            counts = running.run(work, verbose)
        except KeyboardInterrupt:
            raise InterruptedError("The same command with --resume goes on from there") from None
        places.remove([todo])
    done, before = counts["painted"] + planned.num_before, planned.num_before
    kept = f", {before} of them before" if before else ""
    print(f"Wrote {done} of {done + counts['failed']} pictures{kept}: {options.output}")
    if counts["failed"]:
        print(f"Error: {counts['failed']} failed, see {failures}", file=sys.stderr)
    return 1 if counts["failed"] else 0


def _clean(output):
    """Removes what killed processes left half written."""
    for folder, _, _ in os.walk(output):
        remove_leftovers(pathlib.Path(folder))
