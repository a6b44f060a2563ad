"""Trained, split, scored and searched, nolearn's nets give the genuine numbers.

``tests/reference/README.md`` says how they were recorded.
"""

import importlib.util
import json
from pathlib import Path

import pytest

import theano

REFERENCE = Path(__file__).parents[1] / "reference"
GENUINE = json.loads((REFERENCE / "nolearn_training.json").read_text(encoding="utf-8"))


def import_programs():
    spec = importlib.util.spec_from_file_location(
        "nolearn_training", REFERENCE / "nolearn_training.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PROGRAMS


PROGRAMS = import_programs()


def test_every_program_is_recorded():
    assert {"recorded_with", *PROGRAMS} == set(GENUINE)


@pytest.mark.parametrize("name", PROGRAMS)
def test_numbers_are_the_genuine_ones(name):
    with theano.config.change_flags(floatX="float64"):
        numbers = PROGRAMS[name]()
    for ours, genuine in zip(numbers, GENUINE[name], strict=True):
        assert ours == pytest.approx(genuine, rel=1e-10, abs=1e-12)
