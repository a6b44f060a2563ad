"""Uniform numbers from the streams of :mod:`pytensor_nnet.kernels.mrg31k3p`."""

from math import prod
from typing import Any

import pytensor.tensor as pt
from pytensor.gradient import disconnected_type, grad_undefined
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from pytensor_nnet.kernels.mrg31k3p import M1, uniform
from pytensor_nnet.ops.arguments import shape_vector, static_shape

__all__ = ["MRG31k3pUniform"]


class MRG31k3pUniform(Op):
    """Draw a tensor of floats between 0 and 1, both excluded.

    Called with the states of the streams, an int32 matrix ``(streams, 6)``, and
    the shape to draw, a vector of integers. Gives the states thereafter, and the
    tensor: its elements in C order are drawn by stream 0, 1, ..., and round again.

    Parameters
    ----------
    dtype : {'float32', 'float64', 'float16'}
    ndim : int
        The length of the shape.

    Raises
    ------
    ValueError
        For another dtype. At run time, for more than 2^31 - 1 elements.
    """

    __props__ = ("dtype", "ndim")

    def __init__(self, dtype: str, ndim: int):
        self.dtype = str(dtype)
        self.ndim = int(ndim)
        if self.dtype not in ("float16", "float32", "float64"):
            raise ValueError(f"dtype is {dtype!r}; it must be that of a float")

    def make_node(self, states: Any, shape: Any) -> Apply:
        states = pt.as_tensor_variable(states)
        if states.type.ndim != 2 or states.type.dtype != "int32":
            raise TypeError(
                f"the states must be an int32 matrix (streams, 6), got {states.type}"
            )
        shape = shape_vector(shape)
        out = TensorType(self.dtype, shape=static_shape(shape, self.ndim))()
        return Apply(self, [states, shape], [states.type(), out])

    def perform(self, node, inputs, output_storage):
        states, shape = inputs
        size = tuple(shape.tolist())
        if len(size) != self.ndim or min(size, default=0) < 0 or prod(size) > M1:
            raise ValueError(
                f"cannot draw the shape {size}; it must be {self.ndim} sizes of at "
                f"least 0, whose product is at most {M1}"
            )
        draws, output_storage[0][0] = uniform(states, prod(size), self.dtype)
        output_storage[1][0] = draws.reshape(size)

    def infer_shape(self, *arguments):
        # PyTensor 3.0 calls it with (fgraph, node, shapes), 3.3 with (node, shapes).
        node, (states_shape, _) = arguments[-2:]
        return [states_shape, [node.inputs[1][axis] for axis in range(self.ndim)]]

    def pullback(self, inputs, outputs, cotangents):
        return [
            grad_undefined(self, position, variable, "a random draw has no gradient")
            for position, variable in enumerate(inputs)
        ]

    def pushforward(self, inputs, outputs, tangents):
        return [disconnected_type(), disconnected_type()]
