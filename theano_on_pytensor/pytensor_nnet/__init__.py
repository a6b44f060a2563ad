"""Neural network Ops for PyTensor: what it dropped of Theano, and faster ways.

Convolution (:func:`conv2d` and its gradients) and pooling (:func:`pool_2d`) on
images ``(batch, channels, rows, columns)``. Every Op runs on NumPy alone, with
no compiler; gradients of any order work.
"""

from pytensor_nnet.ops.conv import (
    Conv2d,
    Conv2dGradFilters,
    Conv2dGradInputs,
    ShapeMismatchError,
    conv2d,
    conv2d_grad_wrt_inputs,
    conv2d_grad_wrt_weights,
)
from pytensor_nnet.ops.pool import (
    AveragePool2dGrad,
    MaxPool2dGrad,
    MaxPool2dGradGrad,
    Pool2d,
    PoolPadError,
    pool_2d,
)

__all__ = [
    "AveragePool2dGrad",
    "Conv2d",
    "Conv2dGradFilters",
    "Conv2dGradInputs",
    "MaxPool2dGrad",
    "MaxPool2dGradGrad",
    "Pool2d",
    "PoolPadError",
    "ShapeMismatchError",
    "conv2d",
    "conv2d_grad_wrt_inputs",
    "conv2d_grad_wrt_weights",
    "pool_2d",
]
