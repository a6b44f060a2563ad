"""What neural networks are made of."""

from theano.tensor.nnet import abstract_conv, conv, nnet, sigm
from theano.tensor.nnet.abstract_conv import (
    conv2d,
    conv2d_grad_wrt_inputs,
    conv2d_grad_wrt_weights,
)
from theano.tensor.nnet.nnet import *
from theano.tensor.nnet.nnet import __all__ as _nnet
from theano.tensor.nnet.sigm import *
from theano.tensor.nnet.sigm import __all__ as _sigm

__all__ = sorted(
    {
        *_nnet,
        *_sigm,
        *("abstract_conv", "conv", "conv2d", "conv2d_grad_wrt_inputs"),
        *("conv2d_grad_wrt_weights", "nnet", "sigm"),
    }
)
