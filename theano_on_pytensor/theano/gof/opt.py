"""Rewrites of graphs under Theano's names: what programs register of their own."""

import functools
import inspect

from pytensor.graph.rewriting.basic import (
    EquilibriumGraphRewriter as EquilibriumOptimizer,
)
from pytensor.graph.rewriting.basic import GraphRewriter as Optimizer
from pytensor.graph.rewriting.basic import (
    MergeOptimizer,
    copy_stack_trace,
    in2out,
    node_rewriter,
    out2in,
)
from pytensor.graph.rewriting.basic import NodeRewriter as _NodeRewriter
from pytensor.graph.rewriting.basic import PatternNodeRewriter as PatternSub
from pytensor.graph.rewriting.basic import SequentialGraphRewriter as SeqOptimizer
from pytensor.graph.rewriting.basic import SubstitutionNodeRewriter as OpSub
from pytensor.graph.rewriting.basic import WalkingGraphRewriter as TopoOptimizer

__all__ = [
    "EquilibriumOptimizer",
    "LocalOptimizer",
    "MergeOptimizer",
    "OpRemove",
    "OpSub",
    "Optimizer",
    "PatternSub",
    "SeqOptimizer",
    "TopoOptimizer",
    "copy_stack_trace",
    "in2out",
    "local_optimizer",
    "optimizer",
    "out2in",
]


class LocalOptimizer(_NodeRewriter):
    """A rewrite of one node: its method ``transform(node)`` gives what replaces the
    node's outputs, a list, or False.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        method = cls.__dict__.get("transform")
        if method is not None and len(inspect.signature(method).parameters) == 2:
            cls.transform = _with_graph(method)


def _with_graph(method):
    """Theano's ``transform(self, node)``, called with a graph before the node."""

    @functools.wraps(method)
    def transform(self, fgraph, node, *args, **kwargs):
        return method(self, node)

    return transform


class OpRemove(LocalOptimizer):
    """Takes every use of an Op out of a graph: its inputs replace its outputs."""

    def __init__(self, op):
        self.op = op

    def tracks(self):
        return [self.op]

    def op_key(self):
        return self.op

    def transform(self, fgraph, node, *args, **kwargs):
        return node.op == self.op and list(node.inputs)

    def __str__(self):
        return f"{self.op}(x) -> x"


def local_optimizer(tracks, inplace=False, requirements=()):
    """Make a rewrite of a function of a node.

    Parameters
    ----------
    tracks : list of Ops and classes of Ops, or None
        Whose nodes the function is called with; ``None`` or ``[None]``: all.

    The function takes a node and returns a list of variables that replace its
    outputs, or False.
    """
    if tracks is not None and None in tracks:
        tracks = None

    def decorated(function):
        @functools.wraps(function)
        def transform(fgraph, node):
            return function(node)

        return node_rewriter(tracks, inplace, requirements)(transform)

    return decorated


def optimizer(function):
    """Make a rewrite of a function that changes a whole graph."""
    from pytensor.graph.rewriting.basic import graph_rewriter

    return graph_rewriter(function)
