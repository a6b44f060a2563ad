"""A ``RandomState`` is copied only where somebody else needs it."""

import numpy as np
import pytensor
from numpy.random import RandomState
from pytensor.compile.mode import Mode
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.tensor.type import TensorType

import pytensor_nnet.rewrites.random_state  # noqa: F401  (registers the rewrite)
from pytensor_nnet.ops.random_state import RandomFunction, random_state_type

FULL = Mode("py", "fast_run")


def draw_from(state, updates):
    op = RandomFunction("uniform", TensorType("float64", shape=(None,)))
    after, drawn = op(state, (3,), 0.0, 1.0)
    return pytensor.function(
        [], drawn, updates={state: after} if updates else {}, mode=FULL
    )


def is_inplace(function):
    [op] = [
        node.op
        for node in function.maker.fgraph.apply_nodes
        if isinstance(node.op, RandomFunction)
    ]
    return op.inplace


def test_a_state_that_moves_on_is_used_up():
    state = SharedVariable(random_state_type, RandomState(5), strict=True)
    function = draw_from(state, updates=True)
    assert is_inplace(function)
    expected = RandomState(5).uniform(size=(2, 3))
    assert np.array_equal([function(), function()], expected)


def test_a_state_that_stays_is_copied():
    state = SharedVariable(random_state_type, RandomState(5), strict=True)
    function = draw_from(state, updates=False)
    assert not is_inplace(function)
    assert np.array_equal(function(), function())
