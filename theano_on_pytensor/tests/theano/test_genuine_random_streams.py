"""Every random tensor of the genuine Theano, number by number.

``reference/random_streams.py`` says what is drawn; ``random_streams.json`` holds
what the genuine Theano drew, as ``scripts/record_random_streams`` recorded it.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import random_streams

REFERENCE = Path(__file__).parents[1] / "reference"
GENUINE = json.loads((REFERENCE / "random_streams.json").read_text(encoding="utf-8"))
CASES = [(n, f) for n in random_streams.CASES for f in random_streams.FLOAT_TYPES]


def drawn_by(stack, name, float_type):
    [draws] = [
        record["draws"]
        for record in GENUINE["cases"][name][float_type]
        if stack in record["stacks"]
    ]
    return draws


def assert_within_two_places(ours, genuine):
    assert (ours["dtype"], ours["shape"]) == (genuine["dtype"], genuine["shape"])
    ours, genuine = (np.array(x["numbers"], x["dtype"]) for x in (ours, genuine))
    assert (np.abs(ours - genuine) <= 2 * np.spacing(np.abs(genuine))).all()


def test_every_case_is_recorded():
    assert list(GENUINE["cases"]) == list(random_streams.CASES)


@pytest.mark.parametrize(("name", "float_type"), CASES)
def test_draws_are_the_genuine_ones(name, float_type):
    case = random_streams.CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        ours = random_streams.record(name, float_type)
    genuine = drawn_by(case.judge, name, float_type)
    assert len(ours) == len(genuine)
    for our_draws, genuine_draws in zip(ours, genuine, strict=True):
        if not case.is_close:
            assert our_draws == genuine_draws
            continue
        for our_draw, genuine_draw in zip(our_draws, genuine_draws, strict=True):
            assert_within_two_places(our_draw, genuine_draw)


def test_the_two_stacks_part_only_where_it_is_known():
    parted = {
        name
        for name, by_type in GENUINE["cases"].items()
        if any(len(records) > 1 for records in by_type.values())
    }
    assert parted == {
        # Python 2 took NumPy's product of a size for an int, and split the stream
        # otherwise.
        "mrg_normal",
        "mrg_normal_with_parameters",
        # NumPy's stream differs, see the case.
        "numpy_multinomial_of_outcomes_that_cannot_be",
    }
