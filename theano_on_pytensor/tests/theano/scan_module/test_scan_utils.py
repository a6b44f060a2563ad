"""Copies of graphs in which variables are replaced."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.scan_module.scan_utils import equal_computations


def test_clone_replaces():
    x, y = T.dscalars("x", "y")
    shared = theano.shared(3.0)
    out = x * 2 + shared
    copy = theano.clone(out, replace={x: y + 1, shared: T.constant(np.float64(10))})
    assert copy.eval({y: 4}) == (4 + 1) * 2 + 10
    assert out.eval({x: 4}) == 4 * 2 + 3
    first, second = theano.clone([out, x + 1], replace={x: y})
    assert (first.eval({y: 1}), second.eval({y: 1})) == (5, 2)


def test_clone_keeps_or_copies_the_inputs():
    x = T.dscalar("x")
    assert theano.clone(x + 1).owner.inputs[0] is x
    for options in ({"share_inputs": False}, {"copy_inputs": False}):
        assert theano.clone(x + 1, **options).owner.inputs[0] is not x


def test_clone_is_strict_about_types():
    x = T.dvector("x")
    with pytest.raises(TypeError):
        theano.clone(x * 2, replace={x: T.dmatrix()}, strict=True)


def test_equal_computations():
    x, y = T.dscalars("x", "y")
    assert equal_computations([x + 1], [x + 1])
    assert not equal_computations([x + 1], [y + 1])
    assert equal_computations([x + 1], [y + 1], [x], [y])
    assert equal_computations([T.constant(np.ones(2))], [T.constant(np.ones(2))])
