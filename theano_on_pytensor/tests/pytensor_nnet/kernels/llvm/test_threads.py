"""Every task is run once, whatever the number of threads."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

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


def run_tasks(add, tasks, times=1):
    """What ``tasks`` tasks add to a number each, from 0.5 on."""
    out = np.zeros(tasks)
    place = out.ctypes.data
    threads.run(add, [(place + 8 * task, task + 0.5, times) for task in range(tasks)])
    return out


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
