"""MRG31k3p, a combined multiple recursive generator, over many streams at once.

P. L'Ecuyer and R. Touzin, *Fast combined multiple recursive generators with
multipliers of the form a = ±2^q ± 2^r*, Winter Simulation Conference 2000. Two
recurrences of order three run side by side,

    x(n) = (2^22 x(n-2) + (2^7 + 1) x(n-3)) mod M1
    y(n) = (2^15 y(n-1) + (2^15 + 1) y(n-3)) mod M2

and a draw is ``z = (x(n) - y(n)) mod M1``, with ``M1`` in the place of 0.

The state of a stream is six int32, ``x(n), x(n-1), x(n-2), y(n), y(n-1),
y(n-2)``; those of several streams are the rows of a matrix. Streams are told
apart by jumping: one is another after ``2^k`` draws.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from pytensor_nnet.kernels.llvm.compiler import compile_function, host
from pytensor_nnet.kernels.llvm.ir import Function, Value, vector

__all__ = ["M1", "M2", "jump", "substreams", "uniform"]

Array = np.ndarray[Any, Any]

M1 = 2**31 - 1
M2 = 2**31 - 21069

# Row by row: what (x(n), x(n-1), x(n-2)) becomes after one draw.
_STEP = (
    (M1, np.array([[0, 2**22, 2**7 + 1], [1, 0, 0], [0, 1, 0]])),
    (M2, np.array([[2**15, 0, 2**15 + 1], [1, 0, 0], [0, 1, 0]])),
)


def jump(states: Array, log2_draws: int) -> Array:
    """States ``(..., 6)`` after ``2**log2_draws`` draws; int32."""
    ahead = [
        _product(half, matrix.T, modulus)
        for half, (modulus, matrix) in zip(
            (states[..., :3], states[..., 3:]), _step_to_the(log2_draws), strict=True
        )
    ]
    return np.concatenate(ahead, axis=-1).astype(np.int32)


def substreams(state: Array, number: int, log2_spacing: int = 72) -> Array:
    """``number`` states, ``(number, 6)``: the given one, then each one
    ``2**log2_spacing`` draws behind the one before.
    """
    states = np.asarray(state, np.int32).reshape(1, 6)
    for doubling in range(max(0, number - 1).bit_length()):
        states = np.concatenate([states, jump(states, log2_spacing + doubling)])
    return states[:number]


def uniform(states: Array, number: int, dtype: Any) -> tuple[Array, Array]:
    """``number`` floats between 0 and 1, both excluded, and the states thereafter.

    ``states`` is ``(streams, 6)``, int32; draw ``i`` is made by stream
    ``i % streams``. In float64 it is ``z / 2^31``. In float32 ``z`` is rounded, and
    multiplied with the float32 just below ``1 / 2^31``, so that it stays below 1. In
    float16 it is made of the lowest 15 bits of ``z``.
    """
    dtype = np.dtype(dtype)
    if dtype == np.float16:
        draws, states = uniform(states, number, np.float64)
        low_bits = (draws * 2.0**31).astype(np.int64) & (2**15 - 1)
        return ((low_bits + 1) * _SCALE_OF_FLOAT16).astype(dtype), states
    draws = np.empty(number, dtype)
    streams = len(states)
    # In memory, the same word of all streams is side by side.
    words = np.ascontiguousarray(states.T)
    steps = number // streams
    if steps:
        words = _draw(words, draws[: steps * streams].reshape(steps, streams))
    rest = number % streams
    if rest:
        some = _draw(words[:, :rest], draws[steps * streams :].reshape(1, rest))
        words = np.concatenate([some, words[:, rest:]], axis=1)
    return draws, words.T


# As many as there are low bits, in steps of the smallest float16.
_SCALE_OF_FLOAT16 = 511 * 2.0**-24


def _draw(words: Array, draws: Array) -> Array:
    """Fill ``draws``, ``(steps, streams)``, contiguous; the words ``(6, streams)``
    thereafter.
    """
    steps, streams = draws.shape
    element = {4: "float", 8: "double"}[draws.itemsize]
    function, width = _kernel(element)
    if streams < width:
        padded = np.zeros((6, width), np.int32)
        padded[:, :streams] = words
        more = np.empty((steps, width), draws.dtype)
        after = _draw(padded, more)
        draws[...] = more[:, :streams]
        return after[:, :streams]
    words = np.ascontiguousarray(words)
    after = np.empty_like(words)
    function(words.ctypes.data, after.ctypes.data, streams, steps, draws.ctypes.data)
    return after


@cache
def _kernel(element: str) -> tuple[Callable[..., None], int]:
    """The compiled loop over steps and streams, and of how many streams at least."""
    cpu = host()
    lanes, blocks = cpu.vector_bytes // 4, cpu.registers // 8
    width = lanes * blocks
    function = Function(
        f"mrg31k3p_{element}",
        {
            "words": "i32*",
            "after": "i32*",
            "streams": "i64",
            "steps": "i64",
            "draws": f"{element}*",
        },
    )
    arguments = function.arguments
    words, after, draws = (arguments[name] for name in ("words", "after", "draws"))
    streams, steps = arguments["streams"], arguments["steps"]
    ints = vector(lanes, "i32")
    last = streams - width
    with function.loop(0, streams, width) as start:
        # The last streams are drawn from twice, rather than apart.
        first = start.compare("slt", last).select(start, last)
        columns = [first + lanes * block for block in range(blocks)]
        state = [
            [
                function.variable(ints, words[streams * word + column].load(lanes))
                for word in range(6)
            ]
            for column in columns
        ]
        with function.loop(0, steps) as step:
            for column, block in zip(columns, state, strict=True):
                x1, x2, x3, y1, y2, y3 = (word.get() for word in block)
                x, y = _next_x(x2, x3), _next_y(y1, y3)
                for word, value in zip(block, (x, x1, x2, y, y1, y2), strict=True):
                    word.set(value)
                z = _difference(x, y)
                floats = z.convert("sitofp", vector(lanes, element))
                draws[step * streams + column].store(floats * _SCALE[element])
        for column, block in zip(columns, state, strict=True):
            for word, variable in enumerate(block):
                after[streams * word + column].store(variable.get())
    return compile_function(function), width


_SCALE = {
    "float": float(np.nextafter(np.float32(2.0**-31), np.float32(0))),
    "double": 2.0**-31,
}


def _next_x(x2: Value, x3: Value) -> Value:
    # Modulo 2^31 - 1, a product with 2^k is a rotation of 31 bits.
    return _add(_add(_rotate(x2, 22), _rotate(x3, 7), M1), x3, M1)


def _next_y(y1: Value, y3: Value) -> Value:
    # 2^15 (2^16 high + low) = 21069 high + 2^15 low modulo 2^31 - 21069.
    both = _add(y1, y3, M2)
    low = _wrapping("shl", both & (2**16 - 1), 15)
    return _add(_add(low, (both >> 16) * (2**31 - M2), M2), y3, M2)


def _difference(x: Value, y: Value) -> Value:
    """``x - y`` modulo ``M1``, from 1 to ``M1``."""
    less_one = _wrapping("sub", _wrapping("sub", x, y), 1)
    return _wrapping("add", _smaller(less_one, _wrapping("add", less_one, M1)), 1)


def _rotate(value: Value, places: int) -> Value:
    low = value & (2 ** (31 - places) - 1)
    return _wrapping("shl", low, places) | (value >> (31 - places))


def _add(a: Value, b: Value, modulus: int) -> Value:
    """The sum modulo ``modulus`` of two numbers that are below twice that together."""
    total = _wrapping("add", a, b)
    return _smaller(total, _wrapping("sub", total, modulus))


def _wrapping(operation: str, a: Value, b: Value | int) -> Value:
    """Arithmetic of unsigned integers, modulo 2^32."""
    operand = a.function.constant(b, a.type)
    return a.function.emit(a.type, f"{operation} {a.type} {a.text}, {operand}")


def _smaller(a: Value, b: Value) -> Value:
    """The smaller of two unsigned integers: of ``n`` and ``n - m``, n modulo m."""
    return a.compare("ult", b).select(a, b)


@cache
def _step_to_the(log2_draws: int) -> tuple[tuple[int, Array], ...]:
    """Both moduli, with the matrices of ``2**log2_draws`` draws."""
    if log2_draws == 0:
        return _STEP
    half = _step_to_the(log2_draws - 1)
    return tuple((modulus, _product(a, a, modulus)) for modulus, a in half)


def _product(a: Array, b: Array, modulus: int) -> Array:
    """``a @ b`` of residues; their products are below 2^62, so int64 holds them."""
    terms = a.astype(np.int64)[..., :, np.newaxis] * b % modulus
    return terms.sum(axis=-2) % modulus
