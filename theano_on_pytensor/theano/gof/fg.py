"""Graphs that are changed in place."""

from pytensor.graph.fg import FunctionGraph
from pytensor.graph.utils import InconsistencyError, MissingInputError

__all__ = ["FunctionGraph", "InconsistencyError", "MissingInputError"]
