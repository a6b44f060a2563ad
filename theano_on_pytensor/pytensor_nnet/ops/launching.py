"""Ops that describe calls of kernels, instead of making them."""

from abc import abstractmethod
from threading import get_ident
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op, is_thunk_type

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.memory import address

__all__ = ["Launching"]

# Bytes up to which it costs nothing to copy an array.
_SMALL = 1 << 10


class Launching(Op):
    """An Op whose outputs are written by kernels.

    In a compiled function the calls of a node's kernels are described again only
    when its inputs lie elsewhere than the last time, or when somebody still has the
    outputs.
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
        self._perform(node, list(map(_array, inputs)), output_storage)

    def _perform(
        self, node: Apply, arrays: list[np.ndarray], output_storage: list
    ) -> Launch | None:
        """Returns the launch if it may be run again."""
        launch = self.launch(node, arrays)
        if launch is None:
            self.without_kernels(node, arrays, output_storage)
            return None
        launch.seal()
        launch.run()
        _store(launch, arrays, output_storage)
        return launch if launch.is_worth_keeping else None

    def make_py_thunk(self, node, storage_map, compute_map, no_recycling, debug=False):
        in_cells = [storage_map[variable] for variable in node.inputs]
        out_cells = [storage_map[variable] for variable in node.outputs]
        computed = [compute_map[v] for v in node.outputs] if compute_map else []
        # Shared variables and constants: an array that is replaced is another one.
        lasting = [
            cell
            for variable, cell in zip(node.inputs, in_cells, strict=True)
            if variable.owner is None and type(cell[0]) is np.ndarray
        ]
        passing = [
            (number, cell)
            for number, cell in enumerate(in_cells)
            if not any(cell is one for one in lasting)
        ]
        perform = self._perform
        described: _Described | None = None

        @is_thunk_type
        def thunk():
            nonlocal described
            for _, cell in passing:
                if type(cell[0]) is not np.ndarray:
                    cell[0] = np.asarray(cell[0])
            for cell in out_cells:
                cell[0] = None
            if described is not None and described.fits():
                described.run()
            else:
                described = None
                small = {
                    number: cell[0].copy("K")
                    for number, cell in passing
                    if cell[0].nbytes <= _SMALL
                }
                arrays = [
                    small.get(number, _array(cell[0]))
                    for number, cell in enumerate(in_cells)
                ]
                launch = perform(node, arrays, out_cells)
                if launch is not None:
                    described = _Described(
                        launch, in_cells, out_cells, lasting, passing, small
                    )
            for cell in computed:
                cell[0] = True

        thunk.inputs, thunk.outputs = in_cells, out_cells
        thunk.perform, thunk.lazy = self.perform, False
        return thunk


class _Described:
    """A launch, and what it was described for: a node's cells, and what lay in them.

    Small inputs are copied to where the kernels read them, and small outputs from
    where they are written: so it does not matter where those lie, nor who has these.
    """

    def __init__(
        self,
        launch: Launch,
        in_cells: list,
        out_cells: list,
        lasting: list,
        passing: list[tuple[int, Any]],
        small: dict[int, np.ndarray],
    ):
        self._launch = launch
        self._thread, self._threads = get_ident(), threads.threads()
        self._lasting = [(cell, cell[0]) for cell in lasting]
        self._moving = None
        if launch.moving is not None and launch.moving not in small:
            self._moving = in_cells[launch.moving]
        self._given = [
            (
                cell,
                None
                if number in small or number == launch.moving
                else address(cell[0]),
                cell[0].shape,
                cell[0].strides,
            )
            for number, cell in passing
        ]
        self._copied = [(copy, in_cells[number]) for number, copy in small.items()]
        # Each output's cell, and where the array is. Nobody but the launch has its
        # outputs: they are known by their numbers.
        self._results = [
            (cell, launch.outputs, number, output.nbytes <= _SMALL)
            if type(output) is not int
            else (cell, [small[output]], 0, True)
            if output in small
            else (cell, in_cells[output], 0, False)
            for number, (cell, output) in enumerate(
                zip(out_cells, launch.outputs, strict=False)
            )
        ]
        self._hand_out()

    def fits(self) -> bool:
        """Whether it can be run as it is."""
        if get_ident() != self._thread or threads.threads() != self._threads:
            return False
        for cell, place, shape, strides in self._given:
            array = cell[0]
            if (
                array.shape != shape
                or array.strides != strides
                or (place is not None and address(array) != place)
            ):
                return False
        for cell, array in self._lasting:
            if cell[0] is not array:
                return False
        return self._launch.is_free()

    def run(self) -> None:
        for copy, cell in self._copied:
            copy[...] = cell[0]
        if self._moving is not None:
            self._launch.move(address(self._moving[0]))
        self._launch.run()
        self._hand_out()

    def _hand_out(self) -> None:
        for cell, arrays, number, is_copied in self._results:
            cell[0] = arrays[number].copy("K") if is_copied else arrays[number]


def _array(value: Any) -> np.ndarray:
    return value if type(value) is np.ndarray else np.asarray(value)


def _store(launch: Launch, inputs: list[np.ndarray], cells: list) -> None:
    for cell, output in zip(cells, launch.outputs, strict=False):
        cell[0] = inputs[output] if type(output) is int else output
