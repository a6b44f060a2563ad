"""Ops that describe calls of kernels, instead of making them."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from math import inf
from sys import getrefcount
from threading import get_ident
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.launch import Launch, Slots
from pytensor_nnet.kernels.llvm.memory import address
from pytensor_nnet.kernels.llvm.threads import Job, Program

__all__ = ["Launching", "LaunchingThunk"]

# Bytes up to which it costs next to nothing to copy an array.
_SMALL = 1 << 14
_NO_ARRAY = object()
# What has been run less often than this before it no longer fits was hardly worth to
# be described.
_FEW_RUNS = 4


class Launching(Op):
    """An Op whose outputs are written by kernels.

    In a compiled function the calls of kernels are described again only when inputs
    have another shape than the last time, or when somebody still has the outputs: see
    :class:`LaunchingThunk`.
    """

    @abstractmethod
    def launch(self, node: Apply, inputs: list[np.ndarray]) -> Launch | None:
        """The calls for these inputs. Keep no reference to the inputs: others of the
        same shapes and strides may take their place, wherever they lie.

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

    The calls of their kernels are described once and then made in one go, without
    Python in between. What only these nodes need is not stored.

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
            is_kept = launch is not None and launch.is_worth_keeping
            if position == start and not is_kept:
                cells = [self._cells[variable] for variable in node.outputs]
                _run(node, launch, arrays, cells)
                return position + 1
            if is_kept:
                launch.run()
                described.add(node, launch, arrays)
            # Nobody may have the arrays when their references are counted.
            del arrays, launch
            if not is_kept:
                break
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
    """Calls of the kernels of nodes that follow each other, for inputs of some shapes,
    wherever these lie.

    Small outputs are copied from where they are written, so that it does not matter
    who has them.
    """

    def __init__(
        self, start: int, cells: Mapping[Variable, list], lasting: set[Variable]
    ):
        self.start = self.end = start
        self.runs = 0
        self._cells, self._lasting = cells, lasting
        self._thread, self._threads = get_ident(), threads.threads()
        self._launches: list[tuple[Apply, Launch]] = []
        # The arrays that these nodes have written, while they are described.
        self._written: dict[Variable, np.ndarray] = {}
        # Of a variable that overwrites another, the one that was there at first.
        self._first: dict[Variable, Variable] = {}
        self._inputs: dict[Variable, _Input] = {}

    def gather(self, node: Apply) -> list[np.ndarray]:
        """A node's inputs."""
        return [self._array(variable) for variable in node.inputs]

    def _array(self, variable: Variable) -> np.ndarray:
        written = self._written.get(variable)
        if written is not None:
            return written
        if variable not in self._inputs:
            lasts = variable in self._lasting
            self._inputs[variable] = _Input(self.end, self._cells[variable], lasts)
        return self._cells[variable][0]

    def add(self, node: Apply, launch: Launch, arrays: list[np.ndarray]) -> None:
        """The next node's launch, which has been run."""
        self._launches.append((node, launch))
        bounds = {
            self._first.get(variable, variable): byte_bounds(array)
            for variable, array in zip(node.inputs, arrays, strict=True)
        }
        for variable, (begin, end) in bounds.items():
            if variable in self._inputs and begin < end:
                is_alone = all(
                    end <= begins or ends <= begin
                    for other, (begins, ends) in bounds.items()
                    if other is not variable
                )
                slots = launch.slots(begin, end) if is_alone else None
                self._inputs[variable].add(slots)
        for variable, output in zip(node.outputs, launch.outputs, strict=False):
            if type(output) is int:
                source = node.inputs[output]
                self._first[variable] = self._first.get(source, source)
                output = arrays[output]
            self._written[variable] = output
        self.end += 1

    def finish(self, last_use: Mapping[Variable, int]) -> None:
        """Store what other nodes need. Nothing more is to be added."""
        self._given = [x for x in self._inputs.values() if x.position < self.end]
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
                is_needed = last_use.get(variable, inf) >= self.end
                if is_needed and variable in self._written:
                    self._add_result(variable, position)
        del self._written
        self._references = list(map(getrefcount, self._arrays))
        self._hand_out()

    def _add_result(self, variable: Variable, position: int) -> None:
        array, cell = self._written[variable], self._cells[variable]
        source = self._inputs.get(self._first.get(variable))
        if source is not None:
            self._results.append((cell, source.cell, 0, False))
            return
        if array.nbytes <= _SMALL:
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
        for given in self._given:
            if given.cell[0] is not given.lasting and not given.accept():
                return given.position
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
        for program, node, after in self._parts:
            program.run()
            if after is not None:
                thunk.node = node
                after()
        self._hand_out()

    def _hand_out(self) -> None:
        for cell, arrays, number, is_copied in self._results:
            cell[0] = arrays[number].copy("K") if is_copied else arrays[number]


class _Input:
    """An input of described calls.

    Attributes
    ----------
    position : int
        Of the first node that takes it.
    cell : list
        It holds the array.
    lasting : array or object
        The array of a shared variable or a constant, which mostly stays the same.
    """

    __slots__ = (
        *("cell", "lasting", "position"),
        *("_is_fixed", "_place", "_shape", "_slots", "_strides"),
    )

    def __init__(self, position: int, cell: list, lasts: bool):
        self.position, self.cell = position, cell
        array = cell[0] = _array(cell[0])
        self.lasting = array if lasts else _NO_ARRAY
        self._shape, self._strides = array.shape, array.strides
        self._place = address(array)
        self._slots: list[Slots] = []
        self._is_fixed = False

    def add(self, slots: list[Slots] | None) -> None:
        """Where calls are told of a place in the array; ``None``: that is not known,
        so it must not lie elsewhere.
        """
        if slots is None:
            self._is_fixed = True
        else:
            self._slots += slots

    def accept(self) -> bool:
        """Tell the calls where the array lies now, if it is such a one."""
        array = self.cell[0] = _array(self.cell[0])
        if array.shape != self._shape or array.strides != self._strides:
            return False
        place = address(array)
        distance = place - self._place
        if distance:
            if self._is_fixed:
                return False
            self._place = place
            for table, numbers in self._slots:
                for number in numbers:
                    table[number] += distance
        if self.lasting is not _NO_ARRAY:
            self.lasting = array
        return True
