"""Ops that work element by element, reduce, or rearrange dimensions."""

from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.math import All, Any, Prod, ProdWithoutZeros, Sum

__all__ = [
    "All",
    "Any",
    "CAReduce",
    "DimShuffle",
    "Elemwise",
    "Prod",
    "ProdWithoutZeros",
    "Sum",
]
