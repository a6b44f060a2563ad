"""The base of every type of variable, and what stands in for PyTensor's classes."""

from pytensor.graph.type import Type
from pytensor.link.c.type import CDataType, Generic, generic

__all__ = ["CDataType", "Generic", "StandIn", "Type", "generic"]


class StandIn(type):
    """The class of a class that makes another's instances by Theano's arguments.

    The other is its attribute ``served``, whose instances and subclasses count as
    its own.
    """

    def __instancecheck__(cls, instance):
        return isinstance(instance, cls.served)

    def __subclasscheck__(cls, subclass):
        return issubclass(subclass, cls.served)
