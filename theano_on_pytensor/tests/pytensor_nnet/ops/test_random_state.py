"""Draws from a ``RandomState``: types, shapes, copies."""

import copy
import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numpy.random import RandomState
from pytensor.compile.mode import Mode
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.gradient import NullTypeGradError
from pytensor.tensor.type import TensorType

from pytensor_nnet.ops.random_state import RandomFunction, random_state_type

FAST = Mode("py", "fast_compile")
FULL = Mode("py", "fast_run").excluding("fusion")


def share(state):
    return SharedVariable(random_state_type, state, strict=True)


def vector_of(dtype="float64"):
    return TensorType(dtype, shape=(None,))


def test_draws_are_those_of_the_method():
    op = RandomFunction("normal", TensorType("float32", shape=(None, None)))
    state = share(RandomState(5))
    after, drawn = op(state, (2, 3), 10.0, [0.1, 1.0, 2.0])
    expected = RandomState(5).normal(10.0, [0.1, 1.0, 2.0], (2, 3))
    drawn, after = pytensor.function([], [drawn, after], mode=FAST)()
    assert drawn.dtype == np.float32
    assert np.array_equal(drawn, expected.astype("float32"))
    twin = RandomState(5)
    twin.normal(size=(2, 3))
    assert np.array_equal(after.random_sample(4), twin.random_sample(4))


def test_a_function_of_ones_own_and_axes_of_its_own():
    def draw(state, scale, size):
        return scale * state.uniform(size=(*size, 4))

    op = RandomFunction(draw, TensorType("float64", shape=(None, None)), ndim_added=1)
    _, drawn = op(share(RandomState(5)), (3,), 2)
    assert np.array_equal(
        drawn.eval(mode=FAST), 2 * RandomState(5).uniform(size=(3, 4))
    )
    assert str(op) == "RandomFunction{draw}"


def test_no_shape_lets_the_function_decide():
    state = share(RandomState(5))
    low = pt.dvector("low")
    _, drawn = RandomFunction("uniform", vector_of())(state, (), low, 9)
    expected = RandomState(5).uniform([1.0, 2.0], 9)
    assert np.array_equal(drawn.eval({low: [1.0, 2.0]}, mode=FAST), expected)
    shape = pytensor.function([low], drawn.shape, mode=FULL)
    assert shape([1.0, 2.0]).tolist() == [2]
    _, single = RandomFunction("uniform", vector_of())(state, (), 0.0, 1.0)
    assert single.eval(mode=FAST).shape == (1,)


def test_shapes_are_known_without_drawing():
    x = pt.dmatrix("x")
    _, drawn = RandomFunction("uniform", vector_of())(
        share(RandomState(5)), (x.shape[1],)
    )
    shape = pytensor.function([x], drawn.shape, mode=FULL, on_unused_input="ignore")
    nodes = shape.maker.fgraph.apply_nodes
    assert not any(isinstance(node.op, RandomFunction) for node in nodes)
    assert shape(np.zeros((2, 6))).tolist() == [6]


def test_tensors_of_another_shape_are_refused():
    state, vector = share(RandomState(5)), pt.lvector("vector")
    _, drawn = RandomFunction("uniform", vector_of())(state, vector)
    with pytest.raises(ValueError, match=r"tensors of 1 axes.* shape \(2, 3\)"):
        drawn.eval({vector: [2, 3]}, mode=FAST)
    wrong = RandomFunction(lambda state, size: np.zeros(7), vector_of())
    with pytest.raises(
        ValueError, match=r"drew a tensor of shape \(7,\), not .*\(3,\)"
    ):
        wrong(state, (3,))[1].eval(mode=FAST)
    with pytest.raises(TypeError, match="variable that holds a RandomState"):
        RandomFunction("uniform", vector_of())(pt.lvector(), (3,))


@pytest.mark.parametrize("inplace", [False, True])
def test_a_given_state_is_used_up_only_in_place(inplace):
    given = RandomState(5)
    op = RandomFunction("uniform", vector_of(), inplace=inplace)
    node = op.make_node(random_state_type(), (3,), 0.0, 1.0)
    storage = [[None], [None]]
    op.perform(node, [given, np.array([3]), 0.0, 1.0], storage)
    assert (storage[0][0] is given) == inplace
    used_up = given.random_sample() != RandomState(5).random_sample()
    assert used_up == inplace
    assert bool(op.destroy_map) == inplace


def test_values_of_the_type():
    a, b = RandomState(5), RandomState(5)
    assert random_state_type.values_eq(a, b)
    # The gaussian numbers come in pairs, of which the second is kept.
    a.normal()
    assert not random_state_type.values_eq(a, b)
    b.normal()
    assert random_state_type.values_eq(a, b)
    assert random_state_type.filter(a) is a
    for value in (np.random.default_rng(5), 5):
        with pytest.raises(TypeError, match="expected a numpy.random.RandomState"):
            random_state_type.filter(value)
    assert random_state_type.may_share_memory(a, a)
    assert not random_state_type.may_share_memory(a, b)
    assert pickle.loads(pickle.dumps(random_state_type)) == random_state_type


def test_no_gradient_flows_through_a_draw():
    low = pt.dscalar("low")
    _, drawn = RandomFunction("uniform", vector_of())(share(RandomState(5)), (3,), low)
    with pytest.raises(NullTypeGradError):
        pytensor.grad(drawn.sum(), low)


def test_copies_of_a_function_draw_on_their_own():
    state = share(RandomState(5))
    op = RandomFunction("uniform", vector_of())
    after, drawn = op(state, (3,), 0.0, 1.0)
    function = pytensor.function([], drawn, updates={state: after}, mode=FULL)
    function()
    for twin in (pickle.loads(pickle.dumps(function)), copy.deepcopy(function)):
        kept = state.get_value()
        expected = function()
        state.set_value(kept)
        assert np.array_equal(twin(), expected)
    assert pickle.loads(pickle.dumps(op)) == op
