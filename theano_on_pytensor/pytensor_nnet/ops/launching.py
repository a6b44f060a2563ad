"""Ops that describe calls of kernels, instead of making them."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from math import inf
from sys import getrefcount
from threading import get_ident
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.memory import address
from pytensor_nnet.kernels.llvm.threads import Job, Program

__all__ = ["Launching", "LaunchingThunk"]

# Bytes up to which it costs next to nothing to copy an array.
_SMALL = 1 << 14
# What has been run less often than this before it no longer fits was hardly worth to
# be described.
_FEW_RUNS = 4


class Launching(Op):
    """An Op whose outputs are written by kernels.

    In a compiled function the calls of kernels are described again only when inputs
    lie elsewhere than the last time, or when somebody still has the outputs: see
    :class:`LaunchingThunk`.
    """

    @abstractmethod
    def launch(self, node: Apply, inputs: list[np.ndarray]) -> Launch | None:
        """The calls for these inputs. Keep no reference to the inputs.

        ``None`` where there are no kernels for them: :meth:`without_kernels` is
        called instead.
        """

    def without_kernels(self, node: Apply, inputs: list, storage: list) -> None:
        """Compute the outputs otherwise."""
        raise NotImplementedError

    def perform(self, node, inputs, output_storage):
        arrays = list(map(_array, inputs))
        _run(node, self.launch(node, arrays), arrays, output_storage)

    def make_py_thunk(self, node, storage_map, compute_map, no_recycling, debug=False):
        return LaunchingThunk([node], storage_map, compute_map=compute_map)


def _array(value: Any) -> np.ndarray:
    return value if type(value) is np.ndarray else np.asarray(value)


def _run(
    node: Apply, launch: Launch | None, inputs: list[np.ndarray], cells: Sequence[list]
) -> None:
    """Run the launch, and store what it wrote in the outputs' cells."""
    if launch is None:
        node.op.without_kernels(node, inputs, cells)
        return
    launch.run()
    for cell, output in zip(cells, launch.outputs, strict=False):
        cell[0] = inputs[output] if type(output) is int else output


class LaunchingThunk:
    """Computes nodes of :class:`Launching` Ops that follow each other.

    The calls of their kernels are described once and then made in one go, all of
    which happens without Python. What only these nodes need is not stored.

    Parameters
    ----------
    nodes : sequence of Apply
    storage_map : dict
        PyTensor's: the cell of each variable, a list of one value.
    last_use : mapping of Variable to int, optional
        For outputs that only these nodes need, the position of the last one that
        does.
    compute_map : dict, optional
        PyTensor's: lists that are set to ``[True]`` for outputs that are computed.

    Attributes
    ----------
    node : Apply
        The one that is being computed.
    """

    lazy = False

    def __init__(
        self,
        nodes: Sequence[Apply],
        storage_map: Mapping[Variable, list],
        last_use: Mapping[Variable, int] | None = None,
        compute_map: Mapping[Variable, list] | None = None,
    ):
        self.node = nodes[0]
        self.inputs = [storage_map[variable] for variable in nodes[0].inputs]
        self.outputs = [storage_map[variable] for variable in nodes[-1].outputs]
        self._nodes = nodes
        # Of now: PyTensor changes its own, and means only what it keeps itself.
        self._cells = {
            variable: storage_map[variable]
            for node in nodes
            for variable in (*node.inputs, *node.outputs)
        }
        self._last_use = last_use or {}
        self._computed = (
            [compute_map[x] for node in nodes for x in node.outputs]
            if compute_map
            else []
        )
        # Shared variables and constants: an array that is replaced is another one.
        self._lasting = {
            variable
            for node in nodes
            for variable in node.inputs
            if variable.owner is None and type(storage_map[variable][0]) is np.ndarray
        }
        self._calls: dict[int, _Described] = {}
        # Where none of them goes on, as what follows fits too seldom.
        self._ends: set[int] = set()
        self._was_short = False

    def __call__(self) -> None:
        position = 0
        while position < len(self._nodes):
            described = self._calls.get(position)
            if described is not None:
                misfit = described.misfit()
                if misfit is None:
                    described.run(self)
                    position = described.end
                    continue
                was_short, self._was_short = self._was_short, described.runs < _FEW_RUNS
                if was_short and self._was_short:
                    # What comes before may still fit the next time.
                    self._ends.add(max(misfit, position + 1))
                del self._calls[position]
            position = self._describe(position)
        for cell in self._computed:
            cell[0] = True

    def _describe(self, start: int) -> int:
        """Compute nodes from this one on, and keep their calls if they can be made
        again. Returns the position of the first node that is left.
        """
        described = _Described(start, self._cells, self._lasting)
        for position in range(start, len(self._nodes)):
            if position > start and position in self._ends:
                break
            self.node = node = self._nodes[position]
            arrays = described.gather(node)
            launch = node.op.launch(node, arrays)
            if launch is None or not launch.is_worth_keeping:
                if position > start:
                    self._keep(described)
                cells = [self._cells[variable] for variable in node.outputs]
                _run(node, launch, arrays, cells)
                return position + 1
            launch.run()
            described.add(node, launch, arrays)
            del arrays, launch
        self._keep(described)
        return described.end

    def _keep(self, described: "_Described") -> None:
        self._calls = {
            start: other
            for start, other in self._calls.items()
            if other.end <= described.start or described.end <= start
        }
        self._calls[described.start] = described
        described.finish(self._last_use)


class _Described:
    """Calls of the kernels of nodes that follow each other, and what they were
    described for.

    Small inputs are copied to where the kernels read them, and small outputs from
    where they are written: so it does not matter where those lie, nor who has these.
    """

    def __init__(
        self,
        start: int,
        cells: Mapping[Variable, list],
        lasting: set[Variable],
    ):
        self.start = self.end = start
        self.runs = 0
        self._all_cells, self._all_lasting = cells, lasting
        self._thread, self._threads = get_ident(), threads.threads()
        self._launches: list[tuple[Apply, Launch]] = []
        # The arrays that these nodes have written, while they are described.
        self._written: dict[Variable, np.ndarray] = {}
        # Inputs, and the position of the first node that takes them.
        self._lasting: dict[Variable, tuple[int, list, np.ndarray]] = {}
        self._passing: dict[Variable, tuple[int, list, Any, Any]] = {}
        self._copies: dict[Variable, np.ndarray] = {}
        self._places: dict[Variable, int] = {}
        self._moving: list[tuple[Launch, list]] = []

    def gather(self, node: Apply) -> list[np.ndarray]:
        """A node's inputs, as its kernels are to read them."""
        return [self._input(variable) for variable in node.inputs]

    def _input(self, variable: Variable) -> np.ndarray:
        written = self._written.get(variable)
        if written is not None:
            return written
        cell = self._all_cells[variable]
        if variable in self._all_lasting:
            self._lasting.setdefault(variable, (self.end, cell, cell[0]))
            return cell[0]
        array = cell[0] = _array(cell[0])
        if variable not in self._passing:
            self._passing[variable] = self.end, cell, array.shape, array.strides
            if array.nbytes <= _SMALL:
                self._copies[variable] = array.copy("K")
        return self._copies.get(variable, array)

    def add(self, node: Apply, launch: Launch, inputs: list[np.ndarray]) -> None:
        """The next node's launch, which has been run."""
        self._launches.append((node, launch))
        for number, variable in enumerate(node.inputs):
            if variable not in self._passing or variable in self._copies:
                continue
            if number == launch.moving:
                self._moving.append((launch, self._all_cells[variable]))
            else:
                self._places[variable] = address(inputs[number])
        for variable, output in zip(node.outputs, launch.outputs, strict=False):
            self._written[variable] = inputs[output] if type(output) is int else output
        self.end += 1

    def finish(self, last_use: Mapping[Variable, int]) -> None:
        """Store what other nodes need. Nothing more is to be added."""
        self._given = [
            (position, cell, self._places.get(variable), shape, strides)
            for variable, (position, cell, shape, strides) in self._passing.items()
        ]
        self._same = list(self._lasting.values())
        self._copied = [
            (copy, self._all_cells[variable]) for variable, copy in self._copies.items()
        ]
        self._parts: list[tuple[Program, Apply, Any]] = []
        jobs: list[Job] = []
        for node, launch in self._launches:
            jobs += launch.jobs
            if launch.after is not None or node is self._launches[-1][0]:
                self._parts.append((Program(jobs), node, launch.after))
                jobs = []
        # Large arrays that others will have, the positions of the nodes that wrote
        # them, and how many references to them there are now.
        self._arrays: list[np.ndarray] = []
        self._writers: list[int] = []
        # Each result's cell, and where the array is.
        self._results: list[tuple[list, list, int, bool]] = []
        for position, (node, _) in enumerate(self._launches, self.start):
            for variable in node.outputs:
                if (
                    variable in self._written
                    and last_use.get(variable, inf) >= self.end
                ):
                    self._add_result(variable, position)
        del self._written
        self._references = list(map(getrefcount, self._arrays))
        self._hand_out()

    def _add_result(self, variable: Variable, position: int) -> None:
        array, cell = self._written[variable], self._all_cells[variable]
        for given in self._passing.keys() - self._copies.keys():
            if self._all_cells[given][0] is array:
                # It is overwritten where it lies.
                self._results.append((cell, self._all_cells[given], 0, False))
                return
        if any(array is same for _, _, same in self._lasting.values()):
            self._results.append((cell, [array], 0, False))
        elif array.nbytes <= _SMALL:
            self._results.append((cell, [array], 0, True))
        else:
            self._results.append((cell, self._arrays, len(self._arrays), False))
            owners = [array] if array.base is None else [array, array.base]
            self._arrays += owners
            self._writers += [position] * len(owners)

    def misfit(self) -> int | None:
        """The position of the first node for which it does not fit."""
        if get_ident() != self._thread or threads.threads() != self._threads:
            return self.start
        for position, cell, place, shape, strides in self._given:
            array = cell[0] = _array(cell[0])
            if (
                array.shape != shape
                or array.strides != strides
                or (place is not None and address(array) != place)
            ):
                return position
        for position, cell, array in self._same:
            if cell[0] is not array:
                return position
        for cell, *_ in self._results:
            cell[0] = None
        counts = map(getrefcount, self._arrays)
        for position, count, own in zip(
            self._writers, counts, self._references, strict=True
        ):
            if count != own:
                return position
        return None

    def run(self, thunk: LaunchingThunk) -> None:
        self.runs += 1
        for copy, cell in self._copied:
            copy[...] = cell[0]
        for launch, cell in self._moving:
            launch.move(address(cell[0]))
        for program, node, after in self._parts:
            program.run()
            if after is not None:
                thunk.node = node
                after()
        self._hand_out()

    def _hand_out(self) -> None:
        for cell, arrays, number, is_copied in self._results:
            cell[0] = arrays[number].copy("K") if is_copied else arrays[number]
