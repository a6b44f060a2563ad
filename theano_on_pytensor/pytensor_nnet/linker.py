"""A PyTensor linker that needs no C compiler: every Op runs its ``perform``.

Graphs of a neural network have few nodes that each do much, so PyTensor's
virtual machine in Python costs little, and a function is ready as soon as its
graph is rewritten. What would be slow that way is rewritten to Ops that do more at
once (:mod:`pytensor_nnet.rewrites`): whole layers each way, in kernels that llvmlite
compiles, and elementwise arithmetic block by block. Nodes of such Ops are put in a
row as far as the graph allows, and a row is called at once.
"""

from collections import defaultdict
from heapq import heappop, heappush
from itertools import groupby, zip_longest

from pytensor.compile.mode import Mode, optdb
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter
from pytensor.link.utils import raise_with_op
from pytensor.link.vm import Loop, VMLinker
from pytensor.scan.op import Scan

import pytensor_nnet.rewrites  # noqa: F401  (registers them)
from pytensor_nnet.ops.launching import Launching, LaunchingThunk

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

    def schedule(self, fgraph):
        """The nodes in an order in which those of ``Launching`` Ops stand in rows: all
        of them that can be computed, then all others that can, and so on.
        """
        order = super().schedule(fgraph)
        number = {node: i for i, node in enumerate(order)}
        before = {
            node: {x.owner for x in node.inputs if x.owner is not None}
            for node in order
        }
        for node, others in fgraph.orderings().items():
            before[node].update(others)
        missing = {node: len(others) for node, others in before.items()}
        after = defaultdict(list)
        for node, others in before.items():
            for other in others:
                after[other].append(node)
        # What can be computed now, by whether it is launched.
        ready = [], []
        for i, node in enumerate(order):
            if not missing[node]:
                ready[_is_launched(node)].append(i)
        rows = []
        launched = False
        while any(ready):
            while ready[launched]:
                node = order[heappop(ready[launched])]
                rows.append(node)
                for other in after[node]:
                    missing[other] -= 1
                    if not missing[other]:
                        heappush(ready[_is_launched(other)], number[other])
            launched = not launched
        return rows

    def make_vm(self, *args, **kwargs):
        vm = super().make_vm(*args, **kwargs)
        return _RowLoop(vm) if type(vm) is Loop else vm


def _is_launched(node):
    return isinstance(node.op, Launching)


class _RowLoop(Loop):
    """Computes rows of nodes of ``Launching`` Ops at once.

    Parameters
    ----------
    loop : Loop
        What it does node by node.
    """

    def __init__(self, loop):
        self.__dict__.update(loop.__dict__)
        nodes = self.nodes
        self._thunk_of = dict(zip(nodes, self.thunks, strict=True))
        cells, users, results = {}, defaultdict(set), set(self.fgraph.outputs)
        for node, thunk in self._thunk_of.items():
            cells.update(zip(node.inputs, thunk.inputs, strict=True))
            cells.update(zip(node.outputs, thunk.outputs, strict=True))
            for variable in node.inputs:
                users[variable].add(node)
        cleared = dict(zip_longest(nodes, self.post_thunk_clear, fillvalue=()))
        # Each step's nodes, its thunk, and the cells that are cleared after it.
        self._steps = []
        for is_launched, row in groupby(nodes, _is_launched):
            row = list(row)
            for together in [row] if is_launched else [[node] for node in row]:
                self._steps.append(
                    (
                        together,
                        self._thunk_of[together[0]]
                        if len(together) == 1
                        else LaunchingThunk(
                            together, cells, _last_use(together, users, results)
                        ),
                        [cell for node in together for cell in cleared[node]],
                    )
                )

    def __call__(self):
        if self.time_thunks:
            return super().__call__()
        for cell in self.pre_call_clear:
            cell[0] = None
        for nodes, thunk, cleared in self._steps:
            try:
                thunk()
            except Exception:
                node = nodes[0] if len(nodes) == 1 else thunk.node
                raise_with_op(self.fgraph, node, self._thunk_of[node])
            for cell in cleared:
                cell[0] = None
        return self.perform_updates()


def _last_use(row, users, results):
    """The position of the last user of those variables that only this row uses."""
    position = {node: i for i, node in enumerate(row)}
    return {
        variable: max((position[user] for user in users[variable]), default=-1)
        for node in row
        for variable in node.outputs
        if variable not in results and users[variable] <= position.keys()
    }


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
