"""The type of tensors: a dtype and which dimensions are known to be 1."""

from pytensor.tensor.type import TensorType as _TensorType
from pytensor.tensor.type import values_eq_approx_always_true

from theano.gof.type import StandIn

__all__ = ["TensorType", "values_eq_approx_always_true"]


class TensorType(metaclass=StandIn):
    """``TensorType(dtype, broadcastable)``: PyTensor's, made from Theano's pattern.

    Parameters
    ----------
    dtype : str
    broadcastable : sequence of bool
        For each dimension whether it is known to be 1.
    name : str, optional
    sparse_grad : bool
        Had a use on indexed tensors; ignored.
    shape : sequence of int or None, optional
        PyTensor's way to say more than ``broadcastable`` does, instead of it.
    """

    served = _TensorType

    def __new__(
        cls, dtype, broadcastable=None, name=None, sparse_grad=False, *, shape=None
    ):
        if shape is None:
            shape = tuple(bool(known) for known in broadcastable)
        return _TensorType(dtype, shape=shape, name=name)
