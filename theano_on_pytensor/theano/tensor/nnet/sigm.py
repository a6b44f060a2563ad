"""Sigmoids and the softplus."""

import pytensor.tensor as pt
from pytensor.scalar.basic import get_scalar_type, upgrade_to_float
from pytensor.tensor import sigmoid, softplus

__all__ = ["hard_sigmoid", "sigmoid", "softplus", "ultra_fast_sigmoid"]


def _float_dtype(x):
    """The float dtype that a function of ``x`` has."""
    [of_result] = upgrade_to_float(get_scalar_type(x.type.dtype))
    return of_result.dtype


def hard_sigmoid(x):
    """``0.2*x + 0.5``, cut off at 0 and 1: a coarse approximation of the sigmoid."""
    x = pt.as_tensor_variable(x)
    slope, shift = (pt.constant(value, dtype=_float_dtype(x)) for value in (0.2, 0.5))
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
    return pt.cast(0.5 * (pt.switch(half >= 0, size, -size) + 1), _float_dtype(x))
