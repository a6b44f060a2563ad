"""Graphs, Ops and their optimization."""

from pytensor.graph.basic import Apply, Constant
from pytensor.graph.features import Feature, History, ReplaceValidate
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import Op
from pytensor.graph.type import Type
from pytensor.graph.utils import InconsistencyError, MethodNotDefined, MissingInputError
from pytensor.link.basic import Container, Linker, LocalLinker, PerformLinker
from pytensor.link.c.type import Generic, generic

from theano.gof import graph, op, type
from theano.gof.graph import Variable

__all__ = [
    "Apply",
    "Constant",
    "Container",
    "Feature",
    "FunctionGraph",
    "Generic",
    "History",
    "InconsistencyError",
    "Linker",
    "LocalLinker",
    "MethodNotDefined",
    "MissingInputError",
    "Op",
    "PerformLinker",
    "ReplaceValidate",
    "Type",
    "Variable",
    "generic",
    "graph",
    "op",
    "type",
]
