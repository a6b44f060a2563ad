"""Tensors: their variables, types and the functions on them."""

from pytensor.graph.basic import Constant

from theano.gof.graph import Variable
from theano.gof.utils import hashtype
from theano.gradient import (
    DisconnectedType,
    Lop,
    Rop,
    consider_constant,
    grad,
    grad_not_implemented,
    grad_undefined,
    hessian,
    jacobian,
    numeric_grad,
    verify_grad,
)
from theano.tensor import (
    basic,
    elemwise,
    extra_ops,
    fft,
    nlinalg,
    nnet,
    opt,
    shared_randomstreams,
    sharedvar,
    signal,
    slinalg,
    subtensor,
    type,
    var,
    xlogx,
)
from theano.tensor.basic import *
from theano.tensor.basic import __all__ as _basic
from theano.tensor.elemwise import *
from theano.tensor.elemwise import __all__ as _elemwise
from theano.tensor.extra_ops import *
from theano.tensor.extra_ops import __all__ as _extra_ops
from theano.tensor.sharedvar import TensorSharedVariable
from theano.tensor.sharedvar import tensor_shared as _shared

# The function, not the module of its name.
from theano.tensor.sort import argsort, argtopk, sort, topk, topk_and_argtopk
from theano.tensor.subtensor import *
from theano.tensor.subtensor import __all__ as _subtensor
from theano.tensor.var import TensorConstant, TensorVariable

__all__ = sorted(
    {
        *_basic,
        *_elemwise,
        *_extra_ops,
        *_subtensor,
        *("Constant", "Lop", "Rop", "TensorConstant", "TensorSharedVariable"),
        *("TensorVariable", "Variable", "basic", "consider_constant"),
        *("argtopk", "elemwise", "extra_ops", "fft", "grad"),
        *("DisconnectedType", "grad_not_implemented", "grad_undefined", "hashtype"),
        *("hessian", "jacobian", "numeric_grad", "verify_grad"),
        *("nnet", "shared_randomstreams", "sharedvar", "signal"),
        *("nlinalg", "opt", "slinalg", "xlogx"),
        *("sort", "subtensor", "topk", "topk_and_argtopk", "type", "var"),
    }
)
