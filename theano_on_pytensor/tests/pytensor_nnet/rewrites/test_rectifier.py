"""Spellings of rectifiers, and what is none."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from pytensor_nnet.rewrites.rectifier import (
    recognize_rectified_gradient,
    recognize_rectifier,
)

x, b = pt.matrix("x"), pt.vector("b").dimshuffle("x", 0)

RECTIFIERS = {
    "half": (lambda z: 0.5 * (z + abs(z)), 0, 0.5),
    "maximum": (lambda z: pt.maximum(z, 0), 0, None),
    "switch": (lambda z: pt.switch(z > 0, z, 0), 0, 0),
    "product": (lambda z: z * (z > 0), 0, 0),
    "leaky": (lambda z: 0.55 * z + 0.45 * abs(z), 0.1, 0.55),
    "leaky switch": (lambda z: pt.switch(z < 0, 0.25 * z, z), 0.25, 1),
    "none": (lambda z: z, 1, 1),
}
OTHERS = {
    "shifted": lambda z: 0.5 * (z + abs(z)) + 1,
    "capped": lambda z: pt.clip(z, 0, 6),
    "elu": lambda z: pt.switch(z > 0, z, pt.expm1(z)),
    "softplus": pt.softplus,
    "doubled": lambda z: z + abs(z),
    # Its output does not tell where z is below zero.
    "absolute": abs,
    "threshold": lambda z: pt.switch(z > 0.75, z, 0),
    "another variable": lambda z: pt.maximum(z, pt.matrix("y")),
    "not elementwise": lambda z: z.cumsum(axis=0),
}


@pytest.mark.parametrize("name", RECTIFIERS)
def test_rectifiers_are_recognized(name):
    function, slope, _ = RECTIFIERS[name]
    for terms in ([x], [x, b]):
        found = recognize_rectifier(function(sum(terms)), terms)
        assert found.slope == pytest.approx(slope, abs=1e-15)
        # A slope of -0.0 would be another layer.
        assert not np.signbit(found.slope)


@pytest.mark.parametrize("name", OTHERS)
def test_others_are_not(name):
    assert recognize_rectifier(OTHERS[name](x + b), [x, b]) is None


@pytest.mark.parametrize("name", RECTIFIERS)
def test_gradients_are_recognized(name):
    function, slope, at_zero = RECTIFIERS[name]
    given = pt.matrix("given")
    z = x + b
    gradient = pytensor.grad(None, z, known_grads={function(z): given})
    found = recognize_rectified_gradient(gradient, given, [x, b])
    if at_zero is None:  # PyTensor's own choice, not ours
        at_zero = found.at_zero
    assert found == pytest.approx((slope, at_zero))


@pytest.mark.parametrize("name", ["shifted", "capped", "elu", "softplus", "doubled"])
def test_gradients_of_others_are_not(name):
    given = pt.matrix("given")
    z = x + b
    gradient = pytensor.grad(None, z, known_grads={OTHERS[name](z): given})
    found = recognize_rectified_gradient(gradient, given, [x, b])
    # The gradient does not see what is added.
    assert found is None or name == "shifted"


def test_a_gradient_that_is_not_linear_is_not_one():
    given = pt.matrix("given")
    assert recognize_rectified_gradient(given * given, given, [x]) is None
