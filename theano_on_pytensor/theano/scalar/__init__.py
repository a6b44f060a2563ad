"""Scalars and the Ops on them that elementwise Ops are made of."""

from theano.scalar import basic, basic_scipy
from theano.scalar.basic import *
from theano.scalar.basic import __all__ as _basic
from theano.scalar.basic_scipy import *
from theano.scalar.basic_scipy import __all__ as _basic_scipy

__all__ = sorted({*_basic, *_basic_scipy, "basic", "basic_scipy"})
