"""A dense layer in one Op each way: product, bias, rectifier.

:mod:`pytensor_nnet.rewrites.fusion_dense` puts these Ops in the place of the plain
ones.
"""

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.tensor.type import TensorType

from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.product import (
    add_derivative,
    add_factors,
    add_product,
    add_sum,
)
from pytensor_nnet.ops.launching import Launching

__all__ = ["FusedDense", "FusedDenseGrad"]


class FusedDense(Launching):
    """``rectify(flatten(inputs, 2) @ weights + bias)``.

    Inputs are ``(batch, features)``, or of more axes; weights are ``(features,
    units)``, the bias is ``(units,)``.

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

    def launch(self, node, inputs):
        features, weights, bias = inputs
        _check(features.shape, weights.shape, bias.shape)
        launch = Launch()
        features, order = _as_it_lies(launch, features)[:2]
        out, mask = add_product(
            *(launch, features, weights, bias, self.slope),
            *(self.keeps_mask, order, "taps"),
        )
        launch.outputs = [out] if mask is None else [out, mask]
        return launch

    def infer_shape(self, *arguments):
        node, (input_shape, weight_shape, _) = arguments[-2:]
        return [(input_shape[0], weight_shape[1])] * len(node.outputs)


class FusedDenseGrad(Launching):
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

    def launch(self, node, inputs):
        features, weights, gradient, *outputs = inputs
        launch = Launch()
        features, order, shape, axes = _as_it_lies(launch, features)
        if self.slope is None:
            bias = add_sum(launch, gradient)
        else:
            gradient, bias = add_derivative(
                launch, gradient, *outputs, self.slope, self.at_zero
            )
        given, to_weights = add_factors(
            launch, features, weights, gradient, order, self.to_inputs
        )
        launch.outputs = [to_weights, bias]
        if given is not None:
            launch.outputs.append(given.reshape(shape).transpose(axes))
        return launch

    def infer_shape(self, *arguments):
        input_shape, weight_shape, *_ = arguments[-1]
        shapes = [weight_shape, weight_shape[1:], input_shape]
        return shapes if self.to_inputs else shapes[:2]


def _as_it_lies(
    launch: Launch, inputs: np.ndarray
) -> tuple[np.ndarray, Any, Any, tuple[int, ...]]:
    """Inputs as a matrix of features in the order of memory, without a copy if they
    lie side by side in some order.

    Returns the matrix; ``order``, the number of each of its columns among the
    features, ``None`` where they are in order; and what makes such a matrix an
    array like the inputs: a shape to be given it, and then an order of its axes.
    """
    if inputs.ndim == 2:
        return inputs, None, inputs.shape, (0, 1)
    found = _flattening(inputs.shape, inputs.strides, inputs.itemsize)
    if found is None:
        inputs = launch.in_order(inputs)
        found = _flattening(inputs.shape, inputs.strides, inputs.itemsize)
    axes, back, shape, order = found
    matrix = inputs.transpose(axes).reshape(len(inputs), prod(shape[1:]))
    return matrix, order, shape, back


@lru_cache(256)
def _flattening(
    shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int
) -> tuple[Any, ...] | None:
    """The axes in the order of memory, how to undo that, the shape then, and the
    numbers of the features, ``None`` where they are in order.
    """
    features = sorted(range(1, len(shape)), key=lambda axis: -strides[axis])
    axes = (0, *features)
    in_memory = tuple(shape[axis] for axis in axes)
    step = itemsize
    for axis in reversed(axes):
        if shape[axis] != 1 and strides[axis] != step and prod(shape):
            return None
        step *= shape[axis]
    back = tuple(np.argsort(axes).tolist())
    order = None
    if features != sorted(features):
        numbers = np.arange(prod(shape[1:]), dtype=np.int32).reshape(shape[1:])
        order = np.ascontiguousarray(
            numbers.transpose([axis - 1 for axis in features]).ravel()
        )
    return axes, back, in_memory, order


def _check(
    inputs: tuple[int, ...], weights: tuple[int, ...], bias: tuple[int, ...]
) -> None:
    size = prod(inputs[1:])
    if size != weights[0]:
        raise ValueError(
            f"a product of shapes {inputs} and {weights} is not possible: the first "
            f"has rows of {size} numbers, the second has columns of {weights[0]}"
        )
    if bias[0] != weights[1]:
        raise ValueError(
            f"a bias of shape {bias} does not fit a product of shapes {inputs} and "
            f"{weights}: it needs {weights[1]} numbers"
        )
