"""``compile_elemwise``: elementwise Ops run as compiled code where they can."""

from pytensor.compile.mode import optdb
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter

from pytensor_nnet.ops.compiled_elemwise import CompiledElemwise
from pytensor_nnet.ops.elemwise import VectorElemwise
from pytensor_nnet.rewrites import elemwise as _elemwise  # noqa: F401  (runs before)

__all__ = ["compile_elemwise"]

_FLOATS = ("float32", "float64")


@node_rewriter([VectorElemwise])
def compile_elemwise(fgraph, node):
    """``VectorElemwise`` of floats becomes
    :class:`~pytensor_nnet.ops.compiled_elemwise.CompiledElemwise`.
    """
    op = node.op
    if type(op) is not VectorElemwise:
        return None
    types = {variable.type.dtype for variable in (*node.inputs, *node.outputs)}
    if len(types) != 1 or not types <= set(_FLOATS):
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
