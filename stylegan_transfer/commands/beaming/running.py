"""Runs the pipeline: in this process, in several of this machine, or on a cluster."""

import contextlib
import io
import multiprocessing
import os
import pathlib
import shlex
import signal
import sys
import threading

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

import stylegan_transfer
from stylegan_transfer.checks import shorten
from stylegan_transfer.commands.beaming.logs import quiet_log, silent
from stylegan_transfer.commands.beaming.pipeline import NAMESPACE, Work, build

_RESUME = "the same command with --resume goes on from there"


def run(work: Work, verbose: bool = False) -> dict[str, int]:
    """Runs the pipeline to its end; returns Beam's counters, `painted` and `failed`.

    Raises:
        ChildProcessError: The pipeline failed as a whole.
        ConnectionError: A process of several was lost.
        ValueError: Beam does not take its flags.
    """
    if work.options.num_workers > 1:
        return _run_apart(work, verbose)
    return _run(work, make_pipeline(work.options.beam_options), verbose)


def make_pipeline(flags: str = "") -> beam.Pipeline:
    """Returns an empty pipeline with its runner; without one among the flags, of this process.

    Raises:
        ValueError: Beam does not take the flags.
    """
    options = _parse(flags)
    try:
        return beam.Pipeline(options.view_as(StandardOptions).runner or FnApiRunner(), options)
    except Exception as error:  # some of several lines
        raise _refuse(flags, " ".join(str(error).split())) from None


def _parse(flags):
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed):
            options = PipelineOptions(shlex.split(flags))
            options.get_all_options()
    except (ValueError, SystemExit) as error:
        raise _refuse(flags, printed.getvalue().strip().rpartition("\n")[2] or error) from None
    return options


def _refuse(flags, reason):
    reason = shorten(str(reason))
    return ValueError(f"Expected --beam_options that Beam takes. Received: {flags!r} ({reason})")


def _run(work, pipeline, verbose):
    with quiet_log(verbose):
        try:
            build(pipeline, work)
            result = pipeline.run()
            state = result.wait_until_finish()
            if state not in (None, "DONE"):
                raise RuntimeError(f"the state {state}")
            return _count(result)
        except Exception as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            if lines[-1].startswith("KeyboardInterrupt"):  # Beam makes another error of it
                raise KeyboardInterrupt from error
            raise ChildProcessError(
                "Expected a pipeline that runs to its end. "
                f"Received: {shorten(lines[-1].strip())}; {_RESUME}"
            ) from error


def _count(result):
    """The counters by name, each the sum over the steps that count."""
    found = result.metrics().query(beam.metrics.MetricsFilter().with_namespace(NAMESPACE))
    counts = dict.fromkeys(("painted", "failed"), 0)
    for counter in found["counters"]:
        if counter.key.metric.name in counts:
            counts[counter.key.metric.name] += counter.result or 0
    return counts


def _run_apart(work, verbose):
    """Runs the pipeline with several processes, all of them below one child.

    Beam waits for ever for a process that was killed. The child sees that, and ends; with it go
    all processes of its group, whatever they do.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_lead, args=(work, verbose, sender))
    with silent(verbose):  # as its processes are from the start
        child.start()
    sender.close()
    try:
        outcome = receiver.recv()
    except EOFError:
        raise ConnectionError(
            f"Expected all processes to live. Received: one was lost; {_RESUME}"
        ) from None
    finally:
        _end_group(child)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _end_group(child):
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpgid(child.pid) == child.pid:
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.join()


def _lead(work, verbose, sender):
    """The child: Beam's side of the run, and its processes' parent."""
    os.setpgid(0, 0)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threading.excepthook = _end_with_process
    package = str(pathlib.Path(stylegan_transfer.__file__).parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join([package, *filter(None, sys.path)])
    flags = (
        f"--direct_running_mode=multi_processing --direct_num_workers={work.options.num_workers}"
    )
    try:
        outcome = _run(work, make_pipeline(flags), verbose)
    except Exception as error:
        outcome = error
    sender.send(outcome)
    sender.close()
    os._exit(0)  # without a wait for Beam's threads


def _end_with_parent():
    multiprocessing.parent_process().join()
    os.killpg(0, signal.SIGKILL)


def _end_with_process(arguments):
    """A thread of Beam's waits for each process, and fails when that ends before its time."""
    if arguments.thread is not None and arguments.thread.name == "run_worker":
        os._exit(1)
