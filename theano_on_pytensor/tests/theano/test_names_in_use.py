"""The names that 105 repositories of 2015-2018 use: each is there, or listed here
with the reason why not. ``reference/names_in_use.tsv`` says how many use each.
"""

import csv
import importlib
from pathlib import Path

import pytest

TABLE = Path(__file__).parents[1] / "reference" / "names_in_use.tsv"

NOT_SERVED = {
    "C code that a program compiles itself; there is no compiler here": [
        "theano.gof.OpWiseCLinker",
        "theano.gof.ParamsType",
        "theano.gof.cmodule",
        "theano.gof.compiledir",
        "theano.gof.compiledir.print_compiledir_content",
        "theano.gof.compilelock.set_lock_status",
        "theano.misc.pycuda_init",
    ],
    "PyTensor 3 has no test values": [
        "theano.gof.Op._get_test_value",
        "theano.gof.op.get_debug_values",
    ],
    "Theano's own machinery, which PyTensor replaced": [
        "theano.ProfileMode",
        "theano.configdefaults.local_bitwidth",
        "theano.gof.OpRemove",
        "theano.scan_module.scan_utils.get_updates_and_outputs",
        "theano.scan_module.scan_utils.isNaN_or_Inf_or_None",
        "theano.scan_module.scan_utils.traverse",
        "theano.tensor.AdvancedSubtensor1",
        "theano.tensor.Tensor",
        "theano.tensor._shared",
        "theano.tensor.hashtype",
    ],
}
LISTED = {name for names in NOT_SERVED.values() for name in names}


def read_names():
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [row["name"] for row in csv.DictReader(file, delimiter="\t")]


NAMES = read_names()


def find(name):
    """The object of a dotted name; AttributeError if there is none."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            found = getattr(found, part)
        return found
    raise AttributeError(name)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LISTED])
def test_a_name_in_use_is_there(name):
    find(name)


@pytest.mark.parametrize("name", sorted(LISTED))
def test_a_name_listed_as_not_served_is_in_use_and_not_there(name):
    assert name in NAMES
    with pytest.raises(AttributeError):
        find(name)


def test_what_is_in_use_most_is_served():
    missing = [position for position, name in enumerate(NAMES) if name in LISTED]
    assert min(missing) > 100
