"""The Op that draws from MRG31k3p: what it adds to the kernel."""

import copy
import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.gradient import NullTypeGradError

from pytensor_nnet.kernels.mrg31k3p import substreams, uniform
from pytensor_nnet.ops.mrg31k3p import MRG31k3pUniform

FAST = Mode("py", "fast_compile")
FULL = Mode("py", "fast_run").excluding("fusion")
STATES = substreams([3] * 6, 7)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (5, 4), (2, 1, 3)])
def test_a_tensor_is_filled_in_c_order(dtype, shape):
    expected, expected_states = uniform(STATES, int(np.prod(shape)), dtype)
    after, drawn = MRG31k3pUniform(dtype, len(shape))(pt.constant(STATES), shape)
    assert drawn.type.dtype == dtype
    assert drawn.type.shape == shape
    after, drawn = pytensor.function([], [after, drawn], mode=FAST)()
    assert np.array_equal(drawn, expected.reshape(shape))
    assert np.array_equal(after, expected_states)


def test_a_shape_may_be_computed():
    x, n = pt.fmatrix("x"), pt.lscalar("n")
    _, drawn = MRG31k3pUniform("float32", 3)(STATES, (x.shape[1], 2, n))
    assert drawn.type.shape == (None, 2, None)
    value = np.zeros((4, 3), "float32")
    assert drawn.eval({x: value, n: 5}, mode=FAST).shape == (3, 2, 5)
    shape = pytensor.function([x, n], drawn.shape, mode=FULL, on_unused_input="ignore")
    nodes = shape.maker.fgraph.apply_nodes
    assert not any(isinstance(node.op, MRG31k3pUniform) for node in nodes)
    assert shape(value, 5).tolist() == [3, 2, 5]
    vector = pt.lvector("vector")
    _, drawn = MRG31k3pUniform("float64", 2)(STATES, vector)
    assert drawn.type.shape == (None, None)
    assert drawn.eval({vector: [3, 4]}, mode=FAST).shape == (3, 4)


def test_shapes_that_cannot_be():
    op = MRG31k3pUniform("float32", 2)
    vector = pt.lvector("vector")
    for shape in ([3], [3, -1], [2**16, 2**15]):
        with pytest.raises(ValueError, match="it must be 2 sizes"):
            op(STATES, vector)[1].eval({vector: shape}, mode=FAST)
    with pytest.raises(ValueError, match="shape of 1 sizes .* no tensor of 2 axes"):
        op(STATES, (3,))
    with pytest.raises(TypeError, match="a shape must be a vector of integers"):
        op(STATES, pt.dvector())


def test_states_and_dtypes_that_cannot_be():
    with pytest.raises(TypeError, match="int32 matrix"):
        MRG31k3pUniform("float32", 1)(STATES.astype("int64"), (3,))
    with pytest.raises(ValueError, match="dtype is 'int32'"):
        MRG31k3pUniform("int32", 1)


def test_no_gradient_flows_through_a_draw():
    x = pt.dvector("x")
    _, drawn = MRG31k3pUniform("float64", 1)(STATES, x.shape)
    gradient = pytensor.grad((drawn * x**2).sum(), x)
    value = np.array([1.0, 2.0, 3.0])
    expected = 2 * value * uniform(STATES, 3, "float64")[0]
    assert np.array_equal(gradient.eval({x: value}, mode=FAST), expected)
    length = pt.lscalar("length")
    _, drawn = MRG31k3pUniform("float64", 1)(STATES, (length,))
    with pytest.raises(NullTypeGradError):
        pytensor.grad(drawn.sum(), length)


def test_copies_of_a_function_draw_on_their_own():
    states = pytensor.shared(STATES)
    after, drawn = MRG31k3pUniform("float32", 1)(states, (20,))
    function = pytensor.function([], drawn, updates={states: after}, mode=FULL)
    function()
    for twin in (pickle.loads(pickle.dumps(function)), copy.deepcopy(function)):
        kept = states.get_value()
        expected = function()
        states.set_value(kept)
        assert np.array_equal(twin(), expected)
    op = MRG31k3pUniform("float32", 1)
    assert pickle.loads(pickle.dumps(op)) == op != MRG31k3pUniform("float64", 1)
