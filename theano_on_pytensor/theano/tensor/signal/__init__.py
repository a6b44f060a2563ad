"""Convolution and pooling of signals."""

from theano.tensor.signal import conv, downsample, pool

__all__ = ["conv", "downsample", "pool"]
