"""Shared tensors."""

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.tensor.sharedvar import TensorSharedVariable
from pytensor.tensor.type import TensorType

__all__ = ["SharedVariable", "TensorSharedVariable", "tensor_shared"]


def tensor_shared(
    value,
    name=None,
    strict=False,
    allow_downcast=None,
    borrow=False,
    broadcastable=None,
):
    """The shared tensor of a number or array; ``None`` for any other value.

    A Python int becomes int64 and a float float64, whatever ``floatX`` is.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise NotImplementedError("MaskedArrays are not supported")
    if not isinstance(value, np.ndarray | np.number | np.bool_ | float | int | complex):
        return None
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        return None
    if broadcastable is None:
        broadcastable = (False,) * array.ndim
    return TensorSharedVariable(
        type=TensorType(
            array.dtype, shape=tuple(1 if b else None for b in broadcastable)
        ),
        value=array if borrow else array.copy(),
        strict=strict,
        allow_downcast=allow_downcast,
        name=name,
    )
