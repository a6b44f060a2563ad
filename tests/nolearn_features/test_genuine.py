"""Trained, split, scored and searched, nolearn's nets give the genuine numbers.

``tests/reference/README.md`` says how they were recorded.
"""

import json
from pathlib import Path

import pytest

import theano
from nolearn_training import PROGRAMS

REFERENCE = Path(__file__).parents[1] / "reference"
GENUINE = json.loads((REFERENCE / "nolearn_training.json").read_text(encoding="utf-8"))


def test_every_program_is_recorded():
    assert {"recorded_with", *PROGRAMS} == set(GENUINE)


@pytest.mark.parametrize("name", PROGRAMS)
def test_numbers_are_the_genuine_ones(name):
    with theano.config.change_flags(floatX="float64"):
        numbers = PROGRAMS[name]()
    for ours, genuine in zip(numbers, GENUINE[name], strict=True):
        assert ours == pytest.approx(genuine, rel=1e-10, abs=1e-12)
