"""``fuse_updates``: the updates of all parameters become one Op.

An optimiser updates each parameter, and what it keeps of it (a velocity, ...), by
the same elementwise expression. The new values overwrite the old ones.
"""

from contextlib import suppress

from pytensor.compile.mode import optdb
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.features import ReplaceValidate
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import GraphRewriter
from pytensor.graph.utils import InconsistencyError
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.shape import SpecifyShape

from pytensor_nnet.ops.compiled_elemwise import CompiledElemwise, expression_of
from pytensor_nnet.ops.joined_elemwise import JoinedElemwise

__all__ = ["FuseUpdates"]

Pattern = tuple[tuple[int, int], ...]


class FuseUpdates(GraphRewriter):
    """The rewrite of this module."""

    def add_requirements(self, fgraph):
        fgraph.attach_feature(ReplaceValidate())

    def apply(self, fgraph):
        updated = {
            fgraph.outputs[output]: fgraph.inputs[source]
            for output, source in (fgraph.update_mapping or {}).items()
        }
        alike: dict[tuple, list[Apply]] = {}
        for node in fgraph.toposort():
            pattern = _pattern(node, updated)
            if pattern and expression_of(node) is not None:
                dtypes = tuple(variable.type.dtype for variable in node.inputs)
                key = (node.op.scalar_op, pattern, dtypes)
                alike.setdefault(key, []).append(node)
        for (scalar_op, pattern, _), nodes in alike.items():
            if len(nodes) > 1:
                _join(fgraph, CompiledElemwise(scalar_op, dict(pattern)), nodes)


def _pattern(node: Apply, updated: dict[Variable, Variable]) -> Pattern:
    """Which outputs are updates, and of which inputs."""
    if type(node.op) is not Elemwise:
        return ()
    olds = [(i, updated.get(output)) for i, output in enumerate(node.outputs)]
    return tuple(
        (i, node.inputs.index(old))
        for i, old in olds
        if old in node.inputs
        and old.type.broadcastable == node.outputs[i].type.broadcastable
    )


def _join(fgraph: FunctionGraph, op: CompiledElemwise, nodes: list[Apply]) -> None:
    inputs = [_unspecified(variable) for node in nodes for variable in node.inputs]
    olds = [variable for node in nodes for variable in node.outputs]
    op = JoinedElemwise(op, len(nodes), len(nodes[0].inputs))
    joined = Apply(op, inputs, [old.type() for old in olds])
    # Unless one is made of what another has become.
    with suppress(InconsistencyError):
        fgraph.replace_all_validate(
            list(zip(olds, joined.outputs, strict=True)), reason="fuse_updates"
        )


def _unspecified(variable: Variable) -> Variable:
    """It, without a promise about its shape: the Op looks at the shapes itself."""
    node = variable.owner
    if node is not None and isinstance(node.op, SpecifyShape):
        inner = node.inputs[0]
        if inner.type.broadcastable == variable.type.broadcastable:
            return inner
    return variable


# After "elemwise_fusion" and before "inplace_elemwise".
optdb.register("fuse_updates", FuseUpdates(), "fast_run", "inplace", position=49.6)
