"""Who may import whom, held by a walk over the sources."""

import ast
import functools
import graphlib
import json
import pathlib
import subprocess
import sys

import pytest

import stylegan_transfer

PACKAGE = pathlib.Path(stylegan_transfer.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

# What each folder, or module of the base, may import beside its own: no arrow up or sideways.
BASE = {"atomic", "checks", "hub", "losses", "options", "samples", "shipped"}
MIDDLE = {"networks", "pictures"}
TOP = {"training", "stylizing", "measuring"}
# Between: exported graphs need no network, but whoever loads or writes a generator may.
GRAPHS = {"exporting", "runtimes"}
ALLOWED = {
    **{name: set() for name in BASE},
    "hub": {"checks"},
    "options": {"checks"},
    **dict.fromkeys(MIDDLE, BASE),
    **dict.fromkeys(TOP, BASE | MIDDLE),
    "runtimes": BASE | {"networks"},
    "exporting": BASE | {"networks", "runtimes"},
    "commands": BASE | MIDDLE | GRAPHS | TOP,
    "__main__": {"commands"},
}
# Go down gradients, as no runtime without TensorFlow does.
_DESCENT = "optimize", "minimizers", "refinement", "canvas", "feature_sums"
DESCENT = tuple(f"stylizing.{module}" for module in _DESCENT)
MAY_IMPORT_TENSORFLOW = {
    *("training.data", "training.gan", "training.callbacks", "training.run"),
    *("training.checkpoints", "training.perceptual", "training.strategies"),
    *("training.replicas", "training.differentiation", "training.summaries"),
    *("pictures.sixteen_bit", "measuring.figures", *DESCENT),
    *("networks.compiling", "exporting.signatures", "exporting.litert"),
}
ONLY_FOR_COMMANDS = {"absl", "matplotlib"}
FORBIDDEN = {"argparse", "pickle"}


def relative_name(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {
    relative_name(path): path for path in FILES if path.parent != PACKAGE or path.stem != "__init__"
}


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def is_command(path):
    return relative_name(path).split(".")[0] in ("commands", "__main__")


@functools.cache
def imports_of(path):
    """The full names of everything that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def modules_of_ours_in(path):
    """The modules of the package that a file imports, named as in `MODULES`."""
    names = {
        name.split(".", 1)[1] for name in imports_of(path) if name.startswith("stylegan_transfer.")
    }
    names = {name if name in MODULES else name.rpartition(".")[0] for name in names}
    return names - {""}  # the package itself: its version, its folder


def test_every_module_has_its_place():
    assert {module.split(".")[0] for module in MODULES} == set(ALLOWED)


@pytest.mark.parametrize("module", MODULES)
def test_arrows_point_only_downward(module):
    folder = module.split(".")[0]
    imported = {name.split(".")[0] for name in modules_of_ours_in(MODULES[module])}
    assert imported - {folder} <= ALLOWED[folder]


def test_no_circle_of_imports():
    arrows = {module: modules_of_ours_in(path) for module, path in MODULES.items()}
    assert set().union(*arrows.values()) <= set(MODULES)
    graphlib.TopologicalSorter(arrows).prepare()  # raises CycleError, which shows the circle


@pytest.mark.parametrize("folder", sorted({*MIDDLE, *GRAPHS, *TOP, "commands"}))
def test_a_folder_says_what_it_holds_and_no_more(folder):
    body = parse(PACKAGE / folder / "__init__.py").body
    assert len(body) == 1 and ast.get_docstring(parse(PACKAGE / folder / "__init__.py"))


@pytest.mark.parametrize("path", FILES, ids=relative_name)
def test_tensorflow_appears_only_where_it_must(path):
    roots = {name.split(".")[0] for name in imports_of(path)}
    may = is_command(path) or relative_name(path) in MAY_IMPORT_TENSORFLOW
    assert may or "tensorflow" not in roots


@pytest.mark.parametrize("path", FILES, ids=relative_name)
def test_module_leaves_flags_plots_and_the_surroundings_alone(path):
    roots = {name.split(".")[0] for name in imports_of(path)}
    assert not roots & FORBIDDEN
    if is_command(path):
        return
    assert not roots & ONLY_FOR_COMMANDS
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


def test_pictures_and_what_stylizes_with_another_runtime_need_no_framework():
    without = [m for m in MODULES if m.startswith(("pictures.", "stylizing.", "runtimes."))]
    modules = [f"stylegan_transfer.{m}" for m in without if m not in DESCENT]
    code = f"import sys, {', '.join(modules)}; print(*{{'tensorflow', 'keras'}} & set(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.split() == []


NAMES = {"stylize": "stylizing.stylize", "optimize": "stylizing.optimize", "train": "training.run"}
IMPORTS = [
    [f"import stylegan_transfer.{module}" for module in NAMES.values()],
    [f"from stylegan_transfer import {name}" for name in NAMES],
]
FIRST_USES = {
    "modules first": [*IMPORTS[0], *IMPORTS[1]],
    "functions first": [*IMPORTS[1], *IMPORTS[0]],
    "all public names": [
        """
for name in stylegan_transfer.__all__:
    value = getattr(stylegan_transfer, name)
    assert name == "PRESETS" or callable(value) and value.__name__ == name and value.__doc__, name
    assert name in dir(stylegan_transfer), name
"""
    ],
}
for _order in ("modules first", "functions first"):
    FIRST_USES[_order] += [
        *(f"assert stylegan_transfer.{name} is {name} and callable({name})" for name in NAMES),
        *(f"assert stylegan_transfer.{m}.{name} is {name}" for name, m in NAMES.items()),
    ]


@pytest.fixture(scope="module")
def first_uses():
    """What comes of each of `FIRST_USES`, where no module of the package is loaded yet.

    One process, whose TensorFlow stays, and which forgets the package's modules in between.
    """
    program = f"""
import json, sys, traceback
errors = {{}}
for use, lines in {FIRST_USES!r}.items():
    for name in [*sys.modules]:
        if name.partition(".")[0] == "stylegan_transfer":
            del sys.modules[name]
    scope = {{}}
    try:
        exec("import stylegan_transfer", scope)
        assert not [name for name in sys.modules if name.startswith("stylegan_transfer.")]
        exec("\\n".join(lines), scope)
        errors[use] = ""
    except BaseException:
        errors[use] = traceback.format_exc()
print(json.dumps(errors))
"""
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=PACKAGE.parent, capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


@pytest.mark.parametrize("order", ["modules first", "functions first"])
def test_public_functions_are_not_hidden_by_modules_of_their_name(first_uses, order):
    assert first_uses[order] == ""


def test_every_public_name_is_a_thing_of_that_name_with_a_docstring(first_uses):
    assert first_uses["all public names"] == ""


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_thing"):
        stylegan_transfer.no_such_thing  # noqa: B018
