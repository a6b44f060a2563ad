"""A PyTensor linker that needs no C compiler: every Op runs its ``perform``.

Graphs of a neural network have few nodes that each do much, so PyTensor's
virtual machine in Python costs little, and a function is ready as soon as its
graph is rewritten. What would be slow that way is rewritten to Ops that do more at
once (:mod:`pytensor_nnet.rewrites`): whole layers each way, in kernels that llvmlite
compiles, and elementwise arithmetic block by block.
"""

from pytensor.compile.mode import Mode, optdb
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter
from pytensor.link.vm import VMLinker
from pytensor.scan.op import Scan

import pytensor_nnet.rewrites  # noqa: F401  (registers them)

__all__ = ["NumpyLinker"]


class NumpyLinker(VMLinker):
    """PyTensor's virtual machine on ``perform`` alone.

    Usable wherever PyTensor takes a linker, ``Mode(NumpyLinker(), "fast_run")``.
    Parameters are those of :class:`pytensor.link.vm.VMLinker`.
    """

    def __init__(self, *args, **kwargs):
        kwargs.update(use_cloop=False, c_thunks=False)
        super().__init__(*args, **kwargs)
        self.required_rewrites = (
            *self.required_rewrites,
            "vectorize_elemwise",
            "compile_argmax",
            "compile_sum",
            "link_body",
        )
        self.incompatible_rewrites = (
            *self.incompatible_rewrites,
            "local_careduce_fusion",
        )


@node_rewriter([Scan])
def link_body(fgraph, node):
    """The body of a loop that names no mode is linked as the function is.

    PyTensor 3.0 would take the linker "cvm", which calls Python for every element
    where there is no C compiler.
    """
    if node.op.mode is not None or hasattr(Scan, "link_mode"):
        return None
    op = node.op.clone()
    op.mode = Mode(NumpyLinker(), "fast_run")
    return op(*node.inputs, return_list=True)


# After all that rewrites loops.
optdb.register(
    "link_body",
    dfs_rewriter(link_body, ignore_newtrees=True),
    "link_body_only",
    position=103,
)
