"""What neural networks are made of."""

from theano.tensor.nnet import abstract_conv, bn, conv, neighbours, nnet, sigm
from theano.tensor.nnet.abstract_conv import (
    conv2d,
    conv2d_grad_wrt_inputs,
    conv2d_grad_wrt_weights,
    conv3d,
)
from theano.tensor.nnet.bn import (
    batch_normalization,
    batch_normalization_test,
    batch_normalization_train,
)
from theano.tensor.nnet.nnet import *
from theano.tensor.nnet.nnet import __all__ as _nnet
from theano.tensor.nnet.sigm import *
from theano.tensor.nnet.sigm import __all__ as _sigm

__all__ = sorted(
    {
        *_nnet,
        *_sigm,
        *("abstract_conv", "batch_normalization", "batch_normalization_test"),
        *("batch_normalization_train", "bn", "conv", "conv2d"),
        *("conv2d_grad_wrt_inputs", "conv2d_grad_wrt_weights", "conv3d"),
        *("neighbours", "nnet", "sigm"),
    }
)
