"""Comparing and copying the graphs inside a ``scan``."""

from pytensor.graph.basic import equal_computations
from pytensor.graph.replace import clone_replace
from pytensor.scan.utils import expand_empty, safe_new, until

__all__ = ["clone", "equal_computations", "expand_empty", "safe_new", "until"]


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
