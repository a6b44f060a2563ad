"""``fuse_dense``: a dense layer becomes one Op, and its gradient another.

The layer is ``rectify(dot(x, W) + b)``, with or without the rectifier or the bias.
"""

import pytensor.tensor as pt
from pytensor.compile.mode import optdb
from pytensor.graph.basic import Variable
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.math import Dot

from pytensor_nnet.ops.fused_dense import FusedDense, FusedDenseGrad
from pytensor_nnet.rewrites.fusion import FuseLayer, clients

__all__ = ["FuseDense"]


class FuseDense(FuseLayer):
    """The rewrite of this module."""

    name = "fuse_dense"
    bias_order = ("x", 0)
    bias_axes = (0,)

    def is_linear(self, node):
        return (
            isinstance(node.op, Dot)
            and all(variable.type.ndim == 2 for variable in node.inputs)
            and not any(_is_transpose(variable) for variable in node.inputs)
        )

    def gradient_nodes(self, fgraph, linear):
        inputs, weights = linear.inputs
        for node in _users_of_transpose(fgraph, inputs):
            if _is_transpose(node.inputs[0], inputs):
                yield node.inputs[1], node, True
        for node in _users_of_transpose(fgraph, weights):
            if _is_transpose(node.inputs[1], weights):
                yield node.inputs[0], node, False

    def fuse(self, match):
        inputs, weights = match.linear.inputs
        bias = match.bias
        if bias is None:
            bias = pt.zeros((weights.shape[1],), dtype=match.out.type.dtype)
        keeps_mask = match.slope is not None and bool(match.gradients)
        layer = FusedDense(match.slope, keeps_mask)
        outputs = layer(inputs, weights, bias, return_list=True)
        yield match.out, outputs[0]
        for gradient in match.gradients:
            op = FusedDenseGrad(match.slope, gradient.at_zero, bool(gradient.to_inputs))
            arguments = outputs if keeps_mask else []
            results = op(inputs, weights, gradient.given, *arguments, return_list=True)
            olds = (gradient.to_weights, gradient.to_bias, gradient.to_inputs)
            for variables, new in zip(olds, results, strict=False):
                yield from ((old, new) for old in variables)


def _is_transpose(variable: Variable, of: Variable | None = None) -> bool:
    node = variable.owner
    return (
        node is not None
        and isinstance(node.op, DimShuffle)
        and tuple(node.op.new_order) == (1, 0)
        and of in (None, node.inputs[0])
    )


def _users_of_transpose(fgraph, matrix):
    for node in clients(fgraph, matrix):
        if isinstance(node.op, DimShuffle) and tuple(node.op.new_order) == (1, 0):
            for user in clients(fgraph, node.outputs[0]):
                if isinstance(user.op, Dot):
                    yield user


optdb.register("fuse_dense", FuseDense(), "fast_run", "fast_compile", position=0.04)
