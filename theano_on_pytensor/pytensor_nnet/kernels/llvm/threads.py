"""Runs tasks on all cores, waiting passively.

Who waits sleeps on a lock: on a busy machine nobody spins. Which thread takes
which task is left to chance, so a task must not depend on it.
"""

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["run", "set_threads", "threads"]


def _default_threads() -> int:
    """``OMP_NUM_THREADS``, else one a core that this process may use."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked):
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Worker:
    """A thread that sleeps until it is given a job."""

    def __init__(self) -> None:
        self._job: Callable[[], None] | None = None
        self._error: BaseException | None = None
        self._start, self._done = threading.Lock(), threading.Lock()
        self._start.acquire()
        self._done.acquire()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            self._start.acquire()
            try:
                self._job()
            except BaseException as error:
                self._error = error
            self._done.release()

    def begin(self, job: Callable[[], None]) -> None:
        self._job, self._error = job, None
        self._start.release()

    def finish(self) -> BaseException | None:
        """Wait for the job; returns what it raised."""
        self._done.acquire()
        return self._error


_workers: list[_Worker] = []
_in_use = threading.Lock()
_threads = _default_threads()


def _forget_workers() -> None:
    """A forked process has none of its parent's threads."""
    global _in_use
    _workers.clear()
    _in_use = threading.Lock()


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


def run(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> None:
    """Call ``function(*task)`` for each task, on several threads at once."""
    helpers = min(_threads, len(tasks)) - 1
    if helpers < 1 or not _in_use.acquire(blocking=False):
        for task in tasks:
            function(*task)
        return
    try:
        remaining = iter(tasks)

        def work() -> None:
            # An iterator of a list is advanced by one thread at a time.
            for task in remaining:
                function(*task)

        while len(_workers) < helpers:
            _workers.append(_Worker())
        begun = _workers[:helpers]
        for worker in begun:
            worker.begin(work)
        try:
            work()
        finally:
            errors = [worker.finish() for worker in begun]
        for error in filter(None, errors):
            raise error
    finally:
        _in_use.release()
