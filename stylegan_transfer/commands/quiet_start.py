"""Keeps TensorFlow's start-up messages off the terminal."""

import contextlib
import importlib.machinery
import os
import sys
import tempfile
from collections.abc import Iterator


def silence_tensorflow() -> None:
    """Makes TensorFlow silent while it is imported, whoever imports it first.

    Some of its messages come before it reads `TF_CPP_MIN_LOG_LEVEL`, and from C++: only the file
    descriptor itself keeps them away. If the import fails, they are shown after all.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # for those that come later
    if "tensorflow" not in sys.modules and _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


class _Finder:
    """Finds TensorFlow as Python does, and wraps its loader."""

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None:
            execute = spec.loader.exec_module

            def execute_quietly(module):  # to find it is not yet to import it
                sys.meta_path.remove(self)
                with hidden_unless_it_fails():
                    execute(module)
                    module.config.list_physical_devices()  # or it complains later: no GPU

            spec.loader.exec_module = execute_quietly
        return spec


_FINDER = _Finder()


@contextlib.contextmanager
def hidden_unless_it_fails() -> Iterator[None]:
    """Keeps away what the block writes to file descriptor 2; shows it if the block fails."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            yield
        except BaseException:
            sys.stderr.flush()
            hidden.seek(0)
            os.write(terminal, hidden.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
