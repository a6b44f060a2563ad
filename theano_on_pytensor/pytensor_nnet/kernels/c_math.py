"""Arithmetic to the last bit as compiled C has it.

NumPy's own logarithms, sines and cosines are faster, and differ from the C
library's in their last places from one kind of CPU to another; and it rounds a
product before it adds to it, where C compilers round once.
"""

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from pytensor_nnet.kernels.llvm.compiler import compile_function, host
from pytensor_nnet.kernels.llvm.ir import Function, vector

__all__ = ["FUNCTIONS", "call", "multiply_add"]

Array = np.ndarray[Any, Any]

FUNCTIONS = ("cos", "log", "sin")

_ELEMENTS = {"float32": ("float", "f32"), "float64": ("double", "f64")}


def call(name: str, numbers: Array) -> Array:
    """One of the C library's ``FUNCTIONS`` of each number, float32 or float64."""
    numbers = np.ascontiguousarray(numbers)
    out = np.empty_like(numbers)
    addresses = (numbers.ctypes.data, out.ctypes.data)
    _function_kernel(name, numbers.dtype.name)(*addresses, numbers.size)
    return out


def multiply_add(a: Array, b: Array, c: Array) -> Array:
    """``a * b + c`` as of real numbers, rounded to the nearest of their dtype.

    The arrays broadcast; all are float32, or all float64.
    """
    shape = np.broadcast_shapes(a.shape, b.shape, c.shape)
    out = np.empty(shape, a.dtype)
    terms = [np.ascontiguousarray(np.broadcast_to(term, shape)) for term in (a, b, c)]
    addresses = (term.ctypes.data for term in (*terms, out))
    _multiply_add_kernel(a.dtype.name)(*addresses, out.size)
    return out


@cache
def _function_kernel(name: str, dtype: str) -> Callable[..., None]:
    element, suffix = _ELEMENTS[dtype]
    symbol = name + ("f" if dtype == "float32" else "")
    if sys.platform == "win32":
        # Elsewhere the symbols of the C library are those of the process.
        c_library = ctypes.CDLL("ucrtbase")
        address = ctypes.cast(getattr(c_library, symbol), ctypes.c_void_p).value
        llvm.add_symbol(symbol, address)
    function = Function(
        f"each_{name}_{suffix}",
        {"numbers": f"{element}*", "out": f"{element}*", "size": "i64"},
    )
    numbers, out, size = function.arguments.values()
    with function.loop(0, size) as place:
        number = numbers[place].load()
        out[place].store(function.call(element, symbol, f"{element} {number.text}"))
    return compile_function(function)


@cache
def _multiply_add_kernel(dtype: str) -> Callable[..., None]:
    element, suffix = _ELEMENTS[dtype]
    arguments = dict.fromkeys(("a", "b", "c", "out"), f"{element}*")
    function = Function(f"multiply_add_{suffix}", {**arguments, "size": "i64"})
    *terms, out, size = function.arguments.values()
    lanes = host().lanes(element)
    whole = size - size % lanes
    for start, stop, width in ((0, whole, lanes), (whole, size, 1)):
        type_ = vector(width, element)
        with function.loop(start, stop, width) as place:
            operands = [f"{type_} {term[place].load(width).text}" for term in terms]
            name = f"llvm.fma.v{width}{suffix}"
            out[place].store(function.call(type_, name, *operands))
    return compile_function(function)
