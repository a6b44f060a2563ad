"""One of two branches is computed."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.ifelse import ifelse


class Forbidden(theano.Op):
    """Raises where it is computed."""

    __props__ = ()

    def make_node(self, x):
        return theano.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        raise RuntimeError("computed")


def test_the_condition_chooses():
    c, x, y = T.iscalar("c"), T.dvector("x"), T.dvector("y")
    f = theano.function([c, x, y], ifelse(c, x * 2, y))
    assert f(1, [1.0], [5.0]).tolist() == [2]
    assert f(0, [1.0], [5.0]).tolist() == [5]


def test_the_other_branch_is_not_computed():
    c, x = T.iscalar("c"), T.dvector("x")
    f = theano.function([c, x], ifelse(T.eq(c, 1), x + 1, Forbidden()(x)))
    assert f(1, [1.0]).tolist() == [2]
    with pytest.raises(RuntimeError, match="computed"):
        f(0, [1.0])


def test_several_values_and_their_gradients():
    c, x = T.iscalar("c"), T.dvector("x")
    first, second = ifelse(c, [x**2, x], [x, x**3])
    f = theano.function([c, x], T.grad((first + second).sum(), x))
    value = np.array([2.0])
    assert f(1, value).tolist() == [2 * 2 + 1]
    assert f(0, value).tolist() == [1 + 3 * 2**2]
