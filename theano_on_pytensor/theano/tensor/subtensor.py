"""Indexing and writing to a part of a tensor."""

import pytensor.tensor as pt
from pytensor.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
    advanced_inc_subtensor1,
    advanced_subtensor,
    advanced_subtensor1,
    inc_subtensor,
    set_subtensor,
)

from theano.gof.type import StandIn

__all__ = [
    "AdvancedIncSubtensor",
    "AdvancedIncSubtensor1",
    "AdvancedSubtensor",
    "AdvancedSubtensor1",
    "IncSubtensor",
    "Subtensor",
    "advanced_inc_subtensor1",
    "advanced_subtensor",
    "advanced_subtensor1",
    "inc_subtensor",
    "set_subtensor",
    "take",
]


class AdvancedSubtensor1(metaclass=StandIn):
    """Called with a tensor and a vector of integers: the rows that it names."""

    served = AdvancedSubtensor

    def __new__(cls, sparse_grad=False):
        return advanced_subtensor1


class AdvancedIncSubtensor1(metaclass=StandIn):
    """Called with a tensor, values and a vector of integers: the tensor with the
    values added to (or put in place of) the rows that it names.
    """

    served = AdvancedIncSubtensor

    def __new__(cls, inplace=False, set_instead_of_inc=False):
        change = set_subtensor if set_instead_of_inc else inc_subtensor
        return lambda x, values, rows: change(x[rows], values)


def take(a, indices, axis=None, mode="raise"):
    """The elements of ``a`` (flattened, or along ``axis``) that ``indices`` name.

    ``mode`` says what to do about an index outside: ``'raise'``, ``'wrap'`` or
    ``'clip'``.
    """
    a, indices = pt.as_tensor_variable(a), pt.as_tensor_variable(indices)
    if axis is None:
        a, axis = a.flatten(), 0
    axis %= a.type.ndim
    size = a.shape[axis]
    if mode == "clip":
        indices = pt.clip(indices, 0, size - 1)
    elif mode == "wrap":
        indices = indices % size
    elif mode != "raise":
        raise ValueError(f"mode must be 'raise', 'wrap' or 'clip', got {mode!r}")
    return a[(slice(None),) * axis + (indices,)]
