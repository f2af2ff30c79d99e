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

# What each module may import of the package, from the bottom up: no arrow points up or sideways.
LAYERS = [
    dict.fromkeys(("atomic", "checks", "colors", "config", "exif", "features", "layers"), ()),
    dict.fromkeys(("losses", "pixels", "samples", "tiling"), ()),
    {
        "clips": ("atomic", "checks"),
        "color_profiles": ("pixels",),
        "deep_files": ("exif", "pixels"),
        "discriminator": ("layers",),
        "generator": ("layers",),
        "metrics": ("colors", "losses"),
    },
    {
        "decoding": ("color_profiles", "deep_files", "exif", "pixels"),
        "model": ("losses",),
        "originality": ("losses", "metrics"),
        "saving": ("atomic", "features", "generator"),
    },
    {
        "image_files": (
            *("atomic", "color_profiles", "colors", "decoding", "deep_files", "exif", "pixels"),
        ),
    },
    {"images": ("decoding", "image_files", "pixels")},
    {
        "callbacks": ("images",),
        "optimization": ("checks", "colors", "features", "images", "losses"),
        "painting": ("generator", "images", "tiling"),
        "sources": ("image_files", "images", "samples"),
    },
    {
        "data": ("colors", "samples", "sources"),
        "stylization": ("checks", "colors", "images", "painting"),
    },
    {"video": ("checks", "clips", "painting", "stylization")},
]
TOP = "training"  # may import everything
ALLOWED = {module: set(below) for layer in LAYERS for module, below in layer.items()}
ALLOWED[TOP] = set(ALLOWED)
MAY_IMPORT_TENSORFLOW = {
    *("data", "model", "callbacks", "training"),
    *("deep_files", "metrics", "optimization", "painting"),
}
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
    """The modules of the package that a file imports, by the names in `ALLOWED`."""
    parts = (name.split(".") for name in imports_of(path))
    ours = {part[1] for part in parts if part[0] == "stylegan_transfer" and len(part) > 1}
    known = {name for name in ours if name in ALLOWED}
    assert ours == known, f"{path} imports unknown modules: {ours - known}"
    return known


def test_every_module_has_its_place():
    modules = {relative_name(path).split(".")[0] for path in FILES} - {"__init__"}
    assert modules == set(ALLOWED)


def test_what_a_module_may_import_lies_below_it():
    below = set()
    for layer in LAYERS:
        for module, allowed in layer.items():
            assert set(allowed) <= below, module
        below |= set(layer)


@pytest.mark.parametrize("path", FILES, ids=relative_name)
def test_module_imports_only_what_it_may(path):
    module = relative_name(path).split(".")[0]
    imported = modules_of_ours_in(path) - {module}  # a package may see its own parts
    assert imported <= ALLOWED.get(module, set())


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
