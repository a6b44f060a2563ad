"""Moving values to a GPU and back, which is nothing to do here."""

from theano.gpuarray.basic_ops import (
    GpuContiguous,
    GpuFromHost,
    HostFromGpu,
    as_gpuarray_variable,
    gpu_alloc_empty,
    gpu_contiguous,
    gpu_from_host,
    host_from_gpu,
)
from theano.gpuarray.type import NeedsGpu

__all__ = [
    "GpuContiguous",
    "GpuFromHost",
    "GpuOp",
    "HostFromGpu",
    "as_cuda_array",
    "as_cuda_ndarray_variable",
    "gpu_alloc_empty",
    "gpu_contiguous",
    "gpu_from_host",
    "host_from_gpu",
]

as_cuda_ndarray_variable = as_gpuarray_variable
as_cuda_array = as_gpuarray_variable


class GpuOp(NeedsGpu):
    """The base of Ops on the GPU."""
