"""Compiled expressions against NumPy's functions."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytensor_nnet.kernels.llvm import elementwise, threads
from pytensor_nnet.kernels.llvm.elementwise import Expression, Step, evaluate, plan
from pytensor_nnet.kernels.llvm.operations import OPERATIONS, TYPES

FLOATS = ("float32", "float64")
INTEGERS = ("int8", "uint8", "int16", "int32", "int64", "uint64")
FEW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def half_away(x):
    return np.trunc(x + np.copysign(np.asarray(0.5, x.dtype), x))


# NumPy's counterpart, and its types of operands.
NUMPYS = {
    "abs": (np.abs, FLOATS + INTEGERS),
    "add": (np.add, FLOATS + INTEGERS),
    "and": (np.bitwise_and, (*INTEGERS, "bool")),
    "ceil": (np.ceil, FLOATS),
    "clip": (lambda x, y, z: np.minimum(np.maximum(x, y), z), FLOATS + INTEGERS),
    "divide": (np.divide, FLOATS),
    "equal": (np.equal, (*FLOATS, *INTEGERS, "bool")),
    "floor": (np.floor, FLOATS),
    "greater": (np.greater, (*FLOATS, *INTEGERS)),
    "greater_equal": (np.greater_equal, (*FLOATS, *INTEGERS)),
    "identity": (lambda x: x, (*FLOATS, *INTEGERS, "bool")),
    "invert": (np.invert, (*INTEGERS, "bool")),
    "isinf": (np.isinf, FLOATS),
    "isnan": (np.isnan, FLOATS),
    "less": (np.less, (*FLOATS, *INTEGERS)),
    "less_equal": (np.less_equal, (*FLOATS, *INTEGERS)),
    "maximum": (np.maximum, FLOATS + INTEGERS),
    "minimum": (np.minimum, FLOATS + INTEGERS),
    "multiply": (np.multiply, FLOATS + INTEGERS),
    "negative": (np.negative, FLOATS + INTEGERS),
    "not_equal": (np.not_equal, (*FLOATS, *INTEGERS, "bool")),
    "or": (np.bitwise_or, (*INTEGERS, "bool")),
    "reciprocal": (np.reciprocal, FLOATS),
    "round_half_away_from_zero": (half_away, FLOATS),
    "round_half_to_even": (np.rint, FLOATS),
    "second": (lambda x, y: y, (*FLOATS, *INTEGERS, "bool")),
    "sign": (np.sign, FLOATS + INTEGERS),
    "sqrt": (np.sqrt, FLOATS),
    "square": (np.square, FLOATS + INTEGERS),
    "subtract": (np.subtract, FLOATS + INTEGERS),
    "switch": (lambda c, x, y: np.where(c != 0, x, y), (*FLOATS, *INTEGERS, "bool")),
    "trunc": (np.trunc, FLOATS),
    "xor": (np.bitwise_xor, (*INTEGERS, "bool")),
}
# Tested in test_functions.py.
FUNCTIONS = {"exp", "expm1", "log", "log1p", "sigmoid", "softplus", "tanh"}
SPECIAL = [0.0, -0.0, 1.0, -2.5, 2.5, 0.5, -1e9, np.nan, np.inf, -np.inf]
WHOLE = [0, 1, 2, -1, -2, 127, -128, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63)]


def one_step(name, dtypes, dtype):
    sources = tuple(range(len(dtypes)))
    return Expression(tuple(dtypes), (), (Step(name, sources, dtype),), (len(dtypes),))


def special(dtype):
    if dtype == "bool":
        return np.array([True, False])
    if dtype in FLOATS:
        return np.array(SPECIAL, dtype)
    return np.array(WHOLE).astype(dtype)


def arguments(name):
    function, _ = NUMPYS[name]
    if isinstance(function, np.ufunc):
        return function.nin
    return function.__code__.co_argcount


def test_every_operation_is_tested():
    assert NUMPYS.keys() | FUNCTIONS == OPERATIONS.keys()


@pytest.mark.parametrize("name", sorted(NUMPYS))
def test_one_operation_is_numpys_to_the_bit(cpu, name):
    function, dtypes = NUMPYS[name]
    for dtype in dtypes:
        values = special(dtype)
        grid = np.meshgrid(*[values] * arguments(name))
        inputs = [np.ascontiguousarray(x.ravel()) for x in grid]
        with np.errstate(all="ignore"):
            expected = function(*inputs)
        expression = one_step(name, [dtype] * len(inputs), expected.dtype.name)
        assert expression.is_served()
        (out,) = evaluate(expression, inputs)
        assert out.dtype == expected.dtype
        assert np.array_equal(out, expected, equal_nan=expected.dtype.kind == "f")
        if expected.dtype.kind == "f" and name not in ("maximum", "minimum", "clip"):
            same = np.signbit(out) == np.signbit(expected)
            assert (same | np.isnan(expected)).all()


@pytest.mark.parametrize("source", sorted(TYPES))
def test_types_are_converted_as_numpy_does(cpu, source):
    values = np.array([0, 1, 2, 3, 100, 127] * 5)
    if source[0] in "fi":
        values[1::2] *= -1
    values = values.astype(source)
    if source in FLOATS:
        values = values + np.asarray(0.75, source) * (values >= 0)
    for target in TYPES:
        if target[0] == "u" and source[0] in "fi":
            values = abs(values)
        (out,) = evaluate(one_step("identity", [source], target), [values])
        assert np.array_equal(out, values.astype(target)), target


def test_what_no_integer_holds_is_the_nearest(cpu):
    x = np.array([np.inf, -np.inf, 1e20, -1e20, np.nan] * 4)
    (out,) = evaluate(one_step("identity", ["float64"], "int32"), [x])
    assert out.tolist() == [2**31 - 1, -(2**31), 2**31 - 1, -(2**31), 0] * 4


def test_operands_of_several_types(cpu):
    x = np.array([1, 2, 2**53 + 1])
    y = np.array([1, 3, 2**53], np.float64)
    (out,) = evaluate(one_step("less", ["int64", "float64"], "bool"), [x, y])
    assert np.array_equal(out, np.less(x, y))
    (out,) = evaluate(one_step("add", ["int64", "float64"], "float32"), [x, y])
    assert np.array_equal(out, np.float32(x) + np.float32(y))


def test_what_is_not_defined_is_not_served():
    assert not one_step("exp", ["int32"], "int32").is_served()
    assert not one_step("add", ["bool", "bool"], "bool").is_served()
    assert not one_step("add", ["complex64"] * 2, "complex64").is_served()
    assert one_step("exp", ["int32"], "float64").is_served()


def broadcast_arrays(draw, rng):
    """Two arrays that fit each other, in some common order in memory."""
    shape = draw(st.lists(st.integers(1, 7), max_size=4))
    if shape:
        shape[draw(st.integers(0, len(shape) - 1))] = draw(st.integers(0, 70))
    order = draw(st.permutations(range(len(shape))))
    arrays = []
    for _ in range(2):
        own = [1 if draw(st.booleans()) else size for size in shape]
        memory = rng.integers(-9, 10, [own[axis] for axis in order]).astype("f4")
        arrays.append(memory.transpose(np.argsort(order)) if shape else memory)
    return arrays


@FEW
@given(st.data(), st.integers(0, 2**32))
def test_broadcast_arrays(cpu, data, seed):
    x, y = broadcast_arrays(data.draw, np.random.default_rng(seed))
    expression = one_step("subtract", ["float32"] * 2, "float32")
    layouts = tuple((a.shape, a.strides) for a in (x, y))
    expected = x - y
    if plan(expression, layouts, (), 1) is None:
        # Along no axis are the numbers of both side by side.
        assert min(x.ndim, y.ndim) > 1
        with pytest.raises(ValueError, match="too far apart"):
            evaluate(expression, [x, y])
        return
    (out,) = evaluate(expression, [x, y])
    assert np.array_equal(out, expected)
    assert out.shape == expected.shape
    if x.shape == expected.shape:
        assert out.size < 2 or out.strides == x.strides or 1 in out.shape
        z = x.copy(order="K")
        (out,) = evaluate(expression, [z, y], (0,))
        assert out is z
        assert np.array_equal(z, expected)


@pytest.mark.parametrize("rows", [1, 7, 64, 521])
@pytest.mark.parametrize("bias_first", [True, False])
def test_a_bias_of_few_channels_is_repeated(cpu, rows, bias_first):
    """Where 521 rows are left as they are, for they are a prime number of them."""
    x, bias = np.arange(rows * 6, dtype="f4").reshape(rows, 3, 2), np.arange(6.0) / 7
    bias = np.asfortranarray(bias.reshape(3, 2).astype("f4"))
    x = np.ascontiguousarray(x.transpose(0, 2, 1)).transpose(0, 2, 1)
    inputs = [bias, x] if bias_first else [x, bias]
    layouts = tuple((a.shape, a.strides) for a in inputs)
    expression = one_step("subtract", ["float32"] * 2, "float32")
    bias_at = 0 if bias_first else 1
    repeated = [] if rows in (1, 521) else [(bias_at, rows)]
    assert plan(expression, layouts, (), 1).repeated == repeated
    (out,) = evaluate(expression, inputs)
    assert np.array_equal(out, np.subtract(*inputs))


def test_what_lies_elsewhere_is_left_alone(cpu):
    """An output over every second column of an array."""
    x = np.zeros((6, 8), "f4")
    y = np.ones((6, 4), "f4")
    expression = one_step("add", ["float32"] * 2, "float32")
    layouts = tuple((a.shape, a.strides) for a in (x[:, ::2], y))
    assert plan(expression, layouts, (0,), 1) is None
    assert plan(expression, (layouts[1], (y.shape, (-16, 4))), (), 1) is None
    assert plan(expression, (((6, 1), (4, 4)), layouts[1]), (0,), 1) is None
    rows = np.zeros((6, 8), "f4")
    evaluate(expression, [rows[::2], np.ones((3, 8), "f4")], (0,))
    assert np.array_equal(rows[:, 0], [1, 0, 1, 0, 1, 0])


MOMENTUM = Expression(
    ("float32", "float32", "float32", "float32"),
    ((0.9, "float32"),),
    (
        Step("multiply", (4, 1), "float32"),
        Step("multiply", (3, 2), "float32"),
        Step("subtract", (5, 6), "float32"),
        Step("add", (0, 7), "float32"),
    ),
    (7, 8),
)


@FEW
@given(st.integers(1, 100))
def test_momentum_in_place(cpu, size):
    """``v = mu*v - rate*g; w = w + v``: rounded as NumPy rounds, not fused."""
    rng = np.random.default_rng(size)
    w, v, g = (rng.standard_normal(size).astype("f4") for _ in range(3))
    rate = np.array([0.01], "f4")
    expected_v = np.float32(0.9) * v - rate * g
    expected_w = w + expected_v
    out = evaluate(MOMENTUM, [w, v, g, rate], (1, 0))
    assert out[0] is v
    assert out[1] is w
    assert np.array_equal(v, expected_v)
    assert np.array_equal(w, expected_w)


@pytest.mark.parametrize("shape", [(100_003,), (70, 5, 400)])
def test_large_arrays_are_shared_among_threads(monkeypatch, shape):
    monkeypatch.setattr(elementwise, "_SMALL_TASK", 1000)
    elementwise.plan.cache_clear()
    x = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    y = x[..., :1, :1] if x.ndim > 1 else x[:1]
    for count in (1, 2, 4):
        before = threads.set_threads(count)
        try:
            (out,) = evaluate(one_step("add", ["float32"] * 2, "float32"), [x, y])
        finally:
            threads.set_threads(before)
        assert np.array_equal(out, x + y)
    elementwise.plan.cache_clear()
