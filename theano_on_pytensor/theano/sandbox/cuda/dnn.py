"""cuDNN's functions, computed on the CPU: see :mod:`theano.gpuarray.dnn`."""

from theano.gpuarray.dnn import (
    GpuDnnConv,
    GpuDnnConvDesc,
    GpuDnnConvGradI,
    GpuDnnConvGradW,
    GpuDnnPool,
    GpuDnnSoftmax,
    dnn_available,
    dnn_batch_normalization_test,
    dnn_batch_normalization_train,
    dnn_conv,
    dnn_conv3d,
    dnn_gradinput,
    dnn_gradweight,
    dnn_pool,
    version,
)

__all__ = [
    "GpuDnnConv",
    "GpuDnnConv3d",
    "GpuDnnConv3dGradI",
    "GpuDnnConv3dGradW",
    "GpuDnnConvDesc",
    "GpuDnnConvGradI",
    "GpuDnnConvGradW",
    "GpuDnnPool",
    "GpuDnnSoftmax",
    "dnn_available",
    "dnn_batch_normalization_test",
    "dnn_batch_normalization_train",
    "dnn_conv",
    "dnn_conv3d",
    "dnn_gradinput",
    "dnn_gradweight",
    "dnn_pool",
    "version",
]

GpuDnnConv3d = GpuDnnConv
GpuDnnConv3dGradI = GpuDnnConvGradI
GpuDnnConv3dGradW = GpuDnnConvGradW
