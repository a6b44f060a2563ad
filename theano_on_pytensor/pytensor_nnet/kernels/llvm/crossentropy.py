"""The logarithm of a softmax at one class a row, and its gradient: compiled."""

from functools import cache
from typing import Any

import numpy as np

from pytensor_nnet.kernels.llvm.compiler import Kernel, compile_function, host
from pytensor_nnet.kernels.llvm.functions import exp, logarithm
from pytensor_nnet.kernels.llvm.ir import Array as Place
from pytensor_nnet.kernels.llvm.ir import Function, Value, vector
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.memory import address
from pytensor_nnet.kernels.llvm.operations import TYPES, convert

__all__ = [
    "add_softmax_log_likelihood",
    "add_softmax_log_likelihood_gradient",
    "is_served",
]

Array = np.ndarray[Any, Any]


def is_served(scores: Array, classes: Array) -> bool:
    """Whether there is a kernel for them; else there are the functions in NumPy."""
    return (
        scores.dtype.char in "fd"
        and classes.dtype.kind in "iu"
        and scores.size > 0
        and len(classes) <= len(scores)
    )


def add_softmax_log_likelihood(
    launch: Launch, scores: Array, classes: Array
) -> tuple[Array, Array, Array]:
    """The log-likelihoods, the softmax and the sum of the former: what a launch will
    fill. See :func:`pytensor_nnet.kernels.crossentropy.softmax_log_likelihood`.

    The launch raises ``IndexError`` for a class that there is not.
    """
    columns = scores.shape[1]
    likelihood, likelihood_at = launch.allocate(classes.shape, scores.dtype)
    softmax, softmax_at = launch.allocate(scores.shape, scores.dtype)
    total, total_at = launch.allocate((), scores.dtype)
    missing, missing_at = launch.allocate((1,), np.int64)
    missing[0] = 0

    def check() -> None:
        if missing[0]:
            missing[0] = 0
            raise IndexError(f"a class is not one of the {columns} that there are")

    launch.after = check
    kernel = _forward_kernel(scores.dtype, classes.dtype, columns)
    arrays = launch.in_order(scores), launch.in_order(classes)
    places = (
        *map(address, arrays),
        softmax_at,
        likelihood_at,
        total_at,
        missing_at,
    )
    launch.add(kernel, [(*places, len(scores), len(classes))])
    return likelihood, softmax, total


def add_softmax_log_likelihood_gradient(
    launch: Launch, softmax: Array, classes: Array, output_gradient: Array
) -> Array:
    """The gradient with respect to the scores, which a launch will fill. See
    :func:`pytensor_nnet.kernels.crossentropy.softmax_log_likelihood_gradient`.

    ``output_gradient`` may be a single number, the same for each class.
    """
    gradient, gradient_at = launch.allocate(softmax.shape, softmax.dtype)
    kernel = _backward_kernel(softmax.dtype, classes.dtype, softmax.shape[1])
    arrays = [address(launch.in_order(x)) for x in (softmax, classes, output_gradient)]
    step = int(output_gradient.size > 1)
    sizes = step, len(softmax), len(classes)
    launch.add(kernel, [(*arrays, gradient_at, *sizes)])
    return gradient


class _Rows:
    """A function over rows of numbers, a vector at a time."""

    def __init__(self, function: Function, element: str, columns: int):
        self.function = function
        self.lanes = min(host().lanes(element), 1 << (columns - 1).bit_length())
        self.type = vector(self.lanes, element)
        self.tail = columns % self.lanes
        self.whole = columns - self.tail

    def over(self, step: Any) -> None:
        """Call ``step(first, tail)`` for each vector of a row."""
        with self.function.loop(0, self.whole, self.lanes) as first:
            step(first, 0)
        if self.tail:
            step(self.function.integer(self.whole), self.tail)

    def load(self, row: Place, first: Value, tail: int, filler: float) -> Value:
        """Numbers of a row; beyond its end is ``filler``."""
        value = row[first].load(self.lanes, tail)
        if not tail:
            return value
        bits = ", ".join(f"i1 {int(lane < tail)}" for lane in range(self.lanes))
        inside = Value(self.function, vector(self.lanes, "i1"), f"<{bits}>")
        return inside.select(value, filler)

    def reduce(self, value: Value, combine: Any) -> Value:
        """All lanes made one, by halves."""
        width = self.lanes
        while width > 1:
            width //= 2
            upper = value.shuffle([*range(width, 2 * width)])
            lower = value.shuffle([*range(width)])
            value = combine(lower, upper)
        return value.first()


def _larger(x: Value, y: Value) -> Value:
    return x.compare("ogt", y).select(x, y)


def _class(function: Function, place: Place, dtype: str, columns: int) -> Value:
    """A class, counted from the last if it is negative."""
    index = convert(place.load(), dtype, "int64")
    return index.compare("slt", 0).select(index + columns, index)


@cache
def _forward_kernel(dtype: np.dtype, index_dtype: np.dtype, columns: int) -> Kernel:
    """``kernel(scores, classes, softmax, likelihood, total, missing, rows, count)``.

    ``missing`` becomes 1 where a class is not one of the columns.
    """
    element = TYPES[dtype.name]
    function = Function(
        "softmax",
        {
            "scores": f"{element}*",
            "classes": f"{TYPES[index_dtype.name]}*",
            "softmax": f"{element}*",
            "likelihood": f"{element}*",
            "total": f"{element}*",
            "missing": "i64*",
            "rows": "i64",
            "count": "i64",
        },
    )
    scores, classes, softmax, likelihood, total, missing, rows, count = (
        function.arguments.values()
    )
    over = _Rows(function, element, columns)
    sum_of_all = function.variable("double", 0)
    with function.loop(0, rows) as i:
        given, result = scores[i * columns], softmax[i * columns]
        most = function.variable(over.type, float("-inf"))
        over.over(
            lambda first, tail: most.set(
                _larger(over.load(given, first, tail, float("-inf")), most.get())
            )
        )
        largest = over.reduce(most.get(), _larger)
        shift = largest.splat(over.lanes)
        sums = function.variable(over.type, 0)

        def exponentiate(first: Value, tail: int) -> None:
            power = exp(over.load(given, first, tail, float("-inf")) - shift)
            result[first].store(power, tail)
            sums.set(sums.get() + power)

        over.over(exponentiate)
        mass = over.reduce(sums.get(), lambda x, y: x + y)
        divisor = mass.splat(over.lanes)
        over.over(
            lambda first, tail: result[first].store(
                result[first].load(over.lanes, tail) / divisor, tail
            )
        )
        with function.when(i.compare("slt", count)):
            index = _class(function, classes[i], index_dtype.name, columns)
            is_missing = index.compare("uge", columns)
            with function.when(is_missing):
                missing.store(function.integer(1))
            known = is_missing.select(function.integer(0), index)
            chosen = given[known].load() - largest
            found = chosen - logarithm(mass)
            likelihood[i].store(found)
            more = convert(found, dtype.name, "float64")
            sum_of_all.set(sum_of_all.get() + more)
    total.store(convert(sum_of_all.get(), "float64", dtype.name))
    return compile_function(function)


@cache
def _backward_kernel(dtype: np.dtype, index_dtype: np.dtype, columns: int) -> Kernel:
    """``kernel(softmax, classes, given, gradient, step, rows, count)``.

    ``step`` is the numbers from the gradient that is given for a class to the next.
    """
    element = TYPES[dtype.name]
    function = Function(
        "softmax_gradient",
        {
            "softmax": f"{element}*",
            "classes": f"{TYPES[index_dtype.name]}*",
            "given": f"{element}*",
            "gradient": f"{element}*",
            "step": "i64",
            "rows": "i64",
            "count": "i64",
        },
    )
    softmax, classes, given, gradient, step, rows, count = function.arguments.values()
    over = _Rows(function, element, columns)
    with function.loop(0, count) as i:
        number = given[i * step].load()
        factor = (number * -1.0).splat(over.lanes)
        source, result = softmax[i * columns], gradient[i * columns]
        over.over(
            lambda first, tail: result[first].store(
                source[first].load(over.lanes, tail) * factor, tail
            )
        )
        index = _class(function, classes[i], index_dtype.name, columns)
        result[index].store(result[index].load() + number)
    with function.loop(count, rows) as i:
        result = gradient[i * columns]
        zero = function.zero(over.type)
        over.over(lambda first, tail: result[first].store(zero, tail))
    return compile_function(function)
