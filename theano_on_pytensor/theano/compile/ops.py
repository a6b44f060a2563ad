"""Ops that are about variables, not about numbers."""

from pytensor.compile.ops import (
    DeepCopyOp,
    FromFunctionOp,
    ViewOp,
    as_op,
    deep_copy_op,
    view_op,
)

from theano.tensor.basic import addbroadcast, as_tensor_variable, unbroadcast

__all__ = [
    "DeepCopyOp",
    "FromFunctionOp",
    "Rebroadcast",
    "ViewOp",
    "as_op",
    "deep_copy_op",
    "expandable_types",
    "view_op",
]

expandable_types = ()


class Rebroadcast:
    """Called with a tensor: declares dimensions to be 1, or no longer known to be.

    Parameters
    ----------
    *axis
        Pairs ``(axis, whether it is 1)``.
    """

    def __init__(self, *axis):
        self.axis = dict(axis)

    def __call__(self, x):
        x = as_tensor_variable(x)
        x = unbroadcast(x, *(a for a, known in self.axis.items() if not known))
        return addbroadcast(x, *(a for a, known in self.axis.items() if known))
