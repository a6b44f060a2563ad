"""``compile_elemwise``, ``compile_argmax`` and ``compile_sum``: compiled code, where
there is some.
"""

from pytensor.compile.mode import optdb
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter
from pytensor.tensor.math import Argmax, Sum

from pytensor_nnet.ops.argmax import CompiledArgmax
from pytensor_nnet.ops.column_sums import CompiledSum
from pytensor_nnet.ops.compiled_elemwise import CompiledElemwise, expression_of
from pytensor_nnet.ops.elemwise import VectorElemwise
from pytensor_nnet.rewrites import elemwise as _elemwise  # noqa: F401  (runs before)

__all__ = ["compile_argmax", "compile_elemwise", "compile_sum"]


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


@node_rewriter([Argmax])
def compile_argmax(fgraph, node):
    """``Argmax`` along the last axis becomes
    :class:`~pytensor_nnet.ops.argmax.CompiledArgmax`.
    """
    (array,) = node.inputs
    if (
        node.op.axis != (array.type.ndim - 1,)
        or array.type.ndim < 2
        or array.type.dtype not in ("float32", "float64")
    ):
        return None
    return [node.outputs[0].type.filter_variable(CompiledArgmax()(array))]


@node_rewriter([Sum])
def compile_sum(fgraph, node):
    """``Sum`` over all axes but the second becomes
    :class:`~pytensor_nnet.ops.column_sums.CompiledSum`.
    """
    (array,), (out,) = node.inputs, node.outputs
    if (
        node.op.axis != (0, *range(2, array.type.ndim))
        or array.type.dtype not in ("float32", "float64")
        or out.type.dtype != array.type.dtype
        or node.op.acc_dtype not in (None, "float64")
    ):
        return None
    return [out.type.filter_variable(CompiledSum(node.op)(array))]


for _rewrite in (compile_argmax, compile_sum):
    optdb.register(
        _rewrite.__name__,
        dfs_rewriter(_rewrite, ignore_newtrees=True),
        f"{_rewrite.__name__}_only",
        position=102,
    )

# After "vectorize_elemwise", whose Ops it takes.
optdb.register(
    "compile_elemwise",
    dfs_rewriter(compile_elemwise, ignore_newtrees=True),
    "fast_run",
    "fast_compile",
    position=102,
)
