"""Arrays that begin where a cache line does, and their addresses."""

import ctypes
import sys
from math import prod
from typing import Any

import numpy as np

__all__ = ["address", "allocate", "empty", "zeros"]

_LINE = 64
# An object's head; in an array, the address of its data comes next.
_HEAD = object.__basicsize__
_size_at = ctypes.c_size_t.from_address


def _asked_address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def _read_address(array: np.ndarray) -> int:
    """Where the array's first element lies. It must be an array, not what only
    behaves as one.
    """
    return _size_at(id(array) + _HEAD).value


def _can_be_read() -> bool:
    probe = np.zeros(2)
    return sys.implementation.name == "cpython" and all(
        _read_address(array) == _asked_address(array) for array in (probe, probe[1:])
    )


address = _read_address if _can_be_read() else _asked_address


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An uninitialised array in C order."""
    dtype = np.dtype(dtype)
    memory = np.empty(prod(shape) * dtype.itemsize + _LINE, np.uint8)
    return np.ndarray(shape, dtype, memory, -address(memory) % _LINE)


def allocate(shape: tuple[int, ...], dtype: Any) -> tuple[np.ndarray, int]:
    """An uninitialised array in C order, and where it lies."""
    array = empty(shape, dtype)
    return array, address(array)


def zeros(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array of zeros in C order."""
    array = empty(shape, dtype)
    array.fill(0)
    return array
