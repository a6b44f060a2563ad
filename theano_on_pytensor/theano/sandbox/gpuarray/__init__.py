"""Where :mod:`theano.gpuarray` was in Theano 0.8."""

from theano.gpuarray import (
    GpuArrayType,
    as_gpuarray_variable,
    basic_ops,
    blas,
    dnn,
    get_context,
    pygpu_activated,
    type,
)

__all__ = [
    "GpuArrayType",
    "as_gpuarray_variable",
    "basic_ops",
    "blas",
    "dnn",
    "get_context",
    "pygpu_activated",
    "type",
]
