"""Compiled expressions against NumPy's functions."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytensor_nnet.kernels.llvm import elementwise
from pytensor_nnet.kernels.llvm.elementwise import OPERATIONS, Expression, evaluate

NUMPYS = {
    "abs": np.abs,
    "add": np.add,
    "divide": np.divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "multiply": np.multiply,
    "negate": np.negative,
    "sign": np.sign,
    "sqrt": np.sqrt,
    "square": np.square,
    "subtract": np.subtract,
}
UNARY = {"abs", "negate", "sign", "sqrt", "square"}
SPECIAL = [0.0, -0.0, 1.0, -2.5, np.nan, np.inf, -np.inf]


def test_every_operation_is_tested():
    assert NUMPYS.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", sorted(NUMPYS))
def test_one_operation_is_numpys_to_the_bit(cpu, name, dtype):
    x, y = (a.ravel() for a in np.meshgrid(np.array(SPECIAL, dtype), SPECIAL))
    inputs = [x] if name in UNARY else [x, y.astype(dtype)]
    out = np.empty_like(x)
    sources = tuple(range(len(inputs)))
    expression = Expression(
        (False,) * len(inputs), (), ((name, sources),), (len(inputs),)
    )
    evaluate(expression, inputs, [out])
    with np.errstate(all="ignore"):
        expected = NUMPYS[name](*inputs)
    assert np.array_equal(out, expected, equal_nan=True)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(1, 100), st.sampled_from(["f4", "f8"]))
def test_momentum_in_place(cpu, size, dtype):
    """``v = mu*v - rate*g; w = w + v``: rounded as NumPy rounds, not fused."""
    rng = np.random.default_rng(size)
    w, v, g = (rng.standard_normal(size).astype(dtype) for _ in range(3))
    rate = np.array(0.01, dtype)
    expected_v = np.array(0.9, dtype) * v - rate * g
    expected_w = w + expected_v
    expression = Expression(
        (False, False, False, True),
        (0.9,),
        (
            ("multiply", (4, 1)),
            ("multiply", (3, 2)),
            ("subtract", (5, 6)),
            ("add", (0, 7)),
        ),
        (7, 8),
    )
    evaluate(expression, [w, v, g, rate], [v, w])
    assert np.array_equal(v, expected_v)
    assert np.array_equal(w, expected_w)


def test_large_arrays_are_shared_among_threads(monkeypatch):
    monkeypatch.setattr(elementwise, "_SMALL_TASK", 1000)
    x = np.arange(100_003, dtype="f4")
    out = np.empty_like(x)
    evaluate(Expression((False,), (2.0,), (("multiply", (0, 1)),), (2,)), [x], [out])
    assert np.array_equal(out, x * 2)
