"""The sums of a matrix's columns, compiled: a layer's gradient of its bias.

Each column is added up in float64. Results do not depend on the number of threads,
bit for bit: a fixed number of groups of rows have a sum each.
"""

from functools import cache
from math import gcd
from typing import Any

import numpy as np

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.compiler import Kernel, compile_function, host
from pytensor_nnet.kernels.llvm.ir import Array, Function, Value, vector
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.memory import address
from pytensor_nnet.kernels.llvm.operations import TYPES

__all__ = ["add_column_sums"]

_GROUPS = 8
# Numbers below which a second thread is not worth waking.
_SMALL_TASK = 1 << 15
# Vectors that are added up at a time.
_ABREAST = 8


def add_column_sums(
    launch: Launch, matrix: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """What a launch will fill, of the matrix's type; the matrix is float32 or float64
    and lies in C order.
    """
    rows, columns = matrix.shape
    out, _ = launch.allocate((columns,), matrix.dtype)
    together = _together(columns, host().lanes("double"))
    spans = threads.spans(rows, _GROUPS)
    shape = (len(spans), together + 1, columns)
    partial, place = launch.allocate(shape, np.float64)
    step = partial.strides[0]
    kernel = _kernel(TYPES[matrix.dtype.name], columns)
    launch.add(
        kernel,
        [
            (address(matrix), place + group * step, *span)
            for group, span in enumerate(spans)
        ],
        together=matrix.size >= _SMALL_TASK,
    )

    def add_up() -> None:
        out[...] = partial.sum(axis=(0, 1))

    launch.after = add_up
    return out


def _together(columns: int, lanes: int) -> int:
    """How many rows are taken as one, so that they are whole vectors, and not few."""
    fewest = lanes // gcd(columns, lanes)
    return fewest * max(1, _ABREAST // (fewest * columns // lanes))


@cache
def _kernel(element: str, columns: int) -> Kernel:
    """``kernel(matrix, sums, first, last)``: of rows ``first`` to ``last``.

    ``sums`` are for the columns of so many rows as are taken together, then for those
    of the rows that are left.
    """
    lanes = host().lanes("double")
    type_ = vector(lanes, "double")
    function = Function(
        "column_sums",
        {"matrix": f"{element}*", "sums": "double*", "first": "i64", "last": "i64"},
    )
    matrix, sums, first, last = function.arguments.values()
    together = _together(columns, lanes)
    width = together * columns
    end = last - (last - first) % together

    def as_double(value: Value, wanted: str) -> Value:
        return value if element == "double" else value.convert("fpext", wanted)

    def add(start: Value | int, vectors: int) -> None:
        totals = [function.variable(type_, 0) for _ in range(vectors)]
        with function.loop(first, end, together) as row:
            here: Array = matrix[row * columns + start]
            for v, total in enumerate(totals):
                numbers = here[v * lanes].load(lanes)
                total.set(total.get() + as_double(numbers, type_))
        for v, total in enumerate(totals):
            sums[start][v * lanes].store(total.get())

    whole, rest = divmod(width // lanes, _ABREAST)
    step = _ABREAST * lanes
    if whole:
        with function.loop(0, whole * step, step) as start:
            add(start, _ABREAST)
    if rest:
        add(function.integer(whole * step), rest)
    with function.loop(0, columns) as column:
        total = function.variable("double", 0)
        with function.loop(end, last) as row:
            number = matrix[row * columns + column].load()
            total.set(total.get() + as_double(number, "double"))
        sums[column + width].store(total.get())
    return compile_function(function)
