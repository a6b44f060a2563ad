"""Tensor variables and constants."""

import sys
from types import ModuleType

from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant
from pytensor.scalar.basic import GE, GT, LE, LT
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.variable import TensorConstant, _tensor_py_operators
from pytensor.tensor.variable import TensorVariable as _PyTensorVariable

from theano.tensor.extra_ops import cumprod, cumsum

__all__ = ["TensorConstant", "TensorVariable", "_tensor_py_operators"]


class _SymbolicOnly(type):
    """The class of a class whose instances are PyTensor's symbolic variables."""

    def __instancecheck__(cls, instance):
        return isinstance(instance, _PyTensorVariable) and not isinstance(
            instance, SharedVariable | Constant
        )

    def __subclasscheck__(cls, subclass):
        return issubclass(subclass, _PyTensorVariable) and not issubclass(
            subclass, SharedVariable | Constant
        )


class TensorVariable(_tensor_py_operators, metaclass=_SymbolicOnly):
    """What a graph computes or takes in. In Theano, unlike in PyTensor, shared
    variables and constants were no instances of it; programs ask
    ``isinstance(x, T.TensorVariable)`` to tell them apart.
    """

    def __new__(cls, type, owner=None, index=None, name=None):
        return _PyTensorVariable(type, owner, index, name)


def _is_pytensor_code(names):
    """Whether a module with these names uses PyTensor and not Theano."""
    packages = {
        value.__name__.partition(".")[0]
        for value in names.values()
        if isinstance(value, ModuleType)
    }
    packages.add(names.get("__name__", "").partition(".")[0])
    return "pytensor" in packages and "theano" not in packages


_pytensors_bool = _tensor_py_operators.__bool__


def _truth_value(self):
    """A variable is true, as in Theano; only ``<``, ``<=``, ``>``, ``>=`` of it are
    neither true nor false. Code that was written for PyTensor, where none has a
    truth value, keeps that rule.
    """
    if _is_pytensor_code(sys._getframe(1).f_globals):
        return _pytensors_bool(self)
    op = self.owner and self.owner.op
    if isinstance(op, Elemwise) and isinstance(op.scalar_op, LT | LE | GT | GE):
        raise TypeError(
            f"{self} is neither true nor false before it is computed; use T.switch "
            "or theano.ifelse.ifelse to choose by it"
        )
    return True


_tensor_py_operators.__bool__ = _truth_value
_tensor_py_operators.cumsum = cumsum
_tensor_py_operators.cumprod = cumprod
