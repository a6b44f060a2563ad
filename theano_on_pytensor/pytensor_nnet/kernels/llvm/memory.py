"""Arrays that begin where a cache line does, and their addresses."""

import ctypes
import sys
import threading
from math import prod
from typing import Any

import numpy as np

__all__ = ["COUNTS_REFERENCES", "address", "allocate", "empty", "zeros"]

_LINE = 64
# Bytes of a block that is kept, and how many blocks there are at most.
_LARGE = 1 << 20
_MOST_BLOCKS = 48
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


class _Store:
    """Large blocks of memory, used again once no array lies in them.

    The system clears each page that it hands out, which takes longer than to fill
    it; a program that trains asks for the same sizes again and again.
    """

    def __init__(self) -> None:
        self._blocks: list[np.ndarray] = []
        self._lock = threading.Lock()

    def get(self, size: int) -> np.ndarray:
        """A block of so many bytes or a few more."""
        with self._lock:
            for number, block in enumerate(self._blocks):
                if (
                    size <= len(block) <= size + size // 8
                    and COUNTS_REFERENCES
                    and sys.getrefcount(block) <= _OWN_REFERENCES
                ):
                    self._blocks.append(self._blocks.pop(number))
                    return block
            block = np.empty(size, np.uint8)
            self._blocks.append(block)
            del self._blocks[:-_MOST_BLOCKS]
            return block


def _own_references() -> int:
    """Those to what a list holds, seen within a loop over it."""
    for _, block in enumerate([np.empty(1)]):
        return sys.getrefcount(block)
    return 0


COUNTS_REFERENCES = (
    sys.implementation.name == "cpython"
    and getattr(sys, "_is_gil_enabled", lambda: True)()
)
"""Whether ``sys.getrefcount`` tells that nobody else has an array."""
_OWN_REFERENCES = _own_references() if COUNTS_REFERENCES else 0
_store = _Store()


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An uninitialised array in C order."""
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize + _LINE
    memory = np.empty(size, np.uint8) if size < _LARGE else _store.get(size)
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
