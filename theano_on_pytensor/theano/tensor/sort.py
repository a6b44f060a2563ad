"""Sorting, and the largest elements."""

import pytensor.tensor as pt
from pytensor.tensor.sort import ArgSortOp, SortOp, argsort, sort

__all__ = [
    "ArgSortOp",
    "SortOp",
    "argsort",
    "argtopk",
    "sort",
    "topk",
    "topk_and_argtopk",
]


def topk_and_argtopk(x, kth, axis=-1, sorted=True, idx_dtype="int64"):
    """The ``kth`` largest elements along an axis, and their indices.

    Parameters
    ----------
    x : tensor
    kth : int or scalar variable
        How many; ``-kth`` for the smallest ones. Not zero.
    axis : int or None
        ``None``: of ``x`` flattened.
    sorted : bool
        Whether they must come in descending order. They always do here; the genuine
        Theano knew only ``False``, and any order.
    idx_dtype : str
        The dtype of the indices.

    Raises
    ------
    ValueError
        If ``kth`` is the number zero.
    """
    x = pt.as_tensor_variable(x)
    if axis is None:
        x, axis = x.flatten(), 0
    if isinstance(kth, int) and kth == 0:
        raise ValueError("topk needs kth, a number that is not zero")
    kth = pt.as_tensor_variable(kth)
    axis %= x.type.ndim
    # Ascending; from its end for a positive number, from its beginning else.
    order = argsort(x, axis=axis)
    size = x.shape[axis]
    first = pt.switch(kth > 0, size - kth, 0)
    last = pt.switch(kth > 0, size, -kth)
    chosen = order[(slice(None),) * axis + (slice(first, last),)]
    chosen = chosen[(slice(None),) * axis + (slice(None, None, -1),)]
    values = pt.take_along_axis(x, chosen, axis=axis)
    return values, pt.cast(chosen, idx_dtype)


def topk(x, kth, axis=-1, sorted=True, idx_dtype="int64"):
    """The ``kth`` largest elements along an axis: see :func:`topk_and_argtopk`."""
    return topk_and_argtopk(x, kth, axis, sorted, idx_dtype)[0]


def argtopk(x, kth, axis=-1, sorted=True, idx_dtype="int64"):
    """Where the ``kth`` largest elements are: see :func:`topk_and_argtopk`."""
    return topk_and_argtopk(x, kth, axis, sorted, idx_dtype)[1]
