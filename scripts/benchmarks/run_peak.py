"""Measures how fast this CPU multiplies and adds, in float32.

In registers alone: chains of fused multiplications and additions that do not
depend on each other, more than the CPU can have under way.
"""

import threading
import time

import job as jobs
import numpy as np

from pytensor_nnet.kernels.llvm.compiler import compile_function, host
from pytensor_nnet.kernels.llvm.ir import Function, vector

job = jobs.read()
cpu = host()
lanes = cpu.lanes("float")
chains = min(24, cpu.registers - 4)
function = Function("multiply_add", {"x": "float*", "rounds": "i64"})
x = function.arguments["x"]
a, b = (x[i].load_all(lanes) for i in (0, 1))
sums = [function.variable(vector(lanes, "float"), b) for _ in range(chains)]
with function.loop(0, function.arguments["rounds"]):
    for one in sums:
        one.set(function.multiply_add(one.get(), a, b))
total = sums[0].get()
for one in sums[1:]:
    total = total + one.get()
x.store(total)
multiply_add = compile_function(function)


def seconds(threads, rounds):
    """How long it takes so many threads to do so many rounds each."""
    arrays = [np.array([0.5] * 64, "float32") for _ in range(threads)]
    workers = [
        threading.Thread(target=multiply_add, args=(array.ctypes.data, rounds))
        for array in arrays
    ]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - start


seconds(1, 100_000)  # until the clock is up
rounds = int(0.05 * 1_000_000 / seconds(1, 1_000_000))
with jobs.Stopwatch() as watch:
    best = min(seconds(job["threads"], rounds) for _ in range(10))
jobs.write(
    {
        "flop_per_second": 2 * lanes * chains * rounds * job["threads"] / best,
        "cores_of_others": watch.cores_of_others,
    }
)
