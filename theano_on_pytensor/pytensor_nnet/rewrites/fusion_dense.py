"""``fuse_dense``: a dense layer becomes one Op, and its gradient another.

The layer is ``rectify(dot(x, W) + b)``, with or without the rectifier or the bias. An
``x`` of more axes that is flattened first is the layer's as it is.
"""

from typing import Any

import pytensor.tensor as pt
from pytensor.compile.mode import optdb
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.scalar.basic import Cast
from pytensor.tensor.basic import MakeVector, ScalarFromTensor
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.math import Dot
from pytensor.tensor.shape import Reshape, Shape, Shape_i
from pytensor.tensor.subtensor import Subtensor, indices_from_subtensor

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

    def fuse(self, fgraph, match):
        inputs, weights = match.linear.inputs
        inputs = _before_flattening(inputs)
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
            yield from ((old, results[0]) for old in gradient.to_weights)
            yield from ((old, results[1]) for old in gradient.to_bias)
            for old in gradient.to_inputs:
                for node in clients(fgraph, old):
                    if _has_shape_of(node, inputs):
                        yield node.outputs[0], results[2]
                yield old, results[2].flatten(2)


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


def _before_flattening(matrix: Variable) -> Variable:
    """``x`` where the matrix is written as ``x.flatten(2)``, else itself."""
    node = matrix.owner
    if node is None or not isinstance(node.op, Reshape):
        return matrix
    inputs, shape = node.inputs
    if inputs.type.ndim < 3 or shape.owner is None:
        return matrix
    sizes = shape.owner.inputs if isinstance(shape.owner.op, MakeVector) else []
    if len(sizes) == 2 and _is_batch_size(sizes[0], inputs) and _is_rest(sizes[1]):
        return inputs
    return matrix


def _has_shape_of(node: Apply, inputs: Variable) -> bool:
    """Whether it reshapes to the shape that ``inputs`` have."""
    if not isinstance(node.op, Reshape):
        return False
    shape = node.inputs[1].owner
    return (
        shape is not None and isinstance(shape.op, Shape) and shape.inputs[0] is inputs
    )


def _is_batch_size(size: Variable, inputs: Variable) -> bool:
    """Whether it is ``inputs.shape[0]``, in one of the ways to write it."""
    node = size.owner
    while node is not None and isinstance(node.op, Subtensor | ScalarFromTensor):
        if isinstance(node.op, Subtensor) and not _takes_first(node):
            return False
        size, node = node.inputs[0], node.inputs[0].owner
    if node is None or node.inputs[0] is not inputs:
        return False
    return isinstance(node.op, Shape) or (
        isinstance(node.op, Shape_i) and node.op.i == 0
    )


def _takes_first(node: Apply) -> bool:
    """Whether an index takes the first element, or some elements from that one on."""
    (index,) = indices_from_subtensor(node.inputs[1:], node.op.idx_list)
    if not isinstance(index, slice):
        return _number(index) == 0
    step = 1 if index.step is None else _number(index.step)
    return step is not None and step > 0 and index.start is None


def _is_rest(size: Variable) -> bool:
    return _number(size) == -1


def _number(value: Any) -> int | None:
    """A constant's, whatever it was converted from."""
    while isinstance(value, Variable) and value.owner is not None:
        if not isinstance(getattr(value.owner.op, "scalar_op", None), Cast):
            return None
        (value,) = value.owner.inputs
    if isinstance(value, Variable):
        value = value.data if isinstance(value, Constant) else None
    return None if value is None else int(value)


optdb.register("fuse_dense", FuseDense(), "fast_run", "fast_compile", position=0.04)
