"""Where in each row of a matrix the largest number is: compiled."""

from functools import cache
from math import prod
from typing import Any

import numpy as np

from pytensor_nnet.kernels.llvm.compiler import Kernel, compile_function
from pytensor_nnet.kernels.llvm.ir import Function
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.memory import address
from pytensor_nnet.kernels.llvm.operations import TYPES

__all__ = ["add_argmax"]


def add_argmax(launch: Launch, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Along the last axis, the number of the first maximum or, if there is one, of
    the first NaN: what a launch will fill.

    The array is float32 or float64; raises ``ValueError`` if that axis is empty.
    """
    *outer, columns = array.shape
    if not columns:
        raise ValueError(f"an array of shape {array.shape} has no maxima")
    out, out_at = launch.allocate(tuple(outer), np.int64)
    place = address(launch.in_order(array))
    launch.add(
        _kernel(TYPES[array.dtype.name]), [(place, out_at, prod(outer), columns)]
    )
    return out


@cache
def _kernel(element: str) -> Kernel:
    function = Function(
        "argmax",
        {"array": f"{element}*", "out": "i64*", "rows": "i64", "columns": "i64"},
    )
    array, out, rows, columns = function.arguments.values()
    with function.loop(0, rows) as i:
        row = array[i * columns]
        best = function.variable(element, row.load())
        where = function.variable("i64", 0)
        with function.loop(1, columns) as j:
            number, known = row[j].load(), best.get()
            # More, or NaN where there was none.
            better = number.compare("ugt", known) & known.compare("ord", known)
            best.set(better.select(number, known))
            where.set(better.select(j, where.get()))
        out[i].store(where.get())
    return compile_function(function)
