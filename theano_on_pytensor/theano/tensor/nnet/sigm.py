"""Sigmoids and the softplus."""

import pytensor.tensor as pt
from pytensor.tensor import sigmoid, softplus

__all__ = ["hard_sigmoid", "sigmoid", "softplus", "ultra_fast_sigmoid"]


def hard_sigmoid(x):
    """``0.2*x + 0.5``, cut off at 0 and 1: a coarse approximation of the sigmoid."""
    x = pt.as_tensor_variable(x)
    dtype = x.type.dtype if x.type.dtype.startswith("float") else "float64"
    slope, shift = (pt.constant(value, dtype=dtype) for value in (0.2, 0.5))
    return pt.clip(x * slope + shift, 0, 1)


def ultra_fast_sigmoid(x):
    """The sigmoid by straight lines and a rational function, to within 0.03.

    With ``y = |x/2|`` it is ``(1 + z)/2`` where ``z``, of the sign of ``x``, is
    ``1.5*y/(1 + y)`` up to 1.7, ``0.935409070603 + 0.045881*(y - 1.7)`` up to 3
    and 0.99505475368673 beyond.
    """
    x = pt.as_tensor_variable(x)
    half = 0.5 * x
    y = pt.abs(half)
    size = pt.switch(
        y < 1.7,
        1.5 * y / (1 + y),
        pt.switch(
            y < 3, 0.935409070603 + 0.0458812946797 * (y - 1.7), 0.99505475368673
        ),
    )
    return 0.5 * (pt.switch(half >= 0, size, -size) + 1)
