"""What the rewrites that make one Op of a layer have in common.

A layer is a linear Op of inputs and weights, then a bias, then a rectifier, then
what a subclass knows (a pool). It is recognized as long as nothing else needs what
lies between, and so is its gradient. These rewrites run before all that change a
graph's spelling, when a gradient still is as ``grad`` wrote it, and before shapes
are made expressions of their own.
"""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.features import ReplaceValidate
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import GraphRewriter
from pytensor.graph.traversal import ancestors
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Sum

from pytensor_nnet.rewrites.rectifier import (
    Rectifier,
    elementwise_inputs,
    recognize_rectified_gradient,
    recognize_rectifier,
)

__all__ = ["FuseLayer", "GradientMatch", "Match", "clients"]

_FLOATS = ("float32", "float64")


@dataclass
class GradientMatch:
    """A gradient of a layer: that of its output, and what becomes of it.

    The lists hold the variables that are the gradient of the weights, the bias and
    the inputs.
    """

    given: Variable
    at_zero: float
    to_weights: list[Variable]
    to_bias: list[Variable]
    to_inputs: list[Variable]


@dataclass
class Match:
    """A layer that was found in a graph.

    ``linear`` is the node of the linear Op, ``slope`` the rectifier's below zero
    (``None``: there is none), ``rectified`` its output, ``out`` the layer's.
    """

    linear: Apply
    bias: Variable | None
    slope: float | None
    rectified: Variable
    out: Variable
    gradients: list[GradientMatch] = field(default_factory=list)


def clients(fgraph: FunctionGraph, variable: Variable) -> list[Apply]:
    """The nodes that use it, PyTensor's ``Output`` where it is a result."""
    return [node for node, _ in fgraph.clients[variable]]


class FuseLayer(GraphRewriter):
    """Finds layers in a graph and replaces them."""

    name: str
    bias_order: tuple[int | str, ...]  # how a bias is laid over the output
    bias_axes: tuple[int, ...]  # over which its gradient is summed

    @abstractmethod
    def is_linear(self, node: Apply) -> bool:
        """Whether a layer may begin with this node."""

    @abstractmethod
    def gradient_nodes(
        self, fgraph: FunctionGraph, linear: Apply
    ) -> Iterator[tuple[Variable, Apply, bool]]:
        """Gradients of the linear Op: given what, by which node, and whether with
        respect to the weights (else to the inputs).
        """

    @abstractmethod
    def fuse(
        self, fgraph: FunctionGraph, match: Match
    ) -> Iterator[tuple[Variable, Variable]]:
        """What to replace, and by what."""

    def output(
        self, fgraph: FunctionGraph, rectified: Variable, slope: float | None
    ) -> Variable | None:
        """The layer's output, ``None`` where it is not worth to be made one Op."""
        return rectified

    def arriving(self, match: Match, gradient: Variable) -> Variable | None:
        """The gradient of the layer's output, from that of the rectifier's output."""
        return gradient

    def add_requirements(self, fgraph: FunctionGraph) -> None:
        fgraph.attach_feature(ReplaceValidate())

    def apply(self, fgraph: FunctionGraph) -> None:
        for node in fgraph.toposort():
            if (
                node in fgraph.apply_nodes
                and self.is_linear(node)
                and node.outputs[0].type.dtype in _FLOATS
                and len({v.type.dtype for v in (*node.inputs, *node.outputs)}) == 1
            ):
                match = self._match(fgraph, node)
                if match is not None:
                    fgraph.replace_all_validate(
                        [
                            (old, old.type.filter_variable(new))
                            for old, new in self.fuse(fgraph, match)
                        ],
                        reason=self.name,
                    )

    def _match(self, fgraph: FunctionGraph, linear: Apply) -> Match | None:
        (product,) = linear.outputs
        expressions = list(self._expressions(fgraph, product))
        biases = {
            leaf
            for variable in expressions
            for leaf in elementwise_inputs(variable, [product])
            if self._is_bias(leaf, product)
        }
        for shift in [*biases, None] if len(biases) < 2 else [None]:
            terms = [product] if shift is None else [product, shift]
            for variable in reversed(expressions):
                found = recognize_rectifier(variable, terms)
                if found is not None:
                    match = self._layer(fgraph, linear, shift, variable, found)
                    if match is not None:
                        return match
        return None

    def _layer(
        self,
        fgraph: FunctionGraph,
        linear: Apply,
        shift: Variable | None,
        rectified: Variable,
        rectifier: Rectifier,
    ) -> Match | None:
        """The layer whose rectifier's output is known, if it is a whole one."""
        slope = None if rectifier.slope == 1 else rectifier.slope
        out = self.output(fgraph, rectified, slope)
        if out is None or out.type.dtype != linear.outputs[0].type.dtype:
            return None
        bias = None if shift is None else shift.owner.inputs[0]
        match = Match(linear, bias, slope, rectified, out)
        terms = [linear.outputs[0]] if shift is None else [linear.outputs[0], shift]
        inner = {linear, *_nodes_between(terms, rectified)}
        if out is not rectified:
            inner.add(out.owner)
        allowed = inner | self._find_gradients(fgraph, match, terms)
        for node in inner:
            for variable in node.outputs:
                users = clients(fgraph, variable)
                if variable is not out and any(user not in allowed for user in users):
                    return None
        return match

    def _find_gradients(
        self, fgraph: FunctionGraph, match: Match, terms: list[Variable]
    ) -> set[Apply]:
        """Fills in ``match.gradients``; returns the nodes that they are made of."""
        by_given: dict[Variable, list[tuple[Apply, bool]]] = {}
        candidates = list(self.gradient_nodes(fgraph, match.linear))
        # What the layer is computed from only looks like its gradient.
        sources = set(ancestors([match.rectified])) if candidates else set()
        for given, node, to_weights in candidates:
            if node.outputs[0] not in sources:
                by_given.setdefault(given, []).append((node, to_weights))
        nodes: set[Apply] = set()
        slope = 1 if match.slope is None else match.slope
        for before, users in by_given.items():
            for after in _expressions_behind(before, terms):
                found = recognize_rectified_gradient(before, after, terms)
                if found is not None and abs(found.slope - slope) < 1e-6:
                    break
            else:
                continue
            given = self.arriving(match, after)
            if given is None or given.type.dtype != match.out.type.dtype:
                continue
            sums = [
                node
                for node in clients(fgraph, before)
                if isinstance(node.op, Sum)
                and node.op.axis == self.bias_axes
                and node.outputs[0] not in sources
            ]
            nodes.update(_nodes_between([after, *terms], before), sums)
            nodes.update(node for node, _ in users)
            if given is not after:
                nodes.add(after.owner)
            match.gradients.append(
                GradientMatch(
                    given,
                    found.at_zero,
                    [node.outputs[0] for node, to_weights in users if to_weights],
                    [node.outputs[0] for node in sums],
                    [node.outputs[0] for node, to_weights in users if not to_weights],
                )
            )
        return nodes

    def _expressions(
        self, fgraph: FunctionGraph, variable: Variable
    ) -> Iterator[Variable]:
        """It, and what is computed from it and biases alone, element by element."""
        known, todo = [variable], [variable]
        while todo:
            for node in clients(fgraph, todo.pop(0)):
                if isinstance(node.op, Elemwise) and len(node.outputs) == 1:
                    (output,) = node.outputs
                    leaves = set(elementwise_inputs(output, [variable])) - {variable}
                    if output not in known and all(
                        self._is_bias(leaf, variable) for leaf in leaves
                    ):
                        known.append(output)
                        todo.append(output)
        yield from known

    def _is_bias(self, variable: Variable, product: Variable) -> bool:
        """Whether it is a vector, laid over the output as a bias is."""
        node = variable.owner
        return (
            node is not None
            and isinstance(node.op, DimShuffle)
            and tuple(node.op.new_order) == self.bias_order
            and node.inputs[0].type.ndim == 1
            and node.inputs[0].type.dtype == product.type.dtype
        )


def _expressions_behind(variable: Variable, stop: list[Variable]) -> Iterator[Variable]:
    """It, and what it is computed from element by element, the nearest first."""
    seen, todo = {*stop}, [variable]
    while todo:
        current = todo.pop(0)
        if current not in seen:
            seen.add(current)
            yield current
            if current.owner is not None and isinstance(current.owner.op, Elemwise):
                todo.extend(current.owner.inputs)


def _nodes_between(inputs: list[Variable], output: Variable) -> set[Apply]:
    """The elementwise nodes that make the output of the inputs."""
    nodes: set[Apply] = set()
    todo = [output]
    while todo:
        variable = todo.pop()
        node = variable.owner
        if variable in inputs or node is None or node in nodes:
            continue
        if isinstance(node.op, Elemwise):
            nodes.add(node)
            todo.extend(node.inputs)
    return nodes
