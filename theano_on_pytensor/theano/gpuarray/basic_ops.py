"""Moving values to a GPU and back, which is nothing to do here."""

import pytensor.tensor as pt
from pytensor.tensor.basic import AllocEmpty

from theano.gpuarray.type import NeedsGpu

__all__ = [
    "CGpuKernelBase",
    "GpuAllocEmpty",
    "GpuContiguous",
    "GpuFromHost",
    "GpuKernelBase",
    "HideC",
    "HostFromGpu",
    "Kernel",
    "as_gpuarray_variable",
    "empty_like",
    "gpu_alloc_empty",
    "gpu_contiguous",
    "gpu_from_host",
    "gpuarray_helper_inc_dir",
    "host_from_gpu",
    "infer_context_name",
]


def as_gpuarray_variable(x, context_name=None):
    """``x`` as a tensor."""
    return pt.as_tensor_variable(x)


def gpu_contiguous(x):
    """``x`` as a tensor: the Ops here take any layout in memory."""
    return pt.as_tensor_variable(x)


def host_from_gpu(x):
    """``x`` as a tensor; it is on the host already."""
    return pt.as_tensor_variable(x)


def gpu_from_host(x):
    """``x`` as a tensor; it stays on the host."""
    return pt.as_tensor_variable(x)


def gpu_alloc_empty(*shape, dtype="float32"):
    """A tensor of that shape and any values.

    Theano 1.0 called it as ``gpu_alloc_empty(context_name, dtype)(*shape)``.
    """
    if any(isinstance(size, str) or size is None for size in shape):
        return GpuAllocEmpty(shape[1] if len(shape) > 1 else dtype)
    return AllocEmpty(dtype)(*shape)


def GpuAllocEmpty(dtype="float32", context_name=None):
    """What makes a tensor of any values, called with its sizes."""
    return AllocEmpty(dtype)


def empty_like(x):
    """A tensor like ``x``, of any values."""
    x = pt.as_tensor_variable(x)
    return AllocEmpty(x.dtype)(*(x.shape[axis] for axis in range(x.ndim)))


def infer_context_name(*variables):
    """The name of the GPU on which variables are: none."""
    return None


def gpuarray_helper_inc_dir():
    """The folder of the CUDA headers: there are none."""
    raise NotImplementedError(
        "there are no CUDA headers: Theano on PyTensor runs on the CPU"
    )


class HostFromGpu(NeedsGpu):
    """The Op of :func:`host_from_gpu`; no graph has it."""


class GpuFromHost(NeedsGpu):
    """The Op of :func:`gpu_from_host`; no graph has it."""


class GpuContiguous(NeedsGpu):
    """The Op of :func:`gpu_contiguous`; no graph has it."""


class HideC(NeedsGpu):
    """The base of Ops that hide their C code."""


class GpuKernelBase(NeedsGpu):
    """The base of Ops with CUDA kernels."""


class CGpuKernelBase(NeedsGpu):
    """The base of Ops with CUDA kernels in a file."""


class Kernel(NeedsGpu):
    """A CUDA kernel."""

    @staticmethod
    def get_flags(*types):
        """The flags that a kernel for values of ``types`` needs: none here."""
        return {}
