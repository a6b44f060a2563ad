"""Elementwise Ops are compiled, and compute what NumPy computes."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from pytensor_nnet.kernels.llvm.elementwise import Plan
from pytensor_nnet.linker import NumpyLinker
from pytensor_nnet.ops.argmax import CompiledArgmax
from pytensor_nnet.ops.column_sums import CompiledSum
from pytensor_nnet.ops.compiled_elemwise import CompiledElemwise
from pytensor_nnet.rewrites import compilation  # noqa: F401  (registers it)

COMPILED = Mode(NumpyLinker(), "fast_run")
PLAIN = COMPILED.excluding("compile_elemwise")


def run(mode, expression, *values):
    variables = [pt.as_tensor_variable(v).type() for v in values]
    function = pytensor.function(variables, expression(*variables), mode=mode)
    return function(*values), function


@pytest.fixture
def evaluated(monkeypatch):
    """The expressions that compiled code computed."""
    seen = []
    original = Plan.add_to

    def counted(self, launch, inputs):
        seen.append(self)
        return original(self, launch, inputs)

    monkeypatch.setattr(Plan, "add_to", counted)
    return seen


EXPRESSIONS = {
    "arithmetic": lambda x, y: (x + y * 2 - x / y) ** 2,
    "several terms": lambda x, y: x + y + abs(x) + pt.sqrt(abs(y)),
    "extremes": lambda x, y: pt.maximum(x, y) - pt.minimum(-x, pt.sign(y)),
    "bools": lambda x, y: pt.switch((x > y) & (y < 0) | pt.isnan(x), x, -y),
    "types": lambda x, y: x * pt.cast(y * 4, "int8") + pt.cast(x > y, "int32"),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_the_same_bits_as_numpy(evaluated, name, dtype):
    rng = np.random.default_rng(0)
    values = [rng.standard_normal((9, 11)).astype(dtype) for _ in range(2)]
    result, function = run(COMPILED, EXPRESSIONS[name], *values)
    expected, _ = run(PLAIN, EXPRESSIONS[name], *values)
    assert any(
        isinstance(node.op, CompiledElemwise)
        for node in function.maker.fgraph.toposort()
    )
    assert evaluated
    assert result.dtype == expected.dtype
    assert np.array_equal(result, expected)


def test_arrays_of_any_shape(evaluated):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 9, 11))
    for values in (
        (x, y[:, :1]),
        (x[:1], y),
        (x[::2], y[::2]),
        (x[:1, :1], y[:1, :1]),
        (x[0, 0], y[0, 0]),
        (x[:0], y[:0]),
    ):
        evaluated.clear()
        values = tuple(map(np.asarray, values))
        result, _ = run(COMPILED, EXPRESSIONS["arithmetic"], *values)
        expected, _ = run(PLAIN, EXPRESSIONS["arithmetic"], *values)
        assert isinstance(result, np.ndarray)
        assert np.array_equal(result, expected)
        assert evaluated


def test_arrays_that_lie_far_apart_are_numpys(evaluated):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 30, 24))
    for values in ((x, np.asfortranarray(y)), (x[:, ::2], y[:, ::2])):
        result, _ = run(COMPILED, EXPRESSIONS["arithmetic"], *values)
        expected, _ = run(PLAIN, EXPRESSIONS["arithmetic"], *values)
        assert np.array_equal(result, expected)
    assert not evaluated


def test_many_shapes(evaluated):
    """Plans are kept for some shapes only."""
    x = pt.dvector()
    function = pytensor.function([x], 2 * x + 1, mode=COMPILED)
    for size in range(200):
        assert function(np.ones(size)).tolist() == [3] * size
    assert len(evaluated) == 200


def test_what_is_broadcast_must_be_known(evaluated):
    x, y = pt.dmatrix(), pt.dmatrix()
    function = pytensor.function([x, y], x + y, mode=COMPILED)
    with pytest.raises(ValueError, match="broadcasting not allowed"):
        function(np.ones((3, 4)), np.ones((1, 4)))


def test_arrays_alike_in_fortran_order(evaluated):
    x, y = (np.asfortranarray(a) for a in np.random.default_rng(0).random((2, 9, 11)))
    result, _ = run(COMPILED, EXPRESSIONS["arithmetic"], x, y)
    expected, _ = run(PLAIN, EXPRESSIONS["arithmetic"], x, y)
    assert evaluated
    assert np.array_equal(result, expected)


def test_what_has_no_compiled_form_is_numpys(evaluated):
    x = np.random.default_rng(0).random((9, 11))
    result, _ = run(COMPILED, lambda x: pt.arctan(x) + x, x)
    assert not evaluated
    assert np.allclose(result, np.arctan(x) + x, rtol=1e-15)


def test_several_results_in_place_of_the_inputs(evaluated):
    """An optimiser's update: two results, over the memory of what they replace."""
    rng = np.random.default_rng(0)
    gradient = rng.standard_normal((30, 5))
    start = rng.standard_normal((30, 5))
    values = []
    for mode in (COMPILED, PLAIN):
        w, v = pytensor.shared(start), pytensor.shared(np.zeros_like(start))
        g, rate = pt.dmatrix(), pt.dscalar()
        moved = 0.9 * v - rate * g
        function = pytensor.function(
            [g, rate], [], updates=[(v, moved), (w, w + moved)], mode=mode
        )
        for _ in range(3):
            function(gradient, 0.1)
        values.append((w.get_value(), v.get_value()))
    assert evaluated
    assert np.array_equal(values[0], values[1])


def has_compiled_argmax(function):
    nodes = function.maker.fgraph.apply_nodes
    return any(isinstance(node.op, CompiledArgmax) for node in nodes)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_argmax_along_the_last_axis(dtype):
    rng = np.random.default_rng(0)
    for shape in ((128, 10), (3, 4, 5), (5, 1), (0, 4), (1, 300)):
        x = rng.integers(-2, 3, shape).astype(dtype)
        for array in (x, np.asfortranarray(x), -np.inf * abs(x[..., ::-1] + 0.5)):
            result, function = run(COMPILED, lambda x: pt.argmax(x, axis=-1), array)
            assert has_compiled_argmax(function)
            assert result.dtype == np.int64
            assert np.array_equal(result, np.argmax(array, axis=-1))


def test_the_argmax_is_the_first_nan():
    values = [np.nan, 1.0, -np.inf, np.inf]
    x = np.array([(a, b, c) for a in values for b in values for c in values])
    result, _ = run(COMPILED, lambda x: pt.argmax(x, axis=1), x)
    assert np.array_equal(result, np.argmax(x, axis=1))


@pytest.mark.parametrize("axis", [0, None, (1, 2)])
def test_another_argmax_is_left_alone(axis):
    x = np.random.default_rng(0).random((3, 4, 5))
    _, function = run(COMPILED, lambda x: pt.argmax(x, axis=axis), x)
    assert not has_compiled_argmax(function)
    _, function = run(
        COMPILED, lambda x: pt.argmax(x, axis=-1), np.arange(6).reshape(2, 3)
    )
    assert not has_compiled_argmax(function)


def test_nothing_has_no_maximum():
    with pytest.raises(ValueError, match="has no maxima"):
        run(COMPILED, lambda x: pt.argmax(x, axis=1), np.zeros((3, 0)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", ["NCHW", "NHWC", "strided", "empty", "matrix"])
def test_the_gradient_of_a_bias(dtype, order):
    x = np.random.default_rng(0).standard_normal((9, 6, 5, 4)).astype(dtype)
    if order == "NHWC":
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    x = {"strided": x[::2], "empty": x[:0], "matrix": x[:, :, 0, 0].copy()}.get(
        order, x
    )
    axes = (0, *range(2, x.ndim))
    variable = pt.TensorType(dtype, shape=(None,) * x.ndim)()
    function = pytensor.function(
        [variable], variable.sum(axis=axes), mode=Mode(NumpyLinker(), "fast_run")
    )
    nodes = function.maker.fgraph.apply_nodes
    assert any(isinstance(node.op, CompiledSum) for node in nodes)
    for _ in range(2):
        result = function(x)
        assert result.dtype == dtype
        tolerance = {"float32": 1e-6, "float64": 1e-14}[dtype]
        expected = x.sum(axis=axes, dtype="float64")
        assert np.allclose(result, expected, rtol=tolerance, atol=tolerance)
