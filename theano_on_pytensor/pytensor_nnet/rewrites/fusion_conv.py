"""``fuse_conv``: a convolutional layer becomes one Op, and its gradient another.

The layer is ``max_pool(rectify(conv2d(x, W) + b))``, with or without the pool, the
rectifier or the bias, as long as one of the first two is there.
"""

import pytensor.tensor as pt
from pytensor.compile.mode import optdb

from pytensor_nnet.ops.conv import Conv2d, Conv2dGradFilters, Conv2dGradInputs
from pytensor_nnet.ops.fused_conv import FusedConv2d, FusedConv2dGrad
from pytensor_nnet.ops.pool import MaxPool2dGrad, Pool2d
from pytensor_nnet.rewrites.fusion import FuseLayer, clients

__all__ = ["FuseConv"]

# A window's maxima are the bits of an integer of at most so many.
_LARGEST_WINDOW = 32


class FuseConv(FuseLayer):
    """The rewrite of this module."""

    name = "fuse_conv"
    bias_order = ("x", 0, "x", "x")
    bias_axes = (0, 2, 3)

    def is_linear(self, node):
        return type(node.op) is Conv2d and node.op.num_groups == 1

    def output(self, fgraph, rectified, slope):
        pools = [
            node for node in clients(fgraph, rectified) if isinstance(node.op, Pool2d)
        ]
        if len(pools) == 1 and _ends_a_layer(pools[0].op):
            return pools[0].outputs[0]
        return None if slope is None else rectified

    def arriving(self, match, gradient):
        if match.out is match.rectified:
            return gradient
        node = gradient.owner
        if (
            node is not None
            and isinstance(node.op, MaxPool2dGrad)
            and node.inputs[:2] == [match.rectified, match.out]
        ):
            return node.inputs[2]
        return None

    def gradient_nodes(self, fgraph, linear):
        images, filters = linear.inputs
        for source, kind in ((images, Conv2dGradFilters), (filters, Conv2dGradInputs)):
            for node in clients(fgraph, source):
                if (
                    type(node.op) is kind
                    and node.inputs[0] is source
                    and _is_gradient_of(node.op, linear.op)
                ):
                    yield node.inputs[1], node, kind is Conv2dGradFilters

    def fuse(self, fgraph, match):
        conv, (images, filters) = match.linear.op, match.linear.inputs
        bias = match.bias
        if bias is None:
            bias = pt.zeros((filters.shape[0],), dtype=match.out.type.dtype)
        pooled = match.out is not match.rectified
        window = match.out.owner.op.ws if pooled else (1, 1)
        layer = FusedConv2d(conv, window, match.slope, bool(match.gradients))
        out, *mask = layer(images, filters, bias, return_list=True)
        yield match.out, out
        for gradient in match.gradients:
            op = FusedConv2dGrad(
                conv, window, match.slope, gradient.at_zero, bool(gradient.to_inputs)
            )
            results = op(images, filters, out, *mask, gradient.given, return_list=True)
            olds = (gradient.to_weights, gradient.to_bias, gradient.to_inputs)
            for variables, new in zip(olds, results, strict=False):
                yield from ((old, new) for old in variables)


def _ends_a_layer(op: Pool2d) -> bool:
    return (
        op.mode == "max"
        and op.ignore_border
        and op.stride == op.ws
        and op.pad == (0, 0)
        and op.ws[0] * op.ws[1] <= _LARGEST_WINDOW
    )


def _is_gradient_of(gradient: Conv2dGradFilters | Conv2dGradInputs, conv: Conv2d):
    return all(
        getattr(gradient, name) == getattr(conv, name)
        for name in type(gradient).__props__
    )


optdb.register("fuse_conv", FuseConv(), "fast_run", "fast_compile", position=0.03)
