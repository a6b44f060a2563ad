"""Symbolic differentiation and what stops, clips or scales a gradient."""

from pytensor.gradient import (
    DisconnectedGrad,
    DisconnectedInputError,
    DisconnectedType,
    GradClip,
    GradientError,
    GradScale,
    NullTypeGradError,
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
    pullback,
    pushforward,
    subgraph_grad,
    undefined_grad,
    verify_grad,
    zero_grad,
    zero_grad_,
)
from pytensor.gradient import as_list_or_tuple as _as_list_or_tuple
from pytensor.graph.utils import MethodNotDefined

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


verify_grad.E_grad = GradientError
"""What it raises for a gradient that is wrong."""


def Lop(f, wrt, eval_points, consider_constant=None, disconnected_inputs="raise"):
    """``eval_points`` times the Jacobian of ``f`` with respect to ``wrt``.

    Parameters
    ----------
    f, wrt : variable or list of variables
    eval_points : variable or list of variables
        One for each of ``f``, of its shape.
    consider_constant, disconnected_inputs
        As for :func:`grad`.

    Returns
    -------
    variable, list or tuple, as ``wrt`` is
    """
    return pullback(
        f,
        wrt,
        eval_points,
        consider_constant=consider_constant,
        disconnected_inputs=disconnected_inputs,
    )


def Rop(f, wrt, eval_points, disconnected_outputs="raise", return_disconnected="zero"):
    """The Jacobian of ``f`` with respect to ``wrt``, times ``eval_points``.

    It is the gradient's gradient, or made of the Ops' own ``R_op`` where one of them
    has no gradient.

    Parameters
    ----------
    f, wrt : variable or list of variables
    eval_points : variable or list of variables
        One for each of ``wrt``, of its shape.
    disconnected_outputs : {'raise', 'warn', 'ignore'}
        What to do about an output that depends on none of ``wrt``.
    return_disconnected : {'zero', 'none', 'disconnected'}
        What is returned for it.

    Returns
    -------
    variable, list or tuple, as ``f`` is
    """
    try:
        return pushforward(
            f, wrt, eval_points, disconnected_outputs, return_disconnected
        )
    except (MethodNotDefined, NotImplementedError):
        return pushforward(
            f,
            wrt,
            eval_points,
            disconnected_outputs,
            return_disconnected,
            use_op_pushforward=True,
        )


def consider_constant(x):
    """``x``, through which no gradient flows: its own gradient is zero."""
    return zero_grad(x)


def format_as(use_list, use_tuple, outputs):
    """``outputs`` as a list, as a tuple, or the single one of them."""
    return _as_list_or_tuple(use_list, use_tuple, outputs)
