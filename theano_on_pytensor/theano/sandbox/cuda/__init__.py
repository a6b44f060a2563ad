"""Theano's GPU back-end until 2016, served by the CPU as :mod:`theano.gpuarray` is."""

from theano.gpuarray.type import gpu_asked_for as _gpu_asked_for
from theano.gpuarray.type import use
from theano.sandbox.cuda import basic_ops, blas, blocksparse, dnn, rng_curand, type, var
from theano.sandbox.cuda.basic_ops import GpuOp
from theano.sandbox.cuda.dnn import dnn_available
from theano.sandbox.cuda.type import CudaNdarrayType
from theano.sandbox.cuda.var import CudaNdarraySharedVariable

__all__ = [
    "CudaNdarraySharedVariable",
    "CudaNdarrayType",
    "GpuOp",
    "basic_ops",
    "blas",
    "blocksparse",
    "cuda_available",
    "cuda_enabled",
    "dnn",
    "dnn_available",
    "rng_curand",
    "type",
    "use",
    "var",
]

cuda_available = _gpu_asked_for
cuda_enabled = _gpu_asked_for
