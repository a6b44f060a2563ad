"""Arithmetic as in C, against exact fractions and Python's own ``math``."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytensor_nnet.kernels.c_math import FUNCTIONS, call, multiply_add

floats = {
    "float32": st.floats(-1e6, 1e6, width=32),
    "float64": st.floats(-1e6, 1e6),
}


def round_once(exact, dtype):
    """The number of ``dtype`` nearest to a fraction."""
    if dtype == "float64":
        return float(exact)
    # The float32 on either side of the exact number; the even one in a tie.
    near = np.float32(float(exact))
    candidates = [np.nextafter(near, np.float32(end)) for end in (-np.inf, np.inf)]
    return min(
        [near, *candidates],
        key=lambda c: (abs(Fraction(float(c)) - exact), int(c.view(np.int32)) % 2),
    )


@pytest.mark.parametrize("dtype", floats)
@given(st.data())
def test_a_product_and_a_sum_round_once(dtype, data):
    size = data.draw(st.integers(0, 40))
    numbers = st.lists(floats[dtype], min_size=size, max_size=size)
    a, b, c = (np.array(data.draw(numbers), dtype) for _ in range(3))
    exact = [
        Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
        for x, y, z in zip(a, b, c, strict=True)
    ]
    expected = np.array([round_once(e, dtype) for e in exact], dtype)
    result = multiply_add(a, b, c)
    assert result.dtype == dtype
    assert np.array_equal(result, expected)


@pytest.mark.parametrize("dtype", floats)
def test_rounding_once_is_not_rounding_twice(dtype):
    a = np.array(1 + np.finfo(dtype).eps, dtype)
    # a * a = 1 + 2 eps + eps^2, of which rounding drops eps^2.
    once = multiply_add(a, a, -(a * a))
    assert once == np.finfo(dtype).eps ** 2
    assert a * a - a * a == 0


def test_terms_broadcast():
    a = np.arange(12.0).reshape(4, 3)
    result = multiply_add(a, np.array(2.0), np.array([[1.0], [2.0], [3.0], [4.0]]))
    assert np.array_equal(result, a * 2 + [[1], [2], [3], [4]])
    assert multiply_add(a.T, a.T, a.T).tolist() == (a.T * a.T + a.T).tolist()


@pytest.mark.parametrize("name", FUNCTIONS)
@given(st.lists(st.floats(1e-9, 1e3), max_size=30))
def test_functions_in_float64_are_those_of_pythons_math(name, numbers):
    result = call(name, np.array(numbers, "float64"))
    assert result.tolist() == [getattr(math, name)(number) for number in numbers]


@pytest.mark.parametrize("name", FUNCTIONS)
@given(st.lists(st.floats(np.float32(1e-9), 1e3, width=32), max_size=30))
def test_functions_in_float32_err_by_less_than_one_place(name, numbers):
    numbers = np.array(numbers, "float32")
    result = call(name, numbers)
    assert result.dtype == np.float32
    exact = np.array([getattr(math, name)(float(number)) for number in numbers])
    assert (np.abs(result - exact) <= np.spacing(np.abs(exact.astype("f4")))).all()
