"""The type of arrays on a GPU, which no variable has here."""

from theano.gof.type import Type
from theano.gpuarray.type import NeedsGpu

__all__ = ["CudaNdarrayType"]


class CudaNdarrayType(NeedsGpu, Type):
    """The type of arrays on a GPU; :class:`theano.tensor.TensorType` serves."""
