"""Cumulative sums, repetition, counting, and the like."""

import pytensor.tensor as pt
from pytensor.tensor.basic import diag
from pytensor.tensor.extra_ops import (
    Bartlett,
    CpuContiguous,
    CumOp,
    FillDiagonal,
    FillDiagonalOffset,
    RavelMultiIndex,
    Repeat,
    SearchsortedOp,
    Unique,
    UnravelIndex,
    bartlett,
    bartlett_,
    bincount,
    broadcast_shape,
    compress,
    cpu_contiguous,
    diff,
    fill_diagonal,
    fill_diagonal_,
    fill_diagonal_offset,
    fill_diagonal_offset_,
    ravel_multi_index,
    repeat,
    searchsorted,
    squeeze,
    to_one_hot,
    unravel_index,
)
from pytensor.tensor.extra_ops import cumprod as _cumprod
from pytensor.tensor.extra_ops import cumsum as _cumsum

__all__ = [
    "Bartlett",
    "CpuContiguous",
    "CumOp",
    "FillDiagonal",
    "FillDiagonalOffset",
    "RavelMultiIndex",
    "Repeat",
    "SearchsortedOp",
    "Unique",
    "UnravelIndex",
    "bartlett",
    "bartlett_",
    "bincount",
    "broadcast_shape",
    "compress",
    "cpu_contiguous",
    "cumprod",
    "cumsum",
    "diag",
    "diff",
    "fill_diagonal",
    "fill_diagonal_",
    "fill_diagonal_offset",
    "fill_diagonal_offset_",
    "ravel_multi_index",
    "repeat",
    "searchsorted",
    "squeeze",
    "to_one_hot",
    "unravel_index",
]


def _in_its_dtype(cumulate, x, axis):
    """``cumulate(x, axis)`` in the dtype of ``x``, as it is declared: of small integers
    NumPy returns larger ones.
    """
    x = pt.as_tensor_variable(x)
    if x.type.dtype in ("bool", "int8", "int16", "int32", "uint8", "uint16", "uint32"):
        return pt.cast(cumulate(pt.cast(x, "int64"), axis), x.type.dtype)
    return cumulate(x, axis)


def cumsum(x, axis=None):
    """The sums of the elements up to each one along ``axis`` (of ``x`` flattened)."""
    return _in_its_dtype(_cumsum, x, axis)


def cumprod(x, axis=None):
    """The products of the elements up to each one along ``axis``."""
    return _in_its_dtype(_cumprod, x, axis)
