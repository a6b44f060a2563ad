"""Who may know whom inside the numerics, and what the package exports."""

import ast
import types
from pathlib import Path

import pytest

import pytensor_nnet

PACKAGE = Path(pytensor_nnet.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported_names(source):
    """Every module that Python source imports, at any depth."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append("." * node.level + (node.module or ""))
    return names


def forbidden(names, packages):
    return [n for n in names if any(f"{n}.".startswith(f"{p}.") for p in packages)]


def test_imports_are_found_wherever_they_are():
    source = "import a.b, c\ndef f():\n    from theano.tensor import x\n"
    assert forbidden(imported_names(source), ["theano", "a"]) == [
        "a.b",
        "theano.tensor",
    ]
    assert not forbidden(["theanolike"], ["theano"])


@pytest.mark.parametrize(
    "path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix()
)
def test_each_floor_knows_only_what_is_beneath_it(path):
    above = ["theano", "lasagne", "nolearn", "mnist_cnn"]
    folder = path.relative_to(PACKAGE).parts[0]
    if folder in ("kernels", "ops"):
        above += ["pytensor_nnet.rewrites", "pytensor_nnet.linker"]
    if folder == "kernels":
        above += ["pytensor_nnet.ops", "pytensor"]
    assert not forbidden(imported_names(path.read_text(encoding="utf-8")), above)


def test_all_is_sorted_and_complete():
    public = [
        name
        for name, value in vars(pytensor_nnet).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    ]
    assert pytensor_nnet.__all__ == sorted(public)
