"""Imports go one way, and every module says what is public: read off the source, nothing is run."""

import ast
import importlib
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*ROOT.glob("socialmd/**/*.py"), *ROOT.glob("pipelines/**/*.py")])
PACKAGES = [
    path for path in SOURCES if path.name == "__init__.py" and path.parent.name != "commands"
]

# What each part of the package may import from it, other than itself. Parts of the same level are
# siblings and do not know each other. Modules directly in `socialmd/` and those in
# `socialmd/config/` are the base.
BASE = {"base", "distributions"}
LEVEL_2 = {"data", "layers", "simulation", "molecular", "losses", "metrics"}
LEVEL_3 = LEVEL_2 | {"evaluation"}
ALLOWED = {
    "base": {"base"},
    "distributions": {"base"},
    "data": {"base"},
    "layers": {"base"},  # the width of their output is an integer
    "losses": BASE,
    "metrics": BASE,
    "simulation": {"base", "data"},
    "molecular": {"base", "data"},
    "evaluation": BASE | {"data", "simulation"},
    "models": BASE | LEVEL_3,
    "training": BASE | LEVEL_3 | {"models", "plots"},
    "reporting": BASE | LEVEL_3 | {"models", "plots"},
    "benchmarks": BASE | LEVEL_3 | {"models", "plots"},
    "plots": set(),  # NumPy arrays in, Matplotlib out
    "serving": set(),  # beside exported models, where there is no Keras
    "commands": BASE | LEVEL_3 | {"models", "training", "reporting", "benchmarks", "plots"},
    "pipelines": {"commands"},
}
# Where each of these third-party packages may be imported.
CONFINED = {
    "MDAnalysis": ("socialmd/molecular/",),
    "keras_tuner": ("socialmd/training/", "socialmd/commands/tune.py"),
    "openmm": ("socialmd/simulation/openmm_package.py",),
    "tensorflow_probability": ("socialmd/distributions/backend.py",),
}


def relative(path):
    return path.relative_to(ROOT).as_posix()


def part_of(module):
    """The part that a module of ours belongs to: socialmd.layers.grid -> layers."""
    first, *rest = module.split(".")
    if first == "pipelines":
        return first
    return rest[0] if rest and rest[0] != "config" and is_package(f"socialmd.{rest[0]}") else "base"


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_modules(path):
    """Every module imported anywhere in a file, inside functions and under `if` too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}: relative import"
            # `from socialmd import layers` imports socialmd.layers.
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            folder = ROOT / node.module.replace(".", "/")
            yield from (name for name in submodules if (folder / name.split(".")[-1]).is_dir())
            if node.module != "socialmd" or not all(map(is_package, submodules)):
                yield node.module


def is_package(module):
    return (ROOT / module.replace(".", "/")).is_dir()


def top_level(module):
    return module.split(".")[0]


def static_all(path):
    """`__all__` as it is written in a file; nothing if it is not a plain list of strings."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            try:
                return ast.literal_eval(node.value)
            except ValueError:
                return None
    return None


def defined_names(path):
    """Names bound at the top level of a file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {
                name.id
                for target in targets
                for name in ast.walk(target)
                if isinstance(name, ast.Name)
            }
    return names


def by_kind(name):
    """CONSTANTS, then Classes, then functions, as ruff sorts them."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_sources_are_found():
    assert {relative(path) for path in SOURCES} >= {
        "socialmd/config/section.py",
        "socialmd/layers/grid.py",
    }
    assert part_of("socialmd.layers.grid") == "layers"
    assert part_of("socialmd.config.section") == part_of("socialmd") == "base"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_imports_go_one_way(path):
    part = part_of(module_name(path))
    assert part in ALLOWED, f"{relative(path)}: {part} has no place in the order of imports"
    ours = {name for name in imported_modules(path) if top_level(name) in ("socialmd", "pipelines")}
    forbidden = {name for name in ours if part_of(name) not in ALLOWED[part] | {part}}
    if part == "pipelines":  # scripts are not imported
        forbidden |= {name for name in ours if part_of(name) == "pipelines"}
    assert not forbidden, f"{relative(path)} must not import {sorted(forbidden)}"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_confined_packages_are_imported_in_their_place_only(path):
    for name in imported_modules(path):
        places = CONFINED.get(top_level(name))
        assert places is None or relative(path).startswith(places), f"{relative(path)}: {name}"


@pytest.mark.parametrize("path", [*ROOT.glob("socialmd/plots/*.py")], ids=relative)
def test_plots_import_numpy_and_matplotlib_only(path):
    allowed = {"numpy", "matplotlib", "socialmd", *sys.stdlib_module_names}
    assert {top_level(name) for name in imported_modules(path)} <= allowed


@pytest.mark.parametrize("path", [*ROOT.glob("socialmd/serving/*.py")], ids=relative)
def test_serving_imports_numpy_only(path):
    allowed = {"numpy", "socialmd", *sys.stdlib_module_names}
    assert {top_level(name) for name in imported_modules(path)} <= allowed


def test_the_reference_is_independent():
    assert set(imported_modules(ROOT / "tests/reference.py")) == {"numpy"}


@pytest.mark.parametrize("path", PACKAGES, ids=relative)
def test_package_reexports_exactly_what_it_calls_public(path):
    names = static_all(path)
    assert isinstance(names, list), f"{relative(path)}: expected a literal list `__all__`"
    assert names == sorted(names, key=by_kind)
    reexported = [
        (alias.name, alias.asname)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and top_level(node.module or "") == "socialmd"
        for alias in node.names
    ]
    assert all(name == asname for name, asname in reexported), "expected `import X as X`"
    assert sorted(names) == sorted(name for name, _ in reexported)
    package = importlib.import_module(module_name(path))
    assert all(hasattr(package, name) for name in names)


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if path.parts[-2] not in ("pipelines", "commands")],
    ids=relative,
)
def test_module_says_what_is_public(path):
    names = static_all(path)
    assert isinstance(names, list), f"{relative(path)}: expected a literal list `__all__`"
    assert names == sorted(names, key=by_kind)
    assert len(set(names)) == len(names)
    assert set(names) <= defined_names(path)
    assert not any(name.startswith("_") for name in names)


def test_no_two_modules_have_the_same_name():
    modules = [path.stem for path in SOURCES if path.parts[-2] != "pipelines"]
    assert repeated(name for name in modules if name != "__init__") == []


def test_no_two_public_classes_have_the_same_name():
    classes = [
        node.name
        for path in SOURCES
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert len(classes) > 50
    assert repeated(classes) == []


def repeated(names):
    return [name for name, count in Counter(names).items() if count > 1]
