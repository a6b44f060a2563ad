"""``compile_elemwise``: elementwise Ops run as compiled code where they can."""

from pytensor.compile.mode import optdb
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter

from pytensor_nnet.ops.compiled_elemwise import CompiledElemwise, expression_of
from pytensor_nnet.ops.elemwise import VectorElemwise
from pytensor_nnet.rewrites import elemwise as _elemwise  # noqa: F401  (runs before)

__all__ = ["compile_elemwise"]


@node_rewriter([VectorElemwise])
def compile_elemwise(fgraph, node):
    """``VectorElemwise`` becomes
    :class:`~pytensor_nnet.ops.compiled_elemwise.CompiledElemwise`, if it has a
    compiled form.
    """
    op = node.op
    if type(op) is not VectorElemwise or expression_of(node) is None:
        return None
    return CompiledElemwise(op.scalar_op, dict(op.inplace_pattern))(
        *node.inputs, return_list=True
    )


# After "vectorize_elemwise", whose Ops it takes.
optdb.register(
    "compile_elemwise",
    dfs_rewriter(compile_elemwise, ignore_newtrees=True),
    "fast_run",
    "fast_compile",
    position=102,
)
