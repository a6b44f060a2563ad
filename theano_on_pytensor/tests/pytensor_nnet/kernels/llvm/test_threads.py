"""Every task is run once, whatever the number of threads."""

import os
import subprocess
import sys
import threading
from time import sleep

import pytest

from pytensor_nnet.kernels.llvm import threads


@pytest.fixture(params=[1, 2, 4])
def count(request):
    before = threads.set_threads(request.param)
    yield request.param
    threads.set_threads(before)


@pytest.mark.parametrize("tasks", [0, 1, 3, 100])
def test_every_task_is_run_once(count, tasks):
    done = []
    threads.run(done.append, [(i,) for i in range(tasks)])
    assert sorted(done) == list(range(tasks))


def test_several_threads_take_part():
    before = threads.set_threads(3)
    try:
        seen = set()
        threads.run(
            lambda _: (seen.add(threading.get_ident()), sleep(0.05)),
            [(i,) for i in range(3)],
        )
    finally:
        threads.set_threads(before)
    assert len(seen) == 3


def test_an_error_reaches_the_caller_and_work_goes_on(count):
    def fail(task):
        raise ValueError(f"task {task}")

    for _ in range(3):
        with pytest.raises(ValueError, match="task"):
            threads.run(fail, [(i,) for i in range(8)])
    done = []
    threads.run(done.append, [(i,) for i in range(8)])
    assert len(done) == 8


def test_a_task_may_run_tasks(count):
    done = []
    threads.run(
        lambda i: threads.run(done.append, [(i,), (i + 10,)]), [(0,), (1,), (2,)]
    )
    assert sorted(done) == [0, 1, 2, 10, 11, 12]


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
def test_a_forked_process_has_workers_of_its_own():
    before = threads.set_threads(2)
    try:
        threads.run(lambda i: None, [(0,), (1,)])
        child = os.fork()
        if not child:
            done = []
            threads.run(done.append, [(i,) for i in range(5)])
            os._exit(len(done))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
    finally:
        threads.set_threads(before)
