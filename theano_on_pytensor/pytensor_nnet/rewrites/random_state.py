"""``random_function_inplace``: a ``RandomState`` that nobody else needs is used up.

To copy one takes longer than to draw some ten thousand numbers from it.
"""

from pytensor.compile.mode import optdb
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter

from pytensor_nnet.ops.random_state import RandomFunction

__all__ = ["random_function_inplace"]


@node_rewriter([RandomFunction], inplace=True)
def random_function_inplace(fgraph, node):
    op = node.op
    if op.inplace:
        return None
    return RandomFunction(op.fn, op.outtype, True, op.ndim_added)(
        *node.inputs, return_list=True
    )


optdb.register(
    "random_function_inplace",
    dfs_rewriter(random_function_inplace, ignore_newtrees=True),
    "fast_run",
    "inplace",
    position=99,
)
