"""Rewrites of tensors' graphs, and where programs register their own."""

from pytensor.tensor.rewriting.basic import (
    register_canonicalize,
    register_specialize,
    register_stabilize,
)

from theano.tensor.basic import get_scalar_constant_value

__all__ = [
    "get_scalar_constant_value",
    "register_canonicalize",
    "register_specialize",
    "register_stabilize",
]
