"""Calls of kernels that are described once and made many times.

What a call of compiled code needs to be told is mostly addresses. The next time only
those of inputs that lie elsewhere are others, as long as outputs may be written over
what they were: then nothing but the kernels themselves costs time.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from pytensor_nnet.kernels.llvm.compiler import Kernel
from pytensor_nnet.kernels.llvm.layer import round_up
from pytensor_nnet.kernels.llvm.memory import COUNTS_REFERENCES, address, allocate
from pytensor_nnet.kernels.llvm.threads import Job, Program, at_once

__all__ = ["Launch", "Row", "Slots", "run_at_once"]

Array = np.ndarray[Any, Any]
Row = tuple[float, ...]
# A table of arguments, and the numbers of some of them.
Slots = tuple[memoryview, list[int]]

# Bytes of outputs up to which a launch is worth to be kept.
_MOST_KEPT = 4 << 20


class Launch:
    """Calls of kernels, in order, and the outputs that they write.

    Attributes
    ----------
    jobs : list of Job
        The calls.
    outputs : list of array or int
        An integer is the number of an input that is overwritten.
    after : callable or None
        Called after each run: it does what is left to do, or raises what a kernel
        cannot.
    """

    def __init__(self) -> None:
        self.outputs: list[Array | int] = []
        self.after: Callable[[], None] | None = None
        self.jobs: list[Job] = []
        self._calls: list[_Call] = []
        self._kept: list[Array] = []
        self._bytes = 0
        self._is_reusable = COUNTS_REFERENCES
        # Whether scratch memory that was given out is in use, and how much is.
        self._at_once, self._in_use = False, 0

    def allocate(self, shape: tuple[int, ...], dtype: Any) -> tuple[Array, int]:
        """An output or something between, and where it lies."""
        array, place = allocate(shape, dtype)
        self._kept.append(array)
        self._bytes += array.nbytes
        return array, place

    def scratch(self, size: int) -> int:
        """Where so many bytes are, of which a kernel has the use while it runs."""
        memory, place = _scratch(self._in_use + size)
        self._kept.append(memory)
        place += self._in_use
        if self._at_once:
            self._in_use += round_up(size, 64)
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

    def constant(self, array: Array) -> int:
        """Where an array lies that stays as it is."""
        self._kept.append(array)
        return address(array)

    def add(self, kernel: Kernel, rows: Sequence[Row], together: bool = True) -> None:
        """Call the kernel for each row of arguments, on all threads ``together``."""
        if rows:
            call = _Call(kernel, rows, together)
            self._calls.append(call)
            self.jobs.append(call.job)

    @contextmanager
    def at_once(self, together: bool = True) -> Iterator[None]:
        """What is added meanwhile is called at once, on all threads ``together``. No
        kernel may need what another of them writes.
        """
        before = len(self.jobs)
        self._at_once = together
        yield
        self._at_once, self._in_use = False, 0
        if together and len(self.jobs) > before + 1:
            job, table = at_once(self.jobs[before:])
            self._kept.append(table)
            self.jobs[before:] = [job]

    def slots(self, begin: int, end: int) -> list[Slots]:
        """Where kernels are told of a place from ``begin`` up to ``end``."""
        found = ((call.table, call.slots(begin, end)) for call in self._calls)
        return [(table, numbers) for table, numbers in found if numbers]

    @property
    def is_worth_keeping(self) -> bool:
        return self._is_reusable and self._bytes <= _MOST_KEPT

    def run(self) -> None:
        Program(self.jobs).run()
        if self.after is not None:
            self.after()


def run_at_once(describe: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What ``describe`` returns, a function that adds to a launch, after a run."""
    launch = Launch()
    results = describe(launch, *arguments, **options)
    launch.run()
    return results


class _Call:
    """A kernel, and a table of arguments."""

    __slots__ = ("_kernel", "job", "table")

    def __init__(self, kernel: Kernel, rows: Sequence[Row], together: bool):
        self._kernel = kernel
        table = bytearray(kernel.table(rows))
        self.table = memoryview(table).cast("q")
        place = address(np.frombuffer(table, np.uint8))
        self.job = Job(kernel.task, place, len(rows), together)

    def slots(self, begin: int, end: int) -> list[int]:
        """The numbers of the arguments that are addresses within these bounds."""
        table = np.array(self.table)
        inside = (begin <= table) & (table < end)
        inside &= np.tile(self._kernel.is_address, self.job.rows)
        return np.flatnonzero(inside).tolist()


_of_thread = threading.local()


def _scratch(size: int) -> tuple[Array, int]:
    """Memory that all kernels of a thread work with, one after the other."""
    memory, place = getattr(_of_thread, "scratch", (None, 0))
    if memory is None or memory.nbytes < size:
        memory, place = _of_thread.scratch = allocate((size,), np.uint8)
    return memory, place
