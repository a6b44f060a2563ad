"""Copies numbers in another order, and adds the parts of a sum."""

from collections.abc import Callable
from functools import cache

import numpy as np

from pytensor_nnet.kernels.llvm.compiler import Kernel, compile_function, host
from pytensor_nnet.kernels.llvm.ir import Function, vector

__all__ = ["addition", "order_of", "rearrangement"]


def order_of(shape: tuple[int, ...], change: Callable[[np.ndarray], np.ndarray]):
    """What an array of such a shape becomes: for each number where it comes from.

    ``change`` moves numbers and adds zeros; -1 stands for those.
    """
    numbers = np.arange(1, np.prod(shape, dtype=int) + 1, dtype=np.int32)
    return np.ascontiguousarray(change(numbers.reshape(shape)).ravel() - 1)


@cache
def rearrangement(element: str) -> Kernel:
    """``kernel(source, order, target, count)``.

    ``target[i]`` is ``source[order[i]]``, and 0 where ``order[i]`` is negative.
    """
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
def addition(element: str) -> Kernel:
    """``kernel(source, count, parts, pitch)``.

    Adds to ``count`` numbers those that lie ``pitch`` behind, ``2 * pitch``, and so
    on, ``parts - 1`` times. The counts are of numbers; ``count`` is a multiple of 16.
    """
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
