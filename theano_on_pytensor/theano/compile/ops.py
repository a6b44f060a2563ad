"""Ops that are about variables, not about numbers."""

from pytensor.compile.ops import DeepCopyOp, FromFunctionOp, as_op, deep_copy_op
from pytensor.graph.basic import Apply
from pytensor.raise_op import Assert
from pytensor.tensor.shape import Shape, Shape_i, SpecifyShape, shape, specify_shape

from theano.gof.op import Op
from theano.tensor.basic import addbroadcast, as_tensor_variable, unbroadcast

__all__ = [
    "Assert",
    "DeepCopyOp",
    "FromFunctionOp",
    "Rebroadcast",
    "Shape",
    "Shape_i",
    "SpecifyShape",
    "ViewOp",
    "as_op",
    "deep_copy_op",
    "expandable_types",
    "shape",
    "specify_shape",
    "view_op",
]

expandable_types = ()


class ViewOp(Op):
    """``x`` itself. Programs derive from it what only changes the gradient."""

    view_map = {0: [0]}
    __props__ = ()

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0]

    def infer_shape(self, node, shapes):
        return shapes

    def grad(self, inputs, output_gradients):
        return output_gradients

    def R_op(self, inputs, eval_points):
        return eval_points


view_op = ViewOp()


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
