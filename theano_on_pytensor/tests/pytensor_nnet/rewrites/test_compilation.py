"""Elementwise Ops are compiled, and compute what NumPy computes."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from pytensor_nnet.linker import NumpyLinker
from pytensor_nnet.ops import compiled_elemwise
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
    original = compiled_elemwise.evaluate

    def counted(expression, inputs, outputs):
        seen.append(expression)
        original(expression, inputs, outputs)

    monkeypatch.setattr(compiled_elemwise, "evaluate", counted)
    return seen


EXPRESSIONS = {
    "arithmetic": lambda x, y: (x + y * 2 - x / y) ** 2,
    "several terms": lambda x, y: x + y + abs(x) + pt.sqrt(abs(y)),
    "extremes": lambda x, y: pt.maximum(x, y) - pt.minimum(-x, pt.sign(y)),
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


def test_arrays_that_are_not_alike_are_numpys(evaluated):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 9, 11))
    for values in (
        (x, y[:, :1]),
        (x, np.asfortranarray(y)),
        (x[:, ::2], y[:, ::2]),
        (x[:1, :1], y[:1, :1]),
        (x[:0], y[:0]),
    ):
        result, _ = run(COMPILED, EXPRESSIONS["arithmetic"], *map(np.asarray, values))
        expected, _ = run(PLAIN, EXPRESSIONS["arithmetic"], *values)
        assert np.array_equal(result, expected)
    assert not evaluated


def test_arrays_alike_in_fortran_order(evaluated):
    x, y = (np.asfortranarray(a) for a in np.random.default_rng(0).random((2, 9, 11)))
    result, _ = run(COMPILED, EXPRESSIONS["arithmetic"], x, y)
    expected, _ = run(PLAIN, EXPRESSIONS["arithmetic"], x, y)
    assert evaluated
    assert np.array_equal(result, expected)


def test_what_has_no_compiled_form_is_numpys(evaluated):
    x = np.random.default_rng(0).random((9, 11))
    result, _ = run(COMPILED, lambda x: pt.tanh(x) + x, x)
    assert not evaluated
    assert np.allclose(result, np.tanh(x) + x, rtol=1e-15)


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
    assert len(evaluated) == 3
    assert np.array_equal(values[0], values[1])
