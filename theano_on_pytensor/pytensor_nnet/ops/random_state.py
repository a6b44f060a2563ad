"""Draws from ``numpy.random.RandomState``, the generator of Theano's time.

Its streams are frozen: every NumPy draws the same numbers from the same seed.
PyTensor's own random variables draw from ``numpy.random.Generator`` instead.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.random import RandomState
from pytensor.gradient import disconnected_type, grad_undefined
from pytensor.graph.basic import Apply, Constant
from pytensor.graph.op import Op
from pytensor.graph.type import Type
from pytensor.tensor.exceptions import ShapeError

from pytensor_nnet.ops.arguments import shape_vector

__all__ = ["RandomFunction", "RandomStateType", "random_state_type"]


class RandomStateType(Type):
    """The type of a variable that holds a ``numpy.random.RandomState``."""

    __props__ = ()

    def filter(self, data, strict=False, allow_downcast=None):
        if type(data) is not RandomState:
            raise TypeError(f"expected a numpy.random.RandomState, got {data!r}")
        return data

    @staticmethod
    def values_eq(a, b):
        return _words(a) == _words(b)

    @staticmethod
    def may_share_memory(a, b):
        return a._bit_generator is b._bit_generator

    def __eq__(self, other):
        return type(self) is type(other)

    def __hash__(self):
        return hash(type(self))

    def __repr__(self):
        return "RandomStateType"


random_state_type = RandomStateType()


def _words(state: RandomState) -> tuple[Any, ...]:
    """The state; without the normal number kept for later where there is none."""
    name, key, position, has_gauss, gauss = state.get_state()
    return name, key.tolist(), position, has_gauss, gauss if has_gauss else None


def copy_random_state(state: RandomState) -> RandomState:
    """An equal ``RandomState`` that shares nothing with the given one."""
    twin = RandomState(np.random.MT19937(0))
    twin.set_state(state.get_state())
    return twin


class RandomFunction(Op):
    """Draw a tensor from a ``RandomState``.

    Called with a variable of :class:`RandomStateType`, the shape (a vector of
    integers; of length 0: whatever the function makes of no shape), and further
    arguments. Gives the ``RandomState`` thereafter, and the tensor.

    Parameters
    ----------
    fn : str or callable
        The name of a method of ``RandomState``, or a function that takes a
        ``RandomState``, the further arguments as arrays, and the shape as a tuple
        (``None`` for no shape).
    outtype : TensorType
        The type of the tensor; what is drawn is cast to its dtype.
    inplace : bool
        Whether the given ``RandomState`` is used up, rather than a copy of it.
    ndim_added : int
        How many axes the tensor has beyond the shape, as a permutation has one.
    """

    __props__ = ("fn", "outtype", "inplace", "ndim_added")

    def __init__(
        self,
        fn: str | Callable[..., Any],
        outtype: Any,
        inplace: bool = False,
        ndim_added: int = 0,
    ):
        self.fn = fn
        self.outtype = outtype
        self.inplace = bool(inplace)
        self.ndim_added = int(ndim_added)
        if self.inplace:
            self.destroy_map = {0: [0]}

    def __str__(self):
        name = self.fn if isinstance(self.fn, str) else self.fn.__name__
        return f"{type(self).__name__}{{{name}}}"

    def make_node(self, state: Any, shape: Any, *arguments: Any) -> Apply:
        if not isinstance(state.type, RandomStateType):
            raise TypeError(
                f"expected a variable that holds a RandomState, got {state.type}"
            )
        arguments = [pt.as_tensor_variable(argument) for argument in arguments]
        return Apply(
            self,
            [state, shape_vector(shape), *arguments],
            [state.type(), self.outtype()],
        )

    def perform(self, node, inputs, output_storage):
        state, shape, *arguments = inputs
        size = tuple(shape.tolist()) or None
        if size is not None and len(size) + self.ndim_added != self.outtype.ndim:
            raise ValueError(
                f"{self} draws tensors of {self.outtype.ndim} axes, which the shape "
                f"{size} and {self.ndim_added} axes more do not make"
            )
        if not self.inplace:
            state = copy_random_state(state)
        draw = getattr(RandomState, self.fn) if isinstance(self.fn, str) else self.fn
        drawn = np.asarray(draw(state, *arguments, size), dtype=self.outtype.dtype)
        if size is None and drawn.ndim == 0:
            drawn = drawn.reshape((1,) * self.outtype.ndim)
        if drawn.ndim != self.outtype.ndim or (
            size is not None and drawn.shape[: len(size)] != size
        ):
            raise ValueError(
                f"{self} drew a tensor of shape {drawn.shape}, not of shape {size} "
                f"and {self.ndim_added} axes more"
            )
        output_storage[0][0] = state
        output_storage[1][0] = drawn

    def infer_shape(self, *arguments):
        # PyTensor 3.0 calls it with (fgraph, node, shapes), 3.3 with (node, shapes).
        node = arguments[-2]
        shape = node.inputs[1]
        if self.ndim_added or (isinstance(shape, Constant) and not shape.data.size):
            raise ShapeError("the drawing function decides")
        return [None, [shape[axis] for axis in range(self.outtype.ndim)]]

    def pullback(self, inputs, outputs, cotangents):
        return [
            grad_undefined(self, position, variable, "a random draw has no gradient")
            for position, variable in enumerate(inputs)
        ]

    def pushforward(self, inputs, outputs, tangents):
        return [disconnected_type(), disconnected_type()]
