"""Runs tasks on all cores.

Which thread takes which task is left to chance, so a task must not depend on it.
Who waits looks for some microseconds whether there is something to do, then sleeps
on a lock: jobs that follow each other closely start at once, and on a busy machine
nobody spins.
"""

import ctypes
import os
import threading
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from pytensor_nnet.kernels.llvm import scheduler
from pytensor_nnet.kernels.llvm.memory import address, zeros

__all__ = ["Job", "Program", "at_once", "set_threads", "shares", "spans", "threads"]

# How often one looks before one sleeps: some 400 microseconds, so that a training loop
# in Python comes back in time.
_LOOKS = 20_000
_MOST_WORKERS = 63


def _default_threads() -> int:
    """``OMP_NUM_THREADS``, else one a core that this process may use."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked):
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_engine = cache(scheduler.load)


class _Pool:
    """Threads that wait for jobs, and the state that they share."""

    def __init__(self) -> None:
        self.in_use = threading.Lock()
        self._wake_caller = threading.Lock()
        self._wake_caller.acquire()
        self._wake_worker: list[threading.Lock] = []

    @cached_property
    def _state(self) -> np.ndarray:
        return zeros((scheduler.state_size(_MOST_WORKERS),), np.int64)

    @cached_property
    def _functions(self) -> tuple:
        integer, pointer = ctypes.c_int64, ctypes.c_void_p
        types = {
            "go": (pointer, pointer, integer, integer, integer, integer),
            "serve": (pointer, integer, integer),
        }
        functions = [
            ctypes.CFUNCTYPE(integer, *arguments)(_engine().get_function_address(name))
            for name, arguments in types.items()
        ]
        return (address(self._state), *functions)

    def run(self, jobs: int, count: int, workers: int) -> None:
        """So many jobs, described at an address, which need so many workers."""
        state, go, _ = self._functions
        alone = workers < 1 or not self.in_use.acquire(blocking=False)
        try:
            if not alone:
                while len(self._wake_worker) < workers:
                    self._add_worker()
            stopped = go(state, jobs, count, _LOOKS, 0, alone)
            while stopped:
                if stopped & scheduler.SLEEP:
                    self._wake_caller.acquire()
                else:
                    self._wake_workers(int(self._state[scheduler.SLEEPERS]))
                stopped = go(state, jobs, count, _LOOKS, stopped, alone)
        finally:
            if not alone:
                self.in_use.release()

    def _wake_workers(self, sleepers: int) -> None:
        for worker, wake in enumerate(self._wake_worker):
            if sleepers >> worker & 1:
                wake.release()

    def _add_worker(self) -> None:
        wake = threading.Lock()
        wake.acquire()
        self._wake_worker.append(wake)
        threading.Thread(
            target=self._serve, args=(len(self._wake_worker) - 1, wake), daemon=True
        ).start()

    def _serve(self, worker: int, wake: threading.Lock) -> None:
        state, _, serve = self._functions
        while True:
            if serve(state, worker, _LOOKS):
                self._wake_caller.release()
            else:
                wake.acquire()


_pool = _Pool()
_threads = _default_threads()


def _forget_workers() -> None:
    """A forked process has none of its parent's threads."""
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_workers)


def threads() -> int:
    """How many threads :func:`run` uses, the caller's among them."""
    return _threads


def set_threads(count: int) -> int:
    """Use so many threads from now on; returns how many it were before.

    Raises ``ValueError`` unless there is at least one.
    """
    global _threads
    if count < 1:
        raise ValueError(f"{count} threads were asked for; it must be at least 1")
    before, _threads = _threads, count
    return before


def spans(length: int, parts: int) -> list[tuple[int, int]]:
    """``range(length)`` in so many parts, or fewer, that are nearly equal."""
    parts = max(1, min(parts, length))
    ends = [length * part // parts for part in range(parts + 1)]
    return list(zip(ends, ends[1:], strict=False))


def shares(length: int, parts: int) -> list[tuple[int, int]]:
    """``range(length)`` in so many parts, or fewer, each smaller than the one before.

    A core may be slower than another, and for another reason each time: who still has
    a part when none is left has a small one.
    """
    parts = max(1, min(parts, length))
    whole = parts * (parts + 1)
    ends = [length * n * (2 * parts + 1 - n) // whole for n in range(parts + 1)]
    return [span for span in zip(ends, ends[1:], strict=False) if span[0] < span[1]]


class Job(NamedTuple):
    """Calls of a kernel.

    Attributes
    ----------
    task, table : int
        Addresses of :attr:`Kernel.task` and of what :meth:`Kernel.table` returned,
        which both must last as long as this is used.
    rows : int
        How many calls there are.
    together : bool
        Whether they are made on several threads at once.
    """

    task: int
    table: int
    rows: int
    together: bool


def at_once(jobs: Sequence[Job]) -> tuple[Job, np.ndarray]:
    """One job of all rows of several, and its table, which must last as long."""
    rows = [(job.task, job.table, row) for job in jobs for row in range(job.rows)]
    table = np.array(rows, np.int64).reshape(-1, scheduler.EACH_FIELDS)
    task = _engine().get_function_address("each")
    return Job(task, address(table), len(rows), together=True), table


class Program:
    """Jobs that are run one after the other, on as many threads as there are now."""

    def __init__(self, jobs: Iterable[Job]):
        rows = [
            (task, table, rows, min(_threads, rows, _MOST_WORKERS + 1) - 1)
            if together
            else (task, table, rows, 0)
            for task, table, rows, together in jobs
        ]
        self._jobs = np.array(rows, np.int64).reshape(-1, scheduler.JOB_FIELDS)
        self._place = address(self._jobs)
        self._workers = max((workers for *_, workers in rows), default=0)

    def run(self) -> None:
        _pool.run(self._place, len(self._jobs), self._workers)
