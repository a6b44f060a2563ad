"""The names that 105 repositories of 2015-2018 use: each is there.

``reference/names_in_use.tsv`` says how many use each.
"""

import csv
import importlib
from pathlib import Path

import pytest

TABLE = Path(__file__).parents[1] / "reference" / "names_in_use.tsv"


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


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_use_is_there(name):
    find(name)
