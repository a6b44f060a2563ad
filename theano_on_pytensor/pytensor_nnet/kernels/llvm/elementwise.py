"""Elementwise expressions over arrays of one shape, compiled.

An expression is computed in registers from end to end; an optimiser's update of a
parameter and its velocity is one pass over memory.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.compiler import compile_function, host
from pytensor_nnet.kernels.llvm.ir import Function, Value, vector
from pytensor_nnet.kernels.llvm.memory import address

__all__ = ["OPERATIONS", "Expression", "evaluate"]

_ELEMENTS = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
# Numbers below which a second thread is not worth waking.
_SMALL_TASK = 1 << 15


def _sign(x: Value) -> Value:
    function = x.function
    kept = x.compare("uno", x).select(x, 0)
    one = Value(function, x.type, function.constant(1, x.type))
    minus_one = Value(function, x.type, function.constant(-1, x.type))
    return x.compare("ogt", 0).select(one, x.compare("olt", 0).select(minus_one, kept))


def _extreme(relation: str) -> Callable[[Value, Value], Value]:
    """The larger or the smaller; NaN where one is."""

    def extreme(x: Value, y: Value) -> Value:
        chosen = x.compare(relation, y).select(x, y)
        return x.compare("uno", y).select(x + y, chosen)

    return extreme


OPERATIONS: dict[str, Callable[..., Value]] = {
    "abs": lambda x: x.function.apply("fabs", x),
    "add": lambda x, y: x + y,
    "divide": lambda x, y: x / y,
    "maximum": _extreme("ogt"),
    "minimum": _extreme("olt"),
    "multiply": lambda x, y: x * y,
    "negate": lambda x: x * -1.0,
    "sign": _sign,
    "sqrt": lambda x: x.function.apply("sqrt", x),
    "square": lambda x: x * x,
    "subtract": lambda x, y: x - y,
}


@dataclass(frozen=True)
class Expression:
    """What is computed of each element.

    Registers are numbered: first the inputs, then ``constants``, then what the
    steps compute.

    Parameters
    ----------
    scalars : tuple of bool
        For each input, whether it is one number for all elements.
    constants : tuple of float
    steps : tuple of (str, tuple of int)
        A name of :data:`OPERATIONS` and the registers it is given.
    results : tuple of int
        The registers that are the outputs.
    """

    scalars: tuple[bool, ...]
    constants: tuple[float, ...]
    steps: tuple[tuple[str, tuple[int, ...]], ...]
    results: tuple[int, ...]


def evaluate(
    expression: Expression,
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
) -> None:
    """Fill ``outputs``; all arrays are alike in type and order in memory.

    An output may be an input's memory, but not a part of it.
    """
    size = outputs[0].size
    kernel = _kernel(expression, _ELEMENTS[outputs[0].dtype])
    addresses = [address(array) for array in (*inputs, *outputs)]
    if size < 2 * _SMALL_TASK:
        kernel(*addresses, 0, size)
        return
    parts = min(threads.threads(), size // _SMALL_TASK)
    ends = [size * part // parts // 64 * 64 for part in range(parts)] + [size]
    threads.run(
        kernel, [(*addresses, *span) for span in zip(ends, ends[1:], strict=False)]
    )


@cache
def _kernel(expression: Expression, element: str) -> Callable[..., None]:
    names = [
        *(f"input{i}" for i in range(len(expression.scalars))),
        *(f"output{i}" for i in range(len(expression.results))),
    ]
    function = Function(
        "elementwise",
        {**{name: f"{element}*" for name in names}, "first": "i64", "last": "i64"},
        distinct=False,
    )
    *arrays, first, last = function.arguments.values()
    n_inputs = len(expression.scalars)
    inputs, outputs = arrays[:n_inputs], arrays[n_inputs:]
    numbers = [
        array.load() if scalar else None
        for array, scalar in zip(inputs, expression.scalars, strict=True)
    ]

    def compute(index: Value, lanes: int) -> None:
        type_ = vector(lanes, element) if lanes else element
        registers = []
        for array, number in zip(inputs, numbers, strict=True):
            if number is None:
                registers.append(array[index].load(lanes))
            else:
                registers.append(number.splat(lanes) if lanes else number)
        for constant in expression.constants:
            text = function.constant(constant, type_)
            registers.append(Value(function, type_, text))
        for name, sources in expression.steps:
            registers.append(OPERATIONS[name](*(registers[s] for s in sources)))
        for array, register in zip(outputs, expression.results, strict=True):
            array[index].store(registers[register])

    lanes = host().lanes(element)
    whole = last - (last - first) % lanes
    with function.loop(first, whole, lanes) as index:
        compute(index, lanes)
    with function.loop(whole, last) as index:
        compute(index, 0)
    return compile_function(function)
