"""What neural networks are made of."""

from theano.tensor.nnet import (
    abstract_conv,
    blocksparse,
    bn,
    conv,
    conv3d2d,
    neighbours,
    nnet,
    sigm,
)
from theano.tensor.nnet.abstract_conv import (
    conv2d,
    conv2d_grad_wrt_inputs,
    conv2d_grad_wrt_weights,
    conv2d_transpose,
    conv3d,
    separable_conv2d,
)
from theano.tensor.nnet.blocksparse import sparse_block_dot
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
        *("batch_normalization_train", "blocksparse", "bn", "conv", "conv2d"),
        *("conv2d_grad_wrt_inputs", "conv2d_grad_wrt_weights", "conv2d_transpose"),
        *("conv3d", "conv3d2d", "neighbours", "nnet", "separable_conv2d", "sigm"),
        "sparse_block_dot",
    }
)
