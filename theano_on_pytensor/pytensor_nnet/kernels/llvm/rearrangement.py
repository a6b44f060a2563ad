"""Copies numbers in another order, or the sums of several arrays'."""

from collections.abc import Callable
from functools import cache

import numpy as np

from pytensor_nnet.kernels.llvm.compiler import compile_function
from pytensor_nnet.kernels.llvm.ir import Function

__all__ = ["rearrangement", "order_of"]


def order_of(shape: tuple[int, ...], change: Callable[[np.ndarray], np.ndarray]):
    """What an array of such a shape becomes: for each number where it comes from.

    ``change`` moves numbers and adds zeros; -1 stands for those.
    """
    numbers = np.arange(1, np.prod(shape, dtype=int) + 1, dtype=np.int32)
    return np.ascontiguousarray(change(numbers.reshape(shape)).ravel() - 1)


@cache
def rearrangement(element: str):
    """``kernel(source, order, target, count, parts, pitch)``.

    ``target[i]`` is the sum of ``source[p * pitch + order[i]]`` over the parts, in
    their order, and 0 where ``order[i]`` is negative.
    """
    function = Function(
        "rearrangement",
        {
            "source": f"{element}*",
            "order": "i32*",
            "target": f"{element}*",
            "count": "i64",
            "parts": "i64",
            "pitch": "i64",
        },
    )
    source, order, target, count, parts, pitch = function.arguments.values()
    with function.loop(0, count) as index:
        place = order[index].load().convert("sext", "i64")
        target[index].store(function.zero(element))
        with function.when(place.compare("sge", 0)):
            number = function.variable(element, source[place].load())
            with function.loop(1, parts) as part:
                number.set(number.get() + source[part * pitch + place].load())
            target[index].store(number.get())
    return compile_function(function)
