"""Shared tensors."""

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.tensor import sharedvar as _sharedvar
from pytensor.tensor.type import TensorType

from pytensor_nnet.ops.unbroadcast import unbroadcast

__all__ = ["SharedVariable", "TensorSharedVariable", "tensor_shared"]


class TensorSharedVariable(_sharedvar.TensorSharedVariable):
    """A shared tensor. Its ``default_update`` may know more of its shape than the
    shared variable does, as in Theano, and setting it is no reason to warn.
    """

    @property
    def default_update(self):
        """What the variable becomes after each call of a function that uses it."""
        return self._default_update

    @default_update.setter
    def default_update(self, value):
        if value is not None:
            value = self.type.filter_variable(value, allow_convert=True)
            if value.type != self.type:
                value = unbroadcast(value, *range(value.type.ndim))
        self._default_update = value


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
