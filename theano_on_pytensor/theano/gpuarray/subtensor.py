"""Indexing on a GPU."""

from theano.gpuarray.type import NeedsGpu

__all__ = ["GpuAdvancedSubtensor1"]


class GpuAdvancedSubtensor1(NeedsGpu):
    """The rows of a matrix on a GPU; no graph has it."""
