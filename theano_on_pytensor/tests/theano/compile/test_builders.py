"""``OpFromGraph``."""

import pytest

import theano
import theano.tensor as T


def test_it_computes_and_differentiates_its_graph():
    a, b = T.dscalars("a", "b")
    op = theano.OpFromGraph([a, b], [a * b, a + b])
    x, y = T.dscalars("x", "y")
    product, total = op(x, y)
    f = theano.function([x, y], [product, total, *T.grad(product + 2 * total, [x, y])])
    assert f(3, 4) == [12, 7, 4 + 2, 3 + 2]


@pytest.mark.parametrize(
    "overrides",
    [
        {"grad_overrides": lambda inputs, gradients: [10 * gradients[0]]},
        {"lop_overrides": lambda inputs, outputs, gradients: [10 * gradients[0]]},
    ],
)
def test_its_gradient_can_be_another(overrides):
    a = T.dscalar("a")
    op = theano.OpFromGraph([a], [a**2], **overrides)
    x = T.dscalar("x")
    assert theano.function([x], T.grad(op(x), x))(3) == 10


def test_it_works_on_shared_variables_and_inline():
    w = theano.shared(2.0)
    a = T.dscalar("a")
    op = theano.OpFromGraph([a], [a * w], inline=True)
    x = T.dscalar("x")
    f = theano.function([x], [op(x), T.grad(op(x), w)])
    assert f(3) == [6, 3]


def test_what_it_does_not_take_is_said():
    a = T.dscalar("a")
    with pytest.raises(NotImplementedError, match="one callable for grad_overrides"):
        theano.OpFromGraph([a], [a], grad_overrides=[lambda i, g: g[0]])
    with pytest.raises(TypeError, match="must be a list"):
        theano.OpFromGraph([a], a)
