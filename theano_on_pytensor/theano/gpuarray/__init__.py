"""Theano's GPU back-end of 2016-2018, served by the CPU.

There is no GPU here. Where ``device=gpu*`` or ``device=cuda*`` was asked for, these
modules nevertheless say yes, and compute on the CPU what the GPU would have
computed, so that programs written for it run (the genuine Theano would have said
no); with ``device=cpu`` they say no. What needs CUDA code of a program's own is
refused when it is used.
"""

from theano.gpuarray import basic_ops, blas, dnn, fp16_help, opt, subtensor, type
from theano.gpuarray.basic_ops import as_gpuarray_variable
from theano.gpuarray.type import ContextNotDefined, GpuArrayType, get_context, use
from theano.gpuarray.type import gpu_asked_for as _gpu_asked_for

__all__ = [
    "ContextNotDefined",
    "GpuArrayType",
    "as_gpuarray_variable",
    "basic_ops",
    "blas",
    "dnn",
    "fp16_help",
    "get_context",
    "opt",
    "pygpu_activated",
    "subtensor",
    "type",
    "use",
]

pygpu_activated = _gpu_asked_for
