"""What stops, clips or scales a gradient, and derivatives of vectors."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import gradient

VALUE = np.array([-2.0, 0.5, 3.0])


def slope(function):
    """The gradient of the sum of ``function(x)`` at VALUE."""
    x = T.dvector("x")
    return theano.function([x], T.grad(function(x).sum(), x))(VALUE)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x**2, 2 * VALUE),
        (lambda x: x**2 * gradient.disconnected_grad(x), 2 * VALUE**2),
        (lambda x: x**2 * gradient.consider_constant(x), 2 * VALUE**2),
        (lambda x: x**2 * gradient.zero_grad(x), 2 * VALUE**2),
        (lambda x: gradient.grad_clip(x, -1, 2) ** 2, np.clip(2 * VALUE, -1, 2)),
        (lambda x: gradient.grad_scale(x, 0.1) ** 2, 0.1 * 2 * VALUE),
    ],
)
def test_gradients_that_are_not_plain(function, expected):
    np.testing.assert_allclose(slope(function), expected, rtol=1e-12)


def test_grad_takes_one_variable_or_several():
    x, y = T.dscalars("x", "y")
    assert not isinstance(T.grad(x * y, x), list)
    by_x, by_y = theano.function([x, y], theano.grad(x * y, [x, y]))(2, 3)
    assert (by_x, by_y) == (3, 2)


def test_a_variable_without_influence():
    x, y = T.dscalar("x"), T.dscalar("left_out")
    with pytest.raises(gradient.DisconnectedInputError, match="left_out"):
        T.grad(x**2, y)
    with pytest.warns(UserWarning, match="left_out"):
        T.grad(x**2, y, disconnected_inputs="warn")
    assert T.grad(x**2, y, disconnected_inputs="ignore").eval({y: 1}) == 0
    with pytest.raises(TypeError, match="(?i)scalar"):
        T.grad(T.dvector(), T.dvector())


def test_known_gradients_and_constants():
    x = T.dvector("x")
    y = x**2
    given = T.grad(None, x, known_grads={y: T.constant(VALUE)})
    np.testing.assert_allclose(given.eval({x: VALUE}), 2 * VALUE * VALUE)
    held = T.grad((x * y).sum(), x, consider_constant=[y])
    np.testing.assert_allclose(held.eval({x: VALUE}), VALUE**2)


def test_jacobian_and_hessian():
    x = T.dvector("x")
    matrix = np.arange(6.0).reshape(2, 3)
    jacobian = T.jacobian(T.dot(T.constant(matrix), x**2), x)
    np.testing.assert_allclose(jacobian.eval({x: VALUE}), matrix * (2 * VALUE))
    hessian = T.hessian((x**3).sum(), x)
    np.testing.assert_allclose(hessian.eval({x: VALUE}), np.diag(6 * VALUE))


def test_products_with_the_jacobian():
    x, v = T.dvector("x"), T.dvector("v")
    matrix = np.arange(6.0).reshape(2, 3)
    y = T.dot(T.constant(matrix), x**2)
    jacobian = matrix * (2 * VALUE)
    right = theano.function([x, v], T.Rop(y, x, v))
    np.testing.assert_allclose(right(VALUE, np.ones(3)), jacobian @ np.ones(3))
    left = theano.function([x, v], T.Lop(y, x, v))
    np.testing.assert_allclose(left(VALUE, np.ones(2)), np.ones(2) @ jacobian)


def test_verify_grad_finds_a_wrong_gradient():
    rng = np.random.RandomState(0)
    gradient.verify_grad(lambda x: x**2, [VALUE], rng=rng)
    with pytest.raises(Exception, match="(?i)gradient|error"):
        gradient.verify_grad(
            lambda x: x**2 * gradient.disconnected_grad(x), [VALUE], rng=rng
        )


def test_format_as():
    assert gradient.format_as(True, False, [1]) == [1]
    assert gradient.format_as(False, True, [1]) == (1,)
    assert gradient.format_as(False, False, [1]) == 1
