"""What the commands share: flags from options, a quiet start, users' mistakes as one line."""

import contextlib
import dataclasses
import os
import signal
import sys
import textwrap
import threading
import traceback
import typing
import warnings
from collections.abc import Callable, Iterator, Sequence

from absl import flags

from stylegan_transfer.checks import describe
from stylegan_transfer.commands.quiet_start import silence_tensorflow
from stylegan_transfer.options import Options, describe_limits, option, type_of

LOST_WORKER = 75  # exit code, EX_TEMPFAIL of sysexits.h: to be tried again

# What the package requires, but requirements-lite.txt does not.
_LEFT_OUT_OF_LITE = ("keras", "tensorflow", "tensorflow_datasets", "h5py")


@dataclasses.dataclass(frozen=True)
class _Common(Options):
    """Flags that every command has."""

    help: bool = option(False, description="Print this text.")
    traceback: bool = option(False, description="Print where in the code an error came from.")
    verbose: bool = option(False, description="Print TensorFlow's messages and where time went.")


class Flags:
    """The command line of one command.

    Args:
        argv: As `sys.argv`: the command's name, and the flags.
        usage: The command's docstring, the first part of its help.
        *kinds: Classes of options; each of their fields is a flag of its name.

    Raises:
        SystemExit: `--help` was given; the help has been printed.
        ValueError: A flag is unknown, or something that is no flag was given.
    """

    def __init__(self, argv: Sequence[str], usage: str, *kinds: type[Options]):
        self._values = flags.FlagValues()
        for kind in (*kinds, _Common):
            _define(kind, self._values)
        try:
            rest = self._values(list(argv))[1:]
        except flags.Error as error:
            raise ValueError(str(error).replace("command line flag", "flag")) from None
        if self._values.help:
            print(_describe(argv[0], usage, [*kinds, _Common]))
            raise SystemExit(0)
        if rest:
            raise ValueError(f"Expected flags only. Received: {' '.join(rest)}")
        self.verbose = bool(self._values.verbose)

    def make(self, kind: type[Options], base: Options | None = None) -> Options:
        """Returns options of this kind: the given flags in place of what `base` holds.

        Args:
            kind: One of the kinds of this command line.
            base: Where fields without a flag come from. Default: the fields' defaults.

        Raises:
            ValueError: A flag is missing, or a value is not as its field expects.
        """
        given = {}
        for field in dataclasses.fields(kind):
            text = self._values[field.name].value
            if text is not None:
                given[field.name] = _convert(field.name, text, type_of(kind, field))
            elif field.default is dataclasses.MISSING and base is None:
                raise ValueError(
                    f"Expected --{field.name}: {field.metadata['description']} Received: none"
                )
        return kind(**given) if base is None else dataclasses.replace(base, **given)


def run(main: Callable[[Sequence[str]], int | None], argv: Sequence[str]) -> int:
    """Calls `main(argv)` and returns the exit code of the process.

    Wrong input (`ValueError`, `OSError`), a missing extra (`ImportError`) or a diverged training
    (`FloatingPointError`) becomes one line on stderr and exit code 1, and so does what nobody
    thought of, with the request to report it. A run that Ctrl-C or SIGTERM interrupts ends with
    130, one that has lost another worker (`ConnectionError`) with `LOST_WORKER`. `--traceback`
    adds where it came from.
    """
    if "--verbose" not in argv:
        silence_tensorflow()
    for stream in (sys.stdout, sys.stderr):  # file names need not be text that it can show
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        with _sigterm_like_ctrl_c(), _warnings_of_one_line():
            return main(argv) or 0
    except (InterruptedError, KeyboardInterrupt) as error:
        return _fail(f"Interrupted. {error}", 130, argv)
    except BrokenPipeError:  # whoever reads, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
        return 141
    except ConnectionError as error:
        return _fail(f"Error: {explain(error)}", LOST_WORKER, argv)
    except (ValueError, OSError, FloatingPointError, ImportError) as error:
        return _fail(f"Error: {explain(error)}", 1, argv)
    except MemoryError as error:
        return _fail(f"Error: Expected more free memory. Received: {str(error) or 'none'}", 1, argv)
    except Exception as error:
        kind, text = type(error).__name__, describe(str(error))
        ask = "Please report it with what --traceback prints"
        return _fail(f"Error: Unexpected {kind}: {text}. {ask}", 1, argv)


def speed_up_gradients() -> None:
    """Lets TensorFlow compute with oneDNN, unless the environment says otherwise.

    For commands that go down gradients, before anything imports TensorFlow, which chooses this by
    itself on processors with VNNI or AMX. On others, too, a training step then takes two thirds of
    the time; but what takes no gradient takes a fifth more. Not for refinement: there its rounding
    depends on the place, and the first steps of Adam enlarge that.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def explain(error: Exception) -> str:
    """Returns an error as users should read it: the operating system's with the file's name, a
    missing package with what to install."""
    if isinstance(error, ModuleNotFoundError) and error.name in _LEFT_OUT_OF_LITE:
        return (
            f"Expected the package {error.name}: pip install -r requirements.txt; without it, only "
            "stylize and page work, without reports and qualities. Received: it is not installed"
        )
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        name = describe(os.fsdecode(error.filename))
        return f"Expected a file or folder that can be used. Received: {name} ({error.strerror})"
    return str(error)


@contextlib.contextmanager
def _sigterm_like_ctrl_c() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # has no say in signals
        yield
        return

    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _warnings_of_one_line() -> Iterator[None]:
    """Leaves out of warnings where in the code they come from: users cannot do anything there."""
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *args, **kwargs: f"Warning: {message}\n"
    try:
        yield
    finally:
        warnings.formatwarning = before


def _fail(message, code, argv):
    if "--traceback" in argv:
        traceback.print_exc()
    print(message.strip(), file=sys.stderr)
    return code


def _define(kind, values):
    for field in dataclasses.fields(kind):
        base = type_of(kind, field)
        if base is bool:
            define = flags.DEFINE_boolean
        elif typing.get_origin(base) is tuple:
            repeatable = field.metadata["repeatable"]
            define = flags.DEFINE_multi_string if repeatable else flags.DEFINE_list
        else:
            define = flags.DEFINE_string  # numbers, too: converted with a message of our own
        define(field.name, None, field.metadata["description"], flag_values=values)


def _convert(name, text, base):
    if typing.get_origin(base) is tuple:
        return tuple(_convert(name, item, base.__args__[0]) for item in text)
    try:
        return base(text)
    except ValueError:
        kind = {int: "a whole number", float: "a number"}[base]
        raise ValueError(f"Expected --{name}: {kind}. Received: --{name}={text}") from None


def _describe(program, usage, kinds):
    """The help: the usage, and one paragraph a flag."""
    lines = [usage.strip(), "", "Flags:"]
    for kind in kinds:
        for field in dataclasses.fields(kind):
            lines.append(f"  --{field.name}" + _form(kind, field))
            text = field.metadata["description"]
            details = [describe_limits(field), _default(field)]
            details = "; ".join(detail for detail in details if detail)
            text += f" ({details})" if details else ""
            lines += textwrap.wrap(text, 92, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return "\n".join(lines)


def _form(kind, field):
    base = type_of(kind, field)
    if base is bool:
        return f", --no{field.name}" if field.default else ""
    if typing.get_origin(base) is tuple:
        return "=A --" + field.name + "=B" if field.metadata["repeatable"] else "=A,B"
    return {int: "=N", float: "=X"}.get(base, "=TEXT")


def _default(field):
    if field.default is dataclasses.MISSING:
        return "required"
    if field.default is False or field.default in (None, "", ()):
        return ""
    return f"default: {_as_text(field.default)}"


def as_flag(name: str, value: object) -> str:
    """Returns the flag that sets an option to a value, such as "--size=3" or "--noreport"."""
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no{name}"
    return f"--{name}={_as_text(value)}"


def _as_text(value):
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
