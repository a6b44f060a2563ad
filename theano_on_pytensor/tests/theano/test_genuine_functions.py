"""Every recorded function of the genuine Theano, number by number.

``reference/functions.py`` says what is computed; ``functions.json`` holds what the
genuine Theano gave, as ``scripts/record_functions`` recorded it.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import functions

REFERENCE = Path(__file__).parents[1] / "reference"
TOLERANCE = {"float32": 1e-5, "complex64": 1e-5, "float64": 1e-10, "complex128": 1e-10}
GENUINE = json.loads((REFERENCE / "functions.json").read_text(encoding="utf-8"))

# Where the genuine Theano is not followed, and why.
OTHER_DTYPES = {
    "tensor.log10 float32": "Theano's gradient of a float32 was a float64",
}
TAKES_MORE_DTYPES = {"sgn": "that of complex numbers, in PyTensor 3.3"}
REFUSED = "-"


def assert_same(ours, genuine, may_differ_in_dtype):
    (dtype, shape, numbers), (expected_dtype, expected_shape, expected) = ours, genuine
    assert shape == expected_shape
    if not may_differ_in_dtype:
        assert dtype == expected_dtype
    if dtype in TOLERANCE:
        tolerance = TOLERANCE[dtype]
        np.testing.assert_allclose(numbers, expected, rtol=tolerance, atol=tolerance)
    else:
        assert numbers == expected


def test_every_case_is_recorded():
    cases = [f"{n} {f}" for n in functions.CASES for f in functions.FLOAT_TYPES]
    assert list(GENUINE["cases"]) == cases
    assert len(functions.CASES) >= 150


@pytest.mark.parametrize("float_type", functions.FLOAT_TYPES)
@pytest.mark.parametrize("name", functions.CASES)
def test_a_function_gives_what_the_genuine_one_gave(name, float_type):
    key = f"{name} {float_type}"
    ours, genuine = functions.record(name, float_type), GENUINE["cases"][key]
    for part in ("outputs", "gradients"):
        assert len(ours[part]) == len(genuine[part])
        for our, expected in zip(ours[part], genuine[part], strict=True):
            assert_same(our, expected, key in OTHER_DTYPES)


@pytest.mark.parametrize("float_type", functions.FLOAT_TYPES)
def test_dtypes_are_the_genuine_ones(float_type):
    genuine, ours = GENUINE["dtypes"][float_type], functions.record_dtypes(float_type)
    for name in TAKES_MORE_DTYPES:
        for row, expected in enumerate(genuine[name]):
            pairs = zip(ours[name][row].split(), expected.split(), strict=True)
            ours[name][row] = " ".join(e if e == REFUSED else o for o, e in pairs)
    wrong = {
        name: (our, genuine[name]) for name, our in ours.items() if our != genuine[name]
    }
    assert wrong == {}
    assert list(ours) == list(genuine)
