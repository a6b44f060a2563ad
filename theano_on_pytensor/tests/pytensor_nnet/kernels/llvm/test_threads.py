"""Every task is run once, whatever the number of threads."""

import ctypes
import os
import subprocess
import sys
import threading
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.compiler import compile_function
from pytensor_nnet.kernels.llvm.ir import Function


@pytest.fixture(params=[1, 2, 4])
def count(request):
    before = threads.set_threads(request.param)
    yield request.param
    threads.set_threads(before)


@pytest.fixture(scope="module")
def add():
    """``add(place, number, times)``: adds a number so many times."""
    function = Function("add", {"out": "double*", "number": "float", "times": "i64"})
    out, number, times = function.arguments.values()
    with function.loop(0, times):
        out.store(out.load() + number.convert("fpext", "double"))
    return compile_function(function)


def run_jobs(add, jobs, times=1):
    """What each task of each job adds to a number, from 0.5 on.

    A job is a number of tasks, and whether they are run on several threads.
    """
    out = np.zeros(max((tasks for tasks, _ in jobs), default=0))
    place = out.ctypes.data
    tables = [
        ctypes.create_string_buffer(
            add.table([(place + 8 * i, i + 0.5, times) for i in range(tasks)])
        )
        for tasks, _ in jobs
    ]
    program = threads.Program(
        threads.Job(add.task, ctypes.addressof(table), tasks, together)
        for table, (tasks, together) in zip(tables, jobs, strict=True)
    )
    program.run()
    return out


def run_tasks(add, tasks, times=1):
    return run_jobs(add, [(tasks, True)], times)


@pytest.mark.parametrize("tasks", [0, 1, 3, 100])
@pytest.mark.parametrize("times", [1, 1000])
def test_every_task_is_run_once(add, count, tasks, times):
    for _ in range(20):
        result = run_tasks(add, tasks, times)
        assert result.tolist() == [times * (task + 0.5) for task in range(tasks)]


def test_jobs_that_follow_each_other_closely_and_after_a_rest(add, count):
    for rest in (0, 0.0001, 0.001, 0.02):
        for _ in range(10):
            threading.Event().wait(rest)
            assert run_tasks(add, 7).tolist() == [task + 0.5 for task in range(7)]


@pytest.mark.parametrize("rest", [0, 0.02])
@pytest.mark.parametrize("times", [1, 100_000])
def test_jobs_of_one_program(add, count, times, rest, monkeypatch):
    """The next begins when the last is done, whoever slept meanwhile."""
    monkeypatch.setattr(threads, "_LOOKS", 1 if rest else threads._LOOKS)
    jobs = [(3, True), (5, False), (1, True), (0, True), (7, True), (0, False)]
    for _ in range(5):
        threading.Event().wait(rest)
        result = run_jobs(add, jobs, times)
        of_task = [sum(tasks > task for tasks, _ in jobs) for task in range(7)]
        assert result.tolist() == [
            n * times * (task + 0.5) for task, n in enumerate(of_task)
        ]
    assert run_jobs(add, []).tolist() == []


def test_jobs_at_once(add, count):
    tasks, times = [3, 1, 20], 1000
    out = np.zeros(sum(tasks))
    rows, tables, jobs = iter(range(len(out))), [], []
    for size in tasks:
        table = add.table(
            [(out.ctypes.data + 8 * i, i + 0.5, times) for i in islice(rows, size)]
        )
        tables.append(ctypes.create_string_buffer(table))
        jobs.append(threads.Job(add.task, ctypes.addressof(tables[-1]), size, False))
    job, table = threads.at_once(jobs)
    assert job.rows == len(table) == len(out)
    threads.Program([job]).run()
    assert out.tolist() == [times * (i + 0.5) for i in range(len(out))]


@given(length=st.integers(0, 300), parts=st.integers(0, 40))
@pytest.mark.parametrize("divide", [threads.spans, threads.shares])
def test_all_is_in_one_part(divide, length, parts):
    found = divide(length, parts)
    assert [i for span in found for i in range(*span)] == list(range(length))
    assert len(found) <= max(1, parts)
    sizes = [last - first for first, last in found]
    if length:
        assert min(sizes) > 0
    if divide is threads.shares:
        assert all(other <= one + 1 for one, other in pairwise(sizes))
    else:
        assert not sizes or max(sizes) <= min(sizes) + 1


def test_several_callers_at_once(add):
    """One has the workers, the others do their tasks themselves."""
    before = threads.set_threads(3)
    wrong = []

    def call():
        for _ in range(300):
            if run_tasks(add, 5, 10).tolist() != [10 * (t + 0.5) for t in range(5)]:
                wrong.append(1)

    try:
        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    finally:
        threads.set_threads(before)
    assert not wrong


def test_the_number_of_threads_may_change(add):
    before = threads.threads()
    try:
        for count in (4, 1, 3, 2, 4):
            threads.set_threads(count)
            assert run_tasks(add, 9).tolist() == [task + 0.5 for task in range(9)]
    finally:
        threads.set_threads(before)


def test_at_least_one_thread_is_needed():
    with pytest.raises(ValueError, match="0 threads were asked for"):
        threads.set_threads(0)


@pytest.mark.parametrize(("asked", "got"), [("3", 3), ("", None)])
def test_omp_num_threads_is_honoured(asked, got):
    program = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from pytensor_nnet.kernels.llvm import threads; print(threads.threads())"
    )
    output = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "OMP_NUM_THREADS": asked},
        capture_output=True,
        check=True,
    ).stdout
    if got is None:
        got = (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count()
        )
    assert int(output) == got


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_forked_process_has_workers_of_its_own(add):
    before = threads.set_threads(2)
    try:
        run_tasks(add, 2)
        child = os.fork()
        if not child:
            os._exit(int(run_tasks(add, 5).sum()))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 12
    finally:
        threads.set_threads(before)
