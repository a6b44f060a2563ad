"""Loops: ``scan`` and what is made of it."""

from pytensor.scan import until

from theano.scan_module import scan_op, scan_utils, scan_views
from theano.scan_module.scan import scan
from theano.scan_module.scan_checkpoints import scan_checkpoints
from theano.scan_module.scan_utils import clone
from theano.scan_module.scan_views import foldl, foldr, map, reduce

__all__ = [
    "clone",
    "foldl",
    "foldr",
    "map",
    "reduce",
    "scan",
    "scan_checkpoints",
    "scan_op",
    "scan_utils",
    "scan_views",
    "until",
]
