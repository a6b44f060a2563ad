"""Comparing and copying the graphs inside a ``scan``."""

import numpy as np
from pytensor.graph.basic import Constant, Variable, equal_computations
from pytensor.graph.replace import clone_replace
from pytensor.scan.basic import get_updates_and_outputs
from pytensor.scan.utils import expand_empty, safe_new, until

__all__ = [
    "clone",
    "equal_computations",
    "expand_empty",
    "get_updates_and_outputs",
    "isNaN_or_Inf_or_None",
    "safe_new",
    "traverse",
    "until",
]


def clone(output, replace=None, strict=True, share_inputs=True, copy_inputs=None):
    """A copy of the graph of ``output`` in which variables are replaced.

    ``replace`` maps variables to what takes their place. With ``strict`` a
    replacement of another type is an error. ``copy_inputs`` is the earlier name of
    ``share_inputs``: whether the copy has the same inputs, or copies of them.
    """
    if copy_inputs is not None:
        share_inputs = copy_inputs
    return clone_replace(
        output, replace=replace, rebuild_strict=strict, copy_inputs_over=share_inputs
    )


def isNaN_or_Inf_or_None(x):
    """Whether ``x``, a number or constant, is ``None``, text, NaN or infinite."""
    if isinstance(x, Constant):
        x = x.data
    if x is None or isinstance(x, str):
        return True
    if isinstance(x, Variable):
        return False
    try:
        return not np.isfinite(x).all()
    except TypeError:
        return False


def traverse(out, x, x_copy, d, visited=None):
    """``d``, to which Theano added copies that a GPU needs; here there are none."""
    return d
