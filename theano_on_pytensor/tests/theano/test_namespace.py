"""The modules and names of Theano, as they are laid out here."""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import theano

REFERENCE = Path(__file__).parents[1] / "reference"

OURS_ALONE = {
    # What other packages dropped since.
    "theano.restored_names",
    "theano.compat.nolearn_lasagne_base",
    "theano.compat.numpy_names",
    "theano.compat.pkg_resources",
    "theano.compat.sklearn_cross_validation",
    "theano.compat.sklearn_externals_joblib",
    "theano.compat.sklearn_grid_search",
}


def list_modules():
    found = pkgutil.walk_packages(theano.__path__, "theano.")
    return ["theano", *(module.name for module in found)]


MODULES = list_modules()


def list_public_names(module):
    """What a module shows: for a package its submodules, too."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (not isinstance(value, ModuleType) or value.__name__.startswith("theano."))
    }


@pytest.mark.parametrize("name", MODULES)
def test_every_module_can_be_imported(name):
    module = importlib.import_module(name)
    assert module.__doc__


@pytest.mark.parametrize("name", MODULES)
def test_all_is_sorted_without_repetition_and_exists(name):
    module = importlib.import_module(name)
    names = getattr(module, "__all__", [])
    assert list(names) == sorted(set(names))
    assert [one for one in names if not hasattr(module, one)] == []


@pytest.mark.parametrize("name", [name for name in MODULES if name != "theano"])
def test_packages_and_facades_export_all_that_is_public(name):
    module = importlib.import_module(name)
    if hasattr(module, "__path__") and hasattr(module, "__all__"):
        hidden = list_public_names(module) - set(module.__all__)
        assert {one for one in hidden if f"{name}.{one}" not in MODULES} == set()


def test_modules_mirror_theanos():
    genuine = (REFERENCE / "genuine_modules.txt").read_text(encoding="utf-8").split()
    assert set(MODULES) - set(genuine) == OURS_ALONE
