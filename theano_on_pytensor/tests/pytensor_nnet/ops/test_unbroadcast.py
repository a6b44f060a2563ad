"""Forgetting that a dimension is known to be 1."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.gradient import verify_grad

from pytensor_nnet.ops.unbroadcast import Unbroadcast, unbroadcast

FAST = Mode("py", "fast_compile")
FULL = Mode("py", "fast_run").excluding("fusion")


def test_the_type_forgets_and_the_values_stay():
    x = pt.tensor("x", dtype="float64", shape=(1, 3, None))
    out = unbroadcast(x, 0, -1)
    assert out.type.shape == (None, 3, None)
    value = np.arange(6.0).reshape(1, 3, 2)
    for mode in (FAST, FULL):
        assert np.array_equal(pytensor.function([x], out, mode=mode)(value), value)


def test_what_is_not_known_need_not_be_forgotten():
    x = pt.tensor("x", dtype="float64", shape=(None, 1))
    assert unbroadcast(x, 0) is x
    assert unbroadcast(x) is x
    assert isinstance(unbroadcast(x, 1).owner.op, Unbroadcast)


def test_the_shape_is_inferred_without_the_values():
    x = pt.drow("x")
    f = pytensor.function([x], unbroadcast(x, 0).shape, mode=FULL)
    assert not any(
        isinstance(node.op, Unbroadcast) for node in f.maker.fgraph.apply_nodes
    )
    assert f(np.zeros((1, 3))).tolist() == [1, 3]


def test_gradients_have_the_type_that_was_forgotten():
    x = pt.drow("x")
    gradient = pytensor.grad((unbroadcast(x, 0) ** 2).sum(), x)
    assert gradient.type.shape == (1, None)
    value = np.arange(3.0)[None]
    assert np.array_equal(gradient.eval({x: value}, mode=FAST), 2 * value)
    rng = np.random.default_rng(0)
    verify_grad(
        lambda v: unbroadcast(pt.specify_broadcastable(v, 0), 0),
        [value],
        rng=rng,
        mode=FAST,
    )


def test_an_axis_that_is_not_there():
    with pytest.raises(ValueError, match="axis 2 is none of the 2"):
        unbroadcast(pt.drow(), 2)
