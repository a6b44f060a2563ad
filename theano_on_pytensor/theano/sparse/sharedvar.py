"""Shared sparse matrices."""

from pytensor.sparse.sharedvar import SparseTensorSharedVariable

__all__ = ["SparseTensorSharedVariable"]
