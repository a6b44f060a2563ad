"""Where :mod:`theano.tensor.nnet.conv` was first."""

from theano.tensor.nnet.conv import ConvOp, conv2d

__all__ = ["ConvOp", "conv2d"]
