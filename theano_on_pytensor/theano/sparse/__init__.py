"""Sparse matrices."""

from theano.sparse import basic, sharedvar
from theano.sparse.basic import *
from theano.sparse.basic import __all__ as _basic

enable_sparse = True

__all__ = sorted([*_basic, "basic", "enable_sparse", "sharedvar"])
