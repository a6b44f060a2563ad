"""Products with block-sparse matrices on a GPU."""

from theano.gpuarray.type import NeedsGpu

__all__ = ["GpuSparseBlockGemv", "GpuSparseBlockOuter"]


class GpuSparseBlockGemv(NeedsGpu):
    """A block-sparse product."""


class GpuSparseBlockOuter(NeedsGpu):
    """A block-sparse outer product."""
