"""Ops that describe calls of kernels, instead of making them."""

from abc import abstractmethod
from operator import is_
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
        last_lasting: list[np.ndarray] = []
        last_key: tuple[Any, ...] = ()
        launch: Launch | None = None
        # Copies of small inputs, which are what the kernels read: so it does not
        # matter where the inputs lie, and who has the outputs, which are copies too.
        small: dict[int, np.ndarray] = {}

        def key_of(moving: int | None) -> tuple[Any, ...]:
            """What the launch depends on: where inputs lie, and how."""
            return (
                get_ident(),
                threads.threads(),
                [
                    (
                        number == moving or number in small or address(cell[0]),
                        cell[0].shape,
                        cell[0].strides,
                    )
                    for number, cell in passing
                ],
            )

        @is_thunk_type
        def thunk():
            nonlocal last_lasting, last_key, launch, small
            for _, cell in passing:
                if type(cell[0]) is not np.ndarray:
                    cell[0] = np.asarray(cell[0])
            for cell in out_cells:
                cell[0] = None
            if (
                launch is not None
                and key_of(launch.moving) == last_key
                and all(map(is_, last_lasting, [cell[0] for cell in lasting]))
                and launch.is_free()
            ):
                for number, copy in small.items():
                    copy[...] = in_cells[number][0]
                if launch.moving is not None and launch.moving not in small:
                    launch.move(address(in_cells[launch.moving][0]))
                launch.run()
                arrays = [small.get(n, cell[0]) for n, cell in enumerate(in_cells)]
                _store(launch, arrays, out_cells)
            else:
                launch = None
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
                    last_key = key_of(launch.moving)
                    last_lasting = [cell[0] for cell in lasting]
            if launch is not None:
                for cell, output in zip(out_cells, launch.outputs, strict=False):
                    is_own = type(output) is not int or output in small
                    if is_own and cell[0].nbytes <= _SMALL:
                        cell[0] = cell[0].copy("K")
            for cell in computed:
                cell[0] = True

        thunk.inputs, thunk.outputs = in_cells, out_cells
        thunk.perform, thunk.lazy = self.perform, False
        return thunk


def _array(value: Any) -> np.ndarray:
    return value if type(value) is np.ndarray else np.asarray(value)


def _store(launch: Launch, inputs: list[np.ndarray], cells: list) -> None:
    for cell, output in zip(cells, launch.outputs, strict=False):
        cell[0] = inputs[output] if type(output) is int else output
