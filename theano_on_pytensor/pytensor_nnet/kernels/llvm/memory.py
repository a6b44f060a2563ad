"""Arrays that begin where a cache line does, and their addresses."""

import ctypes
from math import prod
from typing import Any

import numpy as np

__all__ = ["address", "allocate", "empty", "zeros"]

_LINE = 64


def allocate(shape: tuple[int, ...], dtype: Any) -> tuple[np.ndarray, int]:
    """An uninitialised array in C order, and where it lies."""
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    memory = np.empty(size + _LINE, np.uint8)
    place = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    start = -place % _LINE
    return memory[start : start + size].view(dtype).reshape(shape), place + start


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An uninitialised array in C order."""
    return allocate(shape, dtype)[0]


def zeros(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array of zeros in C order."""
    array = empty(shape, dtype)
    array.fill(0)
    return array


def address(array: np.ndarray) -> int:
    """Where the array's first element lies."""
    return array.__array_interface__["data"][0]
