"""Copies numbers in another order, and adds the parts of a sum."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.compiler import Kernel, compile_function, host
from pytensor_nnet.kernels.llvm.ir import Function, vector
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.memory import address
from pytensor_nnet.kernels.llvm.operations import TYPES

__all__ = ["add_rearrangements", "add_sums", "order_of"]

# Numbers below which a second thread is not worth waking.
_SMALL_TASK = 1 << 11


def order_of(shape: tuple[int, ...], change: Callable[[np.ndarray], np.ndarray]):
    """What an array of such a shape becomes: for each number where it comes from.

    ``change`` moves numbers and adds zeros; -1 stands for those.
    """
    numbers = np.arange(1, np.prod(shape, dtype=int) + 1, dtype=np.int32)
    return np.ascontiguousarray(change(numbers.reshape(shape)).ravel() - 1)


def add_rearrangements(
    launch: Launch, dtype: np.dtype, rows: Sequence[tuple[int, np.ndarray, int]]
) -> None:
    """For each row, ``(source, order, target)``: ``target[i]`` is to be
    ``source[order[i]]``, and 0 where ``order[i]`` is negative.

    Source and target are addresses; orders are of int32 and must not change.
    """
    tasks = [
        (
            *(source, address(order) + begin * order.itemsize),
            *(target + begin * dtype.itemsize, end - begin),
        )
        for source, order, target in rows
        for begin, end in _parts(order.size)
    ]
    launch.add(_rearrangement(TYPES[dtype.name]), tasks, len(tasks) > len(rows))


def add_sums(
    launch: Launch,
    dtype: np.dtype,
    rows: Sequence[tuple[int, int]],
    parts: int,
    pitch: int,
) -> None:
    """For each row, ``(place, count)``: to each of so many numbers are to be added
    those that lie ``pitch`` numbers behind it, ``2 * pitch``, and so on, ``parts``
    with itself. The counts are multiples of 64.
    """
    tasks = [
        (place + 64 * begin * dtype.itemsize, 64 * (end - begin), parts, pitch)
        for place, count in rows
        for begin, end in _parts(count, 64)
    ]
    launch.add(_addition(TYPES[dtype.name]), tasks, len(tasks) > len(rows))


def _parts(size: int, step: int = 1) -> list[tuple[int, int]]:
    return threads.spans(size // step, min(threads.threads(), size // _SMALL_TASK))


@cache
def _rearrangement(element: str) -> Kernel:
    """``kernel(source, order, target, count)``."""
    function = Function(
        "rearrangement",
        {
            "source": f"{element}*",
            "order": "i32*",
            "target": f"{element}*",
            "count": "i64",
        },
    )
    source, order, target, count = function.arguments.values()
    with function.loop(0, count) as index:
        place = order[index].load().convert("sext", "i64")
        target[index].store(function.zero(element))
        with function.when(place.compare("sge", 0)):
            target[index].store(source[place].load())
    return compile_function(function)


@cache
def _addition(element: str) -> Kernel:
    """``kernel(source, count, parts, pitch)``."""
    function = Function(
        "addition",
        {"source": f"{element}*", "count": "i64", "parts": "i64", "pitch": "i64"},
    )
    source, count, parts, pitch = function.arguments.values()
    lanes = host().lanes(element)
    with function.loop(0, count, lanes) as index:
        total = function.variable(vector(lanes, element), source[index].load(lanes))
        with function.loop(1, parts) as part:
            total.set(total.get() + source[part * pitch + index].load(lanes))
        source[index].store(total.get())
    return compile_function(function)
