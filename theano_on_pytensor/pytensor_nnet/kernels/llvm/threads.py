"""Runs tasks on all cores.

Which thread takes which task is left to chance, so a task must not depend on it.
Who waits looks for some microseconds whether there is something to do, then sleeps
on a lock: jobs that follow each other closely start at once, and on a busy machine
nobody spins.
"""

import ctypes
import os
import threading
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from pytensor_nnet.kernels.llvm import scheduler
from pytensor_nnet.kernels.llvm.compiler import Kernel
from pytensor_nnet.kernels.llvm.memory import address, zeros

__all__ = ["run", "set_threads", "spans", "threads"]

# How often one looks before one sleeps: some 200 microseconds.
_LOOKS = 10_000
_MOST_WORKERS = 63


def _default_threads() -> int:
    """``OMP_NUM_THREADS``, else one a core that this process may use."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked):
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
        engine = scheduler.load()
        integer, pointer = ctypes.c_int64, ctypes.c_void_p
        types = {
            "publish": (pointer, pointer, pointer, integer, integer),
            "work": (pointer, integer),
            "serve": (pointer, integer, integer),
        }
        functions = [
            ctypes.CFUNCTYPE(integer, *arguments)(engine.get_function_address(name))
            for name, arguments in types.items()
        ]
        return (address(self._state), engine, *functions)

    def run(self, task: int, table: bytes | int, tasks: int, workers: int) -> None:
        state, _, publish, work, _ = self._functions
        while len(self._wake_worker) < workers:
            self._add_worker()
        sleepers = publish(state, task, table, tasks, workers)
        for worker in range(workers):
            if sleepers >> worker & 1:
                self._wake_worker[worker].release()
        if not work(state, _LOOKS):
            self._wake_caller.acquire()

    def _add_worker(self) -> None:
        wake = threading.Lock()
        wake.acquire()
        self._wake_worker.append(wake)
        threading.Thread(
            target=self._serve, args=(len(self._wake_worker) - 1, wake), daemon=True
        ).start()

    def _serve(self, worker: int, wake: threading.Lock) -> None:
        state, _, _, _, serve = self._functions
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


def run(kernel: Kernel, tasks: Sequence[tuple[float, ...]]) -> None:
    """Call ``kernel(*task)`` for each task, on several threads at once."""
    workers = min(_threads, len(tasks), _MOST_WORKERS + 1) - 1
    pool = _pool
    if workers < 1 or not pool.in_use.acquire(blocking=False):
        for task in tasks:
            kernel(*task)
        return
    try:
        pool.run(kernel.task, kernel.table(tasks), len(tasks), workers)
    finally:
        pool.in_use.release()
