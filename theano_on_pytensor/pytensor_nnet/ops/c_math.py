"""Arithmetic to the last bit as compiled C has it."""

from typing import Any

import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, Lop, disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.tensor.extra_ops import broadcast_shape

from pytensor_nnet.kernels import c_math

__all__ = ["CFunction", "MultiplyAdd"]


class _CMath(Op):
    """What the Ops share: their gradients are those of PyTensor's own Ops."""

    def make_node(self, *terms: Any) -> Apply:
        terms = [pt.as_tensor_variable(term) for term in terms]
        dtypes = {term.type.dtype for term in terms}
        if dtypes not in ({"float32"}, {"float64"}):
            raise TypeError(
                f"{self} takes tensors that are all float32, or all float64, got "
                f"{', '.join(str(term.type) for term in terms)}"
            )
        return Apply(self, terms, [self._of_pytensor(*terms).type()])

    def infer_shape(self, *arguments):
        # PyTensor 3.0 calls it with (fgraph, node, shapes), 3.3 with (node, shapes).
        return [broadcast_shape(*arguments[-1], arrays_are_shapes=True)]

    def pullback(self, inputs, outputs, cotangents):
        return Lop(self._of_pytensor(*inputs), inputs, cotangents[0])

    def pushforward(self, inputs, outputs, tangents):
        terms = [
            partial * tangent
            for partial, tangent in zip(self._partials(*inputs), tangents, strict=True)
            if not isinstance(tangent.type, DisconnectedType)
        ]
        if not terms:
            return [disconnected_type()]
        return [sum(terms, pt.zeros_like(outputs[0]))]


class CFunction(_CMath):
    """A function of the C library, of each number of a tensor.

    Parameters
    ----------
    name : {'cos', 'log', 'sin'}
    """

    __props__ = ("name",)

    def __init__(self, name: str):
        if name not in c_math.FUNCTIONS:
            raise ValueError(
                f"name is {name!r}; it must be one of {', '.join(c_math.FUNCTIONS)}"
            )
        self.name = name

    def _of_pytensor(self, numbers: Any) -> Any:
        return getattr(pt, self.name)(numbers)

    def _partials(self, numbers: Any) -> list[Any]:
        if self.name == "log":
            return [pt.reciprocal(numbers)]
        return [pt.cos(numbers) if self.name == "sin" else -pt.sin(numbers)]

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = c_math.call(self.name, inputs[0])


class MultiplyAdd(_CMath):
    """``a * b + c`` of three tensors that broadcast, rounded once."""

    __props__ = ()

    def _of_pytensor(self, a: Any, b: Any, c: Any) -> Any:
        return a * b + c

    def _partials(self, a: Any, b: Any, c: Any) -> list[Any]:
        return [b, a, pt.ones_like(c)]

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = c_math.multiply_add(*inputs)
