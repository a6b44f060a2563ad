"""Calls of kernels that are described once and made many times.

What a call of compiled code needs to be told is mostly addresses. They are the same
as the last time where inputs lie where they did and outputs may be written over what
they were: then nothing but the kernels themselves costs time.
"""

import ctypes
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from operator import eq
from sys import getrefcount
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.compiler import Kernel
from pytensor_nnet.kernels.llvm.memory import COUNTS_REFERENCES, address, allocate

__all__ = ["Launch", "Row", "run_at_once"]

Array = np.ndarray[Any, Any]
Row = tuple[float, ...]

# Bytes of outputs up to which a launch is worth to be kept.
_MOST_KEPT = 4 << 20


class Launch:
    """Calls of kernels, in order, and the outputs that they write.

    Parameters
    ----------
    inputs : sequence of array
    moving : int, optional
        The number of an input that may lie elsewhere the next time, in the same way:
        a batch is another part of the data each time. All that kernels are told of
        where it lies must come from :meth:`place`.

    Attributes
    ----------
    outputs : list of array or int
        An integer is the number of an input that is overwritten.
    after : callable or None
        Called after each run: it does what is left to do, or raises what a kernel
        cannot.
    """

    def __init__(self, inputs: Sequence[Array] = (), moving: int | None = None) -> None:
        self.moving = moving
        self.outputs: list[Array | int] = []
        self.after: Callable[[], None] | None = None
        self._start = self._end = 0
        if moving is not None:
            self._start, self._end = byte_bounds(inputs[moving])
            self._moved_to = address(inputs[moving])
        self._jobs: list[_Job] = []
        self._kept: list[Array] = []
        self._bytes = 0
        self._is_reusable = COUNTS_REFERENCES
        self._owners: list[Array] = []
        self._references: list[int] = []

    def allocate(self, shape: tuple[int, ...], dtype: Any) -> tuple[Array, int]:
        """An output or something between, and where it lies."""
        array, place = allocate(shape, dtype)
        self._kept.append(array)
        self._bytes += array.nbytes
        return array, place

    def scratch(self, size: int) -> int:
        """Where so many bytes are, of which a kernel has the use while it runs."""
        memory, place = _scratch(size)
        self._kept.append(memory)
        return place

    def in_order(self, array: Array, order: str = "C") -> Array:
        """The array, or a copy. Where there is one, this launch is good for once."""
        flags = array.flags
        if flags.f_contiguous if order == "F" else flags.c_contiguous:
            return array
        self._is_reusable = False
        copy = np.array(array, order=order)
        self._kept.append(copy)
        return copy

    def place(self, array: Array) -> int:
        """Where an array lies, which may be a part of the moving one."""
        found = address(array)
        return _Moving(found) if self._start <= found < self._end else found

    def move(self, place: int) -> None:
        """The moving input lies there now."""
        distance = place - self._moved_to
        if distance:
            self._moved_to = place
            for job in self._jobs:
                job.move(distance)

    def constant(self, array: Array) -> int:
        """Where an array lies that stays as it is."""
        self._kept.append(array)
        return address(array)

    def add(self, kernel: Kernel, rows: Sequence[Row], together: bool = True) -> None:
        """Call the kernel for each row of arguments, on all threads ``together``."""
        if rows:
            self._jobs.append(_Job(kernel, rows, together))

    def seal(self) -> None:
        """To be called when nobody else has the outputs."""
        arrays = [output for output in self.outputs if not isinstance(output, int)]
        self._owners = [*arrays, *(x.base for x in arrays if x.base is not None)]
        del arrays
        self._references = list(map(getrefcount, self._owners))

    def is_free(self) -> bool:
        """Whether it can be run again: nobody else has the outputs any more."""
        return self._is_reusable and all(
            map(eq, map(getrefcount, self._owners), self._references)
        )

    @property
    def is_worth_keeping(self) -> bool:
        return self._is_reusable and self._bytes <= _MOST_KEPT

    def run(self) -> None:
        for job in self._jobs:
            job.run()
        if self.after is not None:
            self.after()


def run_at_once(describe: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What ``describe`` returns, a function that adds to a launch, after a run."""
    launch = Launch()
    results = describe(launch, *arguments, **options)
    launch.run()
    return results


class _Moving(int):
    """An address that changes with that of the moving input."""


class _Job:
    """A kernel, and a table of arguments. It is what ``threads.run`` takes for a
    kernel of one argument, the number of a row.
    """

    __slots__ = ("_call", "_moving", "_place", "_rows", "_table", "_together", "task")

    def __init__(self, kernel: Kernel, rows: Sequence[Row], together: bool):
        self.task = kernel.task
        self._table = np.frombuffer(bytearray(kernel.table(rows)), np.int64)
        self._place = address(self._table)
        self._moving = [
            number
            for number, value in enumerate(chain.from_iterable(rows))
            if type(value) is _Moving
        ]
        self._call = _caller(kernel)
        self._rows = [(row,) for row in range(len(rows))]
        self._together = together and len(rows) > 1

    def move(self, distance: int) -> None:
        if self._moving:
            self._table[self._moving] += distance

    def table(self, rows: Any) -> int:
        return self._place

    def __call__(self, row: int) -> None:
        self._call(self._place, row)

    def run(self) -> None:
        if self._together:
            threads.run(self, self._rows)
        else:
            for (row,) in self._rows:
                self._call(self._place, row)


@lru_cache(1024)
def _caller(kernel: Kernel) -> Any:
    """A function of the address of a table and a row's number."""
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(kernel.task)
    call.kernel = kernel
    return call


_of_thread = threading.local()


def _scratch(size: int) -> tuple[Array, int]:
    """Memory that all kernels of a thread work with, one after the other."""
    memory, place = getattr(_of_thread, "scratch", (None, 0))
    if memory is None or memory.nbytes < size:
        memory, place = _of_thread.scratch = allocate((size,), np.uint8)
    return memory, place
