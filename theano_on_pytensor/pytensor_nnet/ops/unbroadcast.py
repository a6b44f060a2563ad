"""Forget that a dimension is known to be 1.

PyTensor infers static shapes, and a loop or an ``ifelse`` may ask for two
variables of one type where one of them happens to have a length of 1.
"""

from typing import Any

import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

__all__ = ["Unbroadcast", "unbroadcast"]


class Unbroadcast(Op):
    """The same values, of a type that knows less.

    Parameters
    ----------
    axes : tuple of int
        The axes of which nothing is known any more, ascending.
    """

    __props__ = ("axes",)
    view_map = {0: [0]}

    def __init__(self, axes: tuple[int, ...]):
        self.axes = tuple(axes)

    def make_node(self, x: Any) -> Apply:
        x = pt.as_tensor_variable(x)
        shape = [
            None if axis in self.axes else size
            for axis, size in enumerate(x.type.shape)
        ]
        return Apply(self, [x], [TensorType(x.type.dtype, shape=tuple(shape))()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0]

    def infer_shape(self, *arguments):
        return [arguments[-1][0]]

    def pullback(self, inputs, outputs, cotangents):
        (x,) = inputs
        known = [axis for axis in self.axes if x.type.shape[axis] == 1]
        return [pt.specify_broadcastable(cotangents[0], *known)]

    def pushforward(self, inputs, outputs, tangents):
        if isinstance(tangents[0].type, DisconnectedType):
            return [disconnected_type()]
        return [self(tangents[0])]


def unbroadcast(x: Any, *axes: int) -> Variable:
    """``x`` of a type that does not know the sizes of ``axes``.

    Raises ``ValueError`` for an axis that ``x`` does not have.
    """
    x = pt.as_tensor_variable(x)
    for axis in axes:
        if not -x.type.ndim <= axis < x.type.ndim:
            raise ValueError(f"axis {axis} is none of the {x.type.ndim} of {x}")
    normalized = sorted({axis % x.type.ndim for axis in axes})
    to_forget = tuple(axis for axis in normalized if x.type.shape[axis] is not None)
    return Unbroadcast(to_forget)(x) if to_forget else x
