"""Exchanges the last two axes of arrays, a square of vectors at a time, and so takes
images from channels-first to channels-last.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.compiler import CPU, compile_function, host
from pytensor_nnet.kernels.llvm.ir import Function, Value, lanes_of
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.memory import address

__all__ = [
    "channels_first",
    "generate_transposition",
    "packed_last",
    "transpose",
    "transposed_square",
]

_ELEMENTS = {4: "float", 8: "double", 1: "i8", 2: "i16"}
_SMALL_TASK = 1 << 16


def transpose(launch: Launch, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """``(batch, rows, columns)`` in C order to ``(batch, columns, rows)``: what a
    launch will fill.

    Any type of 1, 2, 4 or 8 bytes.
    """
    batch, rows, columns = array.shape
    out, out_at = launch.allocate((batch, columns, rows), array.dtype)
    parts = min(4 * threads.threads(), array.size // _SMALL_TASK + 1)
    task = (address(array), out_at, rows, columns)
    launch.add(
        _kernel(array.itemsize),
        [(*task, *span) for span in threads.spans(batch, parts)],
    )
    return out


def packed_last(launch: Launch, images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """``(batch, channels, rows, columns)`` to ``(batch, rows, columns, channels)`` in
    C order: what a launch will fill, or the same memory if it lies so already.
    """
    last = images.transpose(0, 2, 3, 1)
    if last.flags.c_contiguous:
        return last
    if images.flags.c_contiguous:
        batch, channels, rows, columns = images.shape
        flat = images.reshape(batch, channels, rows * columns)
        return transpose(launch, flat).reshape(last.shape)
    return launch.in_order(last)


def channels_first(images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """``(batch, rows, columns, channels)``, seen as ``(batch, channels, rows,
    columns)``.
    """
    return images.transpose(0, 3, 1, 2)


@cache
def _kernel(itemsize: int) -> Callable[..., None]:
    return compile_function(generate_transposition(_ELEMENTS[itemsize], host()))


def generate_transposition(element: str, cpu: CPU) -> Function:
    """For arrays from ``first`` up to ``last`` of a batch."""
    function = Function(
        "transposition",
        {
            "source": f"{element}*",
            "target": f"{element}*",
            "rows": "i64",
            "columns": "i64",
            "first": "i64",
            "last": "i64",
        },
    )
    lanes = min(16, cpu.vector_bytes // {"i8": 1, "i16": 2, "float": 4}.get(element, 8))
    arguments = function.arguments
    rows, columns = arguments["rows"], arguments["columns"]
    whole_rows, whole_columns = rows - rows % lanes, columns - columns % lanes
    with function.loop(arguments["first"], arguments["last"]) as item:
        source = arguments["source"][item * (rows * columns)]
        target = arguments["target"][item * (rows * columns)]

        def copy(row: Value, column: Value) -> None:
            target[column * rows + row].store(source[row * columns + column].load())

        with function.loop(0, whole_rows, lanes) as row:
            with function.loop(0, whole_columns, lanes) as column:
                place = source[row * columns + column]
                lines = [place[columns * lane].load(lanes) for lane in range(lanes)]
                goal = target[column * rows + row]
                for lane, line in enumerate(transposed_square(lines)):
                    goal[rows * lane].store(line)
            with (
                function.loop(whole_columns, columns) as column,
                function.loop(0, lanes) as lane,
            ):
                copy(row + lane, column)
        with (
            function.loop(whole_rows, rows) as row,
            function.loop(0, columns) as column,
        ):
            copy(row, column)
    return function


def transposed_square(rows: list[Value]) -> list[Value]:
    """The columns of as many vectors as each has lanes."""
    lanes = lanes_of(rows[0].type)
    step = 1
    while step < lanes:
        # Exchange the off-diagonal quarters of each square of 2 * step lanes.
        first = [
            lane if not lane & step else lanes + lane - step for lane in range(lanes)
        ]
        second = [
            lane + step if not lane & step else lanes + lane for lane in range(lanes)
        ]
        result = list(rows)
        for index in range(lanes):
            if not index & step:
                one, other = rows[index], rows[index + step]
                result[index] = one.shuffle(first, other)
                result[index + step] = one.shuffle(second, other)
        rows = result
        step *= 2
    return rows
