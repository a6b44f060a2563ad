"""Scalars and the Ops on them that elementwise Ops are made of."""

from theano.scalar import basic
from theano.scalar.basic import *
from theano.scalar.basic import __all__ as _names

__all__ = sorted([*_names, "basic"])
