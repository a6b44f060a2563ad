"""A dense layer in one Op each way: product, bias, rectifier.

:mod:`pytensor_nnet.rewrites.fusion_dense` puts these Ops in the place of the plain
ones.
"""

from typing import Any

from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from pytensor_nnet.kernels.llvm.product import differentiate, multiply

__all__ = ["FusedDense", "FusedDenseGrad"]


class FusedDense(Op):
    """``rectify(inputs @ weights + bias)``.

    Inputs are ``(batch, features)``, weights ``(features, units)``, the bias
    ``(units,)``.

    Parameters
    ----------
    slope : float or None
        Of the rectifier, below zero; ``None``: there is none.
    keeps_mask : bool
        Whether there is a second output, of integers: 1 where the first is not
        negative before it is rectified, else 0. The gradient needs it.
    """

    __props__ = ("slope", "keeps_mask")

    def __init__(self, slope: float | None = None, keeps_mask: bool = False):
        self.slope, self.keeps_mask = slope, keeps_mask

    def make_node(self, inputs: Any, weights: Any, bias: Any) -> Apply:
        shape = (inputs.type.shape[0], weights.type.shape[1])
        outputs = [TensorType(inputs.type.dtype, shape=shape)()]
        if self.keeps_mask:
            outputs.append(TensorType("uint8", shape=shape)())
        return Apply(self, [inputs, weights, bias], outputs)

    def perform(self, node, inputs, output_storage):
        features, weights, bias = inputs
        _check(features.shape, weights.shape, bias.shape)
        results = multiply(features, weights, bias, self.slope, self.keeps_mask)
        for storage, value in zip(output_storage, results, strict=False):
            storage[0] = value

    def infer_shape(self, *arguments):
        node, (input_shape, weight_shape, _) = arguments[-2:]
        return [(input_shape[0], weight_shape[1])] * len(node.outputs)


class FusedDenseGrad(Op):
    """The gradients of :class:`FusedDense`: of its weights, bias and inputs.

    Called with the inputs, the weights, the gradient of the output and, where there
    is a rectifier, the two outputs. Without ``to_inputs`` there are two outputs.
    ``at_zero`` is the rectifier's derivative there.
    """

    __props__ = ("slope", "at_zero", "to_inputs")

    def __init__(
        self, slope: float | None = None, at_zero: float = 1.0, to_inputs: bool = True
    ):
        self.slope, self.at_zero, self.to_inputs = slope, at_zero, to_inputs

    def make_node(self, inputs: Any, weights: Any, gradient: Any, *outputs: Any):
        dtype = inputs.type.dtype
        results = [
            TensorType(dtype, shape=weights.type.shape)(),
            TensorType(dtype, shape=weights.type.shape[1:])(),
        ]
        if self.to_inputs:
            results.append(TensorType(dtype, shape=inputs.type.shape)())
        return Apply(self, [inputs, weights, gradient, *outputs], results)

    def perform(self, node, inputs, output_storage):
        features, weights, gradient, *outputs = inputs
        if self.slope is None:
            bias = gradient.sum(axis=0)
        else:
            gradient, bias = differentiate(gradient, *outputs, self.slope, self.at_zero)
        output_storage[0][0] = multiply(features.T, gradient)[0]
        output_storage[1][0] = bias
        if self.to_inputs:
            output_storage[2][0] = multiply(gradient, weights.T)[0]

    def infer_shape(self, *arguments):
        input_shape, weight_shape, *_ = arguments[-1]
        shapes = [weight_shape, weight_shape[1:], input_shape]
        return shapes if self.to_inputs else shapes[:2]


def _check(
    inputs: tuple[int, ...], weights: tuple[int, ...], bias: tuple[int, ...]
) -> None:
    if inputs[1] != weights[0] or bias[0] != weights[1]:
        raise ValueError(
            f"inputs of shape {inputs}, weights of shape {weights} and a bias of shape "
            f"{bias} do not fit each other: the inputs need {weights[0]} columns, the "
            f"bias {weights[1]} numbers"
        )
