"""Variables on a GPU, of which there are none."""

from theano.gpuarray.type import NeedsGpu

__all__ = [
    "CudaNdarrayConstant",
    "CudaNdarraySharedVariable",
    "CudaNdarrayVariable",
]


class CudaNdarrayVariable(NeedsGpu):
    """A variable on a GPU."""


class CudaNdarrayConstant(NeedsGpu):
    """A constant on a GPU."""


class CudaNdarraySharedVariable(NeedsGpu):
    """A shared variable on a GPU."""
