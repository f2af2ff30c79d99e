"""Who may import whom, held by a walk over the sources."""

import ast
import functools
import pathlib
import subprocess
import sys

import pytest

import stylegan_transfer

PACKAGE = pathlib.Path(stylegan_transfer.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

# An import goes from a higher level to a lower one; modules of one level do not see each other.
LEVELS = {
    "images": 0,
    "samples": 0,
    "losses": 0,
    "layers": 0,
    "config": 0,
    "features": 0,
    "sources": 1,
    "generator": 1,
    "discriminator": 1,
    "data": 2,
    "model": 2,
    "callbacks": 2,
    "saving": 2,
    "stylization": 2,
    "training": 3,
}
ALLOWED = {
    "sources": {"images", "samples"},
    "data": {"sources", "images", "samples"},
    "generator": {"layers"},
    "discriminator": {"layers"},
    "saving": {"features", "generator"},
    "model": {"losses"},
    "callbacks": {"images"},
    "stylization": {"images", "layers", "generator"},
    "training": set(LEVELS) - {"training"},
}
MAY_IMPORT_TENSORFLOW = {"model", "callbacks", "training", "data"}
FORBIDDEN = {"absl", "argparse", "matplotlib", "pickle"}


def relative_name(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@functools.cache
def imports_of(path):
    """The full names of everything that a file imports, wherever in it, with its parents."""
    names = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def modules_of_ours_in(path):
    """The modules of the package that a file imports, by the names in `LEVELS`."""
    parts = (name.split(".") for name in imports_of(path))
    ours = {part[1] for part in parts if part[0] == "stylegan_transfer" and len(part) > 1}
    known = {name for name in ours if name in LEVELS}
    assert ours == known, f"{path} imports unknown modules: {ours - known}"
    return known


def test_every_module_has_a_level():
    modules = {relative_name(path).split(".")[0] for path in FILES} - {"__init__"}
    assert modules == set(LEVELS)


@pytest.mark.parametrize("path", FILES, ids=relative_name)
def test_module_imports_only_what_it_may(path):
    module = relative_name(path).split(".")[0]
    imported = modules_of_ours_in(path) - {module}  # a package may see its own parts
    assert imported <= ALLOWED.get(module, set())
    assert all(LEVELS[name] < LEVELS[module] for name in imported)


@pytest.mark.parametrize("path", FILES, ids=relative_name)
def test_tensorflow_appears_only_where_it_must(path):
    roots = {name.split(".")[0] for name in imports_of(path)}
    assert "tensorflow" not in roots or relative_name(path) in MAY_IMPORT_TENSORFLOW


@pytest.mark.parametrize("path", FILES, ids=relative_name)
def test_module_leaves_flags_plots_and_the_surroundings_alone(path):
    assert not {name.split(".")[0] for name in imports_of(path)} & FORBIDDEN
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("print", "input"), f"line {node.lineno}"
        if isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            assert name not in ("os.environ", "os.getenv", "sys.argv"), f"line {node.lineno}"


def test_import_of_the_package_is_quick_and_loads_no_framework():
    code = (
        "import sys, stylegan_transfer; "
        "print(*{'tensorflow', 'keras', 'PIL', 'numpy'} & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.split() == []


def test_every_public_name_is_a_thing_of_that_name_with_a_docstring():
    # in a process of its own, where no test has imported a module yet
    code = """
import stylegan_transfer
for name in stylegan_transfer.__all__:
    value = getattr(stylegan_transfer, name)
    assert name == "PRESETS" or callable(value) and value.__name__ == name and value.__doc__, name
    assert name in dir(stylegan_transfer), name
"""
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_thing"):
        stylegan_transfer.no_such_thing  # noqa: B018
