"""A PyTensor linker that needs no C compiler: every Op runs its ``perform``.

Graphs of a neural network have few nodes that each do much, so PyTensor's
virtual machine in Python costs little, and a function is ready as soon as its
graph is rewritten. What would be slow that way is rewritten to Ops that do more at
once (:mod:`pytensor_nnet.rewrites`): whole layers each way, in kernels that llvmlite
compiles, and elementwise arithmetic block by block.
"""

from pytensor.link.vm import VMLinker

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
        self.required_rewrites = (*self.required_rewrites, "vectorize_elemwise")
        self.incompatible_rewrites = (
            *self.incompatible_rewrites,
            "local_careduce_fusion",
        )
