"""Shared variables: values that compiled functions keep between their calls."""

from pytensor.compile.sharedvalue import SharedVariable, shared_constructor
from pytensor.compile.sharedvalue import shared as _pytensor_shared

from theano.tensor.sharedvar import tensor_shared

__all__ = ["SharedVariable", "shared", "shared_constructor"]


def shared(value, name=None, strict=False, allow_downcast=None, **kwargs):
    """A shared variable that starts with ``value``.

    Numbers and arrays give a :class:`~theano.tensor.sharedvar.TensorSharedVariable`
    whose dimensions may all change, unless ``broadcastable`` (a tuple of bools)
    fixes some at 1; anything else is PyTensor's affair. ``borrow=True`` keeps
    ``value`` itself instead of a copy. ``target`` named a device and is ignored.

    Raises
    ------
    TypeError
        If ``value`` is a symbolic variable, or nothing knows how to share it.
    """
    kwargs.pop("target", None)
    variable = tensor_shared(value, name, strict, allow_downcast, **kwargs)
    if variable is not None:
        return variable
    return _pytensor_shared(
        value, name=name, strict=strict, allow_downcast=allow_downcast, **kwargs
    )
