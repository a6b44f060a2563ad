"""Loops: what they return, and what they compute."""

import warnings

import numpy as np
import pytest

import theano
import theano.tensor as T

X = T.dvector("x")
VALUE = np.array([1.0, 2.0, 4.0])


def test_outputs_and_ordered_updates_are_returned_without_a_warning():
    # The forms were asked of the genuine Theano 1.0.5.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, updates = theano.scan(lambda x: x * 2, sequences=X)
        several, _ = theano.scan(lambda x: [x * 2, x], sequences=X)
        listed, _ = theano.scan(lambda x: x * 2, sequences=X, return_list=True)
    assert type(updates) is theano.OrderedUpdates
    assert isinstance(one, T.TensorVariable)
    assert (type(several), len(several)) == (list, 2)
    assert (type(listed), len(listed)) == (list, 1)
    assert one.eval({X: VALUE}).tolist() == [2, 4, 8]


def test_taps_states_and_non_sequences():
    taps, _ = theano.scan(
        lambda now, before, scale: scale * (now - before),
        sequences={"input": X, "taps": [0, -1]},
        non_sequences=T.constant(np.float64(10)),
    )
    assert taps.eval({X: VALUE}).tolist() == [10, 20]
    fibonacci, _ = theano.scan(
        lambda older, newer: older + newer,
        outputs_info={"initial": T.constant(np.array([1.0, 1.0])), "taps": [-2, -1]},
        n_steps=4,
    )
    assert fibonacci.eval().tolist() == [2, 3, 5, 8]


def test_shared_variables_are_updated_a_step():
    count = theano.shared(np.float64(1))
    none, updates = theano.scan(lambda: {count: count * 2}, n_steps=3)
    assert none is None
    theano.function([], [], updates=updates)()
    assert count.get_value() == 2**3


def test_until_ends_the_loop():
    powers, _ = theano.scan(
        lambda x: (x * 2, theano.scan_module.until(x * 2 > 10)),
        outputs_info=T.constant(np.float64(1)),
        n_steps=100,
    )
    assert powers.eval().tolist() == [2, 4, 8, 16]


def test_gradients_and_their_truncation():
    def slope(steps):
        states, _ = theano.scan(
            lambda state: state * X[0],
            outputs_info=T.ones_like(X[0]),
            n_steps=3,
            truncate_gradient=steps,
        )
        return T.grad(states[-1], X).eval({X: [2.0]})[0]

    assert slope(-1) == 3 * 2.0**2
    assert slope(1) == 2.0**2


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        (lambda: theano.map(lambda x: x**2, X), [1, 4, 16]),
        (lambda: theano.reduce(lambda x, total: x + total, X, T.zeros(())), 7),
        (lambda: theano.foldl(lambda x, last: x - last, X, T.zeros(())), 4 - (2 - 1)),
        (lambda: theano.foldr(lambda x, last: x - last, X, T.zeros(())), 1 - (2 - 4)),
    ],
)
def test_map_reduce_and_folds(loop, expected):
    outputs, updates = loop()
    assert type(updates) is theano.OrderedUpdates
    assert outputs.eval({X: VALUE}).tolist() == expected


def find_bodies(function):
    from pytensor.scan.op import Scan

    ops = [node.op for node in function.maker.fgraph.apply_nodes]
    return [op.fn.maker.fgraph.apply_nodes for op in ops if isinstance(op, Scan)]


@pytest.mark.parametrize(
    "make",
    [
        lambda x: theano.scan(lambda row, h: T.tanh(row + h), x, T.zeros((3,)))[0],
        lambda x: theano.foldl(lambda row, h: T.tanh(row + h), x, T.zeros((3,)))[0],
        lambda x: theano.gradient.jacobian(T.tanh(x).sum(axis=0) * 2, x),
    ],
    ids=["scan", "foldl", "jacobian"],
)
def test_body_computes_arrays_at_once(make):
    from pytensor.tensor.elemwise import Elemwise

    x = T.matrix()
    function = theano.function([x], make(x))
    [body] = find_bodies(function)
    ops = [type(node.op) for node in body]
    assert any(issubclass(op, Elemwise) for op in ops)
    # PyTensor's own would call Python for every element.
    assert Elemwise not in ops
    assert function(np.ones((2, 3), x.dtype)).shape[-1] == 3
