"""Linkers: what runs the nodes of a graph."""

from pytensor.link.basic import (
    Container,
    Linker,
    LocalLinker,
    PerformLinker,
    WrapLinker,
    WrapLinkerMany,
)
from pytensor.link.utils import raise_with_op

from pytensor_nnet.linker import NumpyLinker

__all__ = [
    "CLinker",
    "Container",
    "DualLinker",
    "Linker",
    "LocalLinker",
    "OpWiseCLinker",
    "PerformLinker",
    "WrapLinker",
    "WrapLinkerMany",
    "raise_with_op",
]


class OpWiseCLinker(NumpyLinker):
    """Compiled C for every Op it could; here every Op is run as by every linker.

    Parameters
    ----------
    fallback_on_perform, nice_errors
        Ignored.
    allow_gc : bool, optional
        Whether intermediate values are freed.
    """

    def __init__(
        self, fallback_on_perform=True, allow_gc=None, nice_errors=True, schedule=None
    ):
        super().__init__(allow_gc=allow_gc)

    def clone(self, allow_gc=None):
        return type(self)(allow_gc=self.allow_gc if allow_gc is None else allow_gc)


class CLinker(OpWiseCLinker):
    """Compiled a graph to one piece of C; runs it as every linker does here."""


class DualLinker(OpWiseCLinker):
    """Compared C with Python; there is only one of them here."""
