"""The Ops of C's arithmetic: what they add to the kernels."""

import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.gradient import verify_grad

from pytensor_nnet.ops.c_math import CFunction, MultiplyAdd

FAST = Mode("py", "fast_compile")
FULL = Mode("py", "fast_run").excluding("fusion")


@pytest.mark.parametrize("name", ["log", "cos", "sin"])
def test_functions_and_their_derivatives(name):
    numbers = np.linspace(0.2, 5, 12).reshape(3, 4)
    result = CFunction(name)(numbers).eval(mode=FAST)
    np.testing.assert_allclose(result, getattr(np, name)(numbers), rtol=1e-14)
    rng = np.random.default_rng(0)
    verify_grad(CFunction(name), [numbers], rng=rng, mode=FAST)


def test_multiply_add_and_its_derivatives():
    rng = np.random.default_rng(0)
    terms = [rng.normal(size=shape) for shape in ((3, 4), (1, 4), ())]
    result = MultiplyAdd()(*terms).eval(mode=FAST)
    np.testing.assert_allclose(result, terms[0] * terms[1] + terms[2], rtol=1e-13)
    verify_grad(MultiplyAdd(), terms, rng=rng, mode=FAST)


def test_the_derivative_in_a_direction():
    a, direction = pt.dvector("a"), pt.dvector("direction")
    out = MultiplyAdd()(a, a * 3, CFunction("sin")(a))
    derivative = pytensor.gradient.pushforward(
        out, a, direction, use_op_pushforward=True
    )
    value = np.array([0.5, 1.0, 2.0])
    step = np.array([1.0, -2.0, 0.25])
    expected = (6 * value + np.cos(value)) * step
    result = derivative.eval({a: value, direction: step}, mode=FAST)
    np.testing.assert_allclose(result, expected, rtol=1e-12)


def test_shapes_are_known_without_computing():
    a, b = pt.fmatrix("a"), pt.tensor("b", dtype="float32", shape=(1, 5))
    out = MultiplyAdd()(CFunction("log")(a), b, b)
    assert out.type.dtype == "float32"
    assert out.type.shape == (None, 5)
    shape = pytensor.function([a, b], out.shape, mode=FULL, on_unused_input="ignore")
    ops = {type(node.op) for node in shape.maker.fgraph.apply_nodes}
    assert not ops & {MultiplyAdd, CFunction}
    values = np.ones((3, 5), "float32"), np.ones((1, 5), "float32")
    assert shape(*values).tolist() == [3, 5]


def test_other_numbers_are_refused():
    for terms in [(1, 2, 3), (pt.fvector(), pt.dvector(), pt.fvector())]:
        with pytest.raises(
            TypeError, match="MultiplyAdd.* all float32, or all float64"
        ):
            MultiplyAdd()(*terms)
    with pytest.raises(ValueError, match="name is 'tan'"):
        CFunction("tan")


def test_ops_are_equal_and_survive_a_pickle():
    for op in (MultiplyAdd(), CFunction("sin")):
        assert pickle.loads(pickle.dumps(op)) == op
    assert CFunction("sin") != CFunction("cos")
