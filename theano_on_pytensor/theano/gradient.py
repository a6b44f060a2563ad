"""Symbolic differentiation and what stops, clips or scales a gradient."""

from pytensor.gradient import (
    DisconnectedGrad,
    DisconnectedInputError,
    DisconnectedType,
    GradClip,
    GradientError,
    GradScale,
    Lop,
    NullTypeGradError,
    Rop,
    UndefinedGrad,
    ZeroGrad,
    disconnected_grad,
    disconnected_grad_,
    disconnected_type,
    grad,
    grad_clip,
    grad_not_implemented,
    grad_scale,
    grad_undefined,
    hessian,
    jacobian,
    numeric_grad,
    subgraph_grad,
    undefined_grad,
    verify_grad,
    zero_grad,
    zero_grad_,
)
from pytensor.gradient import as_list_or_tuple as _as_list_or_tuple

__all__ = [
    "DisconnectedGrad",
    "DisconnectedInputError",
    "DisconnectedType",
    "GradClip",
    "GradScale",
    "GradientError",
    "Lop",
    "NullTypeGradError",
    "Rop",
    "UndefinedGrad",
    "ZeroGrad",
    "consider_constant",
    "disconnected_grad",
    "disconnected_grad_",
    "disconnected_type",
    "format_as",
    "grad",
    "grad_clip",
    "grad_not_implemented",
    "grad_scale",
    "grad_undefined",
    "hessian",
    "jacobian",
    "numeric_grad",
    "subgraph_grad",
    "undefined_grad",
    "verify_grad",
    "zero_grad",
    "zero_grad_",
]


def consider_constant(x):
    """``x``, through which no gradient flows: its own gradient is zero."""
    return zero_grad(x)


def format_as(use_list, use_tuple, outputs):
    """``outputs`` as a list, as a tuple, or the single one of them."""
    return _as_list_or_tuple(use_list, use_tuple, outputs)
