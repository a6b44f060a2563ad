"""``vectorize_elemwise``: elementwise Ops, once fused, run in NumPy by blocks."""

from pytensor.compile.mode import optdb
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter
from pytensor.scalar.basic import Composite
from pytensor.tensor.elemwise import Elemwise

from pytensor_nnet.ops.elemwise import VectorElemwise

__all__ = ["vectorize_elemwise"]


@node_rewriter([Elemwise])
def vectorize_elemwise(fgraph, node):
    """``Elemwise`` becomes :class:`~pytensor_nnet.ops.elemwise.VectorElemwise`,
    unless its scalar Op has several outputs and no graph to take apart.
    """
    op = node.op
    if type(op) is not Elemwise:
        return None
    if op.scalar_op.nout != 1 and not isinstance(op.scalar_op, Composite):
        return None
    return VectorElemwise(op.scalar_op, dict(op.inplace_pattern))(
        *node.inputs, return_list=True
    )


# After the rewrites that work in place (50.5 to 80), so that they see Elemwise.
optdb.register(
    "vectorize_elemwise",
    dfs_rewriter(vectorize_elemwise, ignore_newtrees=True),
    "vectorize_elemwise_only",
    position=101,
)
