"""The examples in the docstrings run, and print what they say."""

import doctest
import importlib
import pathlib

import pytest

import stylegan_transfer

PACKAGE = pathlib.Path(stylegan_transfer.__file__).parent
MODULES_WITH_EXAMPLES = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]
IS_DATA = {"PRESETS"}


@pytest.mark.usefixtures("eager_steps")
@pytest.mark.parametrize("module", MODULES_WITH_EXAMPLES)
def test_examples_print_what_they_say(module, tmp_path, monkeypatch):
    """Each docstring's lines of `>>>` run by themselves, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    found = doctest.DocTestFinder().find(importlib.import_module(module), globs={})
    examples = [test for test in found if test.examples]
    assert examples, "the example is in no docstring"
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    report = []
    for test in examples:
        runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)


@pytest.mark.parametrize("name", sorted(set(stylegan_transfer.__all__) - IS_DATA))
def test_each_public_name_has_an_example(name):
    value = getattr(stylegan_transfer, name)
    section = (value.__doc__ or "").partition("Example:\n")[2]
    assert ">>> " in section
