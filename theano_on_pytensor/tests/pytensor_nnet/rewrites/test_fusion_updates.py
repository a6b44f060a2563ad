"""The updates of all parameters become one Op, and stay what they were."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from pytensor_nnet.linker import NumpyLinker
from pytensor_nnet.ops.joined_elemwise import JoinedElemwise
from pytensor_nnet.rewrites import (  # noqa: F401  (registers them)
    compilation,
    fusion_updates,
)

FUSED = Mode(NumpyLinker(), "fast_run")
PLAIN = FUSED.excluding("fuse_updates")
SHAPES = [(3,), (4, 3), (200, 300), (2, 3, 4, 5)]


def joined(function):
    nodes = function.maker.fgraph.toposort()
    return [node for node in nodes if isinstance(node.op, JoinedElemwise)]


def sgd(parameter, gradient, rate, number):
    return [(parameter, parameter - rate * gradient)]


def kept(parameter):
    return pytensor.shared(np.zeros_like(parameter.get_value()))


def momentum(parameter, gradient, rate, number):
    velocity = kept(parameter)
    moved = number(0.9) * velocity - rate * gradient
    return [(velocity, moved), (parameter, parameter + moved)]


def nesterov(parameter, gradient, rate, number):
    velocity = kept(parameter)
    moved = number(0.9) * velocity - rate * gradient
    ahead = parameter + number(0.9) * moved - rate * gradient
    return [(velocity, moved), (parameter, ahead)]


def adagrad(parameter, gradient, rate, number):
    total = kept(parameter)
    more = total + gradient**2
    step = rate * gradient / pt.sqrt(more + number(1e-6))
    return [(total, more), (parameter, parameter - step)]


def adam(parameter, gradient, rate, number):
    first, second = kept(parameter), kept(parameter)
    one = number(0.9) * first + number(0.1) * gradient
    two = number(0.999) * second + number(0.001) * gradient**2
    step = rate * one / (pt.sqrt(two) + number(1e-8))
    return [(first, one), (second, two), (parameter, parameter - step)]


def train(mode, optimizer, dtype, steps=3):
    """A parameter's gradient is a multiple of itself. The loss looks at all of them,
    before they are overwritten.
    """
    rng = np.random.default_rng(0)
    parameters = [
        pytensor.shared(np.asarray(rng.standard_normal(shape), dtype))
        for shape in SHAPES
    ]
    rate, factor = (pt.TensorType(dtype, shape=())() for _ in range(2))
    number = np.dtype(dtype).type
    updates = [
        update
        for parameter in parameters
        for update in optimizer(parameter, factor * parameter, rate, number)
    ]
    loss = sum((parameter**2).sum() for parameter in parameters)
    function = pytensor.function([rate, factor], loss, updates=updates, mode=mode)
    losses = [function(number(0.1), 2 + step) for step in range(steps)]
    values = [shared.get_value() for shared, _ in updates]
    return losses, values, function


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", [sgd, momentum, nesterov, adagrad, adam])
def test_the_same_bits_as_one_by_one(optimizer, dtype):
    losses, values, function = train(FUSED, optimizer, dtype)
    expected_losses, expected, plain = train(PLAIN, optimizer, dtype)
    assert losses == expected_losses
    for one, other in zip(values, expected, strict=True):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()
    assert not joined(plain)
    (node,) = joined(function)
    assert node.op.count == len(SHAPES)
    assert len(node.op.destroy_map) == len(values)
    assert f"{len(SHAPES)} x" in str(node.op)


def test_the_values_stay_where_they_are():
    w, v = (pytensor.shared(np.ones((30, 5))) for _ in range(2))
    w_memory, v_memory = (x.get_value(borrow=True) for x in (w, v))
    rate = pt.dscalar()
    updates = [(w, w - rate * w), (v, v - rate * v)]
    function = pytensor.function([rate], [], updates=updates, mode=FUSED)
    assert joined(function)
    function(0.5)
    assert (w_memory == 0.5).all()
    assert (v_memory == 0.5).all()
    assert w.get_value(borrow=True) is w_memory
    assert v.get_value(borrow=True) is v_memory


def test_an_update_of_another_s_new_value():
    """One after the other, though the expressions are alike."""
    x, y = (pytensor.shared(np.full(5, float(n))) for n in (1, 2))
    g = pt.dvector()
    new_x = x - 0.1 * g
    new_y = y - 0.1 * new_x
    function = pytensor.function([g], [], updates=[(x, new_x), (y, new_y)], mode=FUSED)
    function(np.ones(5))
    assert np.allclose(x.get_value(), 0.9)
    assert np.allclose(y.get_value(), 2 - 0.09)


def test_an_update_of_another_s_old_value():
    """Two that exchange their values cannot both be written in place."""
    x, y = (pytensor.shared(np.full(5, float(n))) for n in (1, 2))
    updates = [(x, 0.5 * x + y), (y, 0.5 * y + x)]
    function = pytensor.function([], [], updates=updates, mode=FUSED)
    function()
    assert x.get_value().tolist() == [2.5] * 5
    assert y.get_value().tolist() == [2] * 5


def test_different_expressions_are_not_joined():
    x, y, z = (pytensor.shared(np.full(5, float(n))) for n in (1, 2, 3))
    g = pt.dvector()
    updates = [(x, x - 0.1 * g), (y, y - 0.2 * g), (z, z * g)]
    function = pytensor.function([g], [], updates=updates, mode=FUSED)
    assert not joined(function)
    function(np.ones(5))
    assert np.allclose([v.get_value()[0] for v in (x, y, z)], [0.9, 1.8, 3])


def test_a_gradient_of_another_shape_is_an_error():
    x, y = pytensor.shared(np.ones(5)), pytensor.shared(np.ones((5, 5)))
    g, h = pt.dvector(), pt.dmatrix()
    updates = [(x, x - 0.1 * g), (y, y - 0.1 * h)]
    function = pytensor.function([g, h], [], updates=updates, mode=FUSED)
    assert joined(function)
    with pytest.raises(ValueError, match="shape|broadcast"):
        function(np.ones(5), np.ones((4, 5)))


def test_parameters_in_any_order_in_memory():
    start = np.random.default_rng(0).standard_normal((6, 8))
    values = []
    for mode in (FUSED, PLAIN):
        shared = [
            pytensor.shared(value)
            for value in (start.copy(), np.asfortranarray(start), start[:, ::2])
        ]
        for one in shared[1:]:
            one.set_value(one.get_value(borrow=True), borrow=True)
        g = pt.dscalar()
        updates = [(one, one - 0.1 * g * one) for one in shared]
        function = pytensor.function([g], [], updates=updates, mode=mode)
        function(3.0)
        values.append([one.get_value() for one in shared])
    for one, other in zip(*values, strict=True):
        assert np.array_equal(one, other)
