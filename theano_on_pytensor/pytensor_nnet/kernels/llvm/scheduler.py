"""The part of :mod:`pytensor_nnet.kernels.llvm.threads` that is compiled.

One thread, the caller, publishes one job after the other: a function, a table and a
number of tasks. It and the workers claim tasks one by one until none is left. All of
it happens without Python's global lock. Who has nothing to do looks again for a
bounded time, then returns to Python to sleep on a lock.

The state is an array of 64-bit integers, what is written often on a cache line of
its own:

- ``WORD``: the number of the job and that of the next task, 32 bits each, in one
  integer, so that a task is claimed only of the job that one has read. While a job
  is being described the task's number is ``CLOSED``.
- ``JOB``: function, table, tasks, workers; workers to be woken.
- ``DONE``: how many tasks are done.
- ``CALLER``: 1 while the caller sleeps.
- ``WORKERS + LINE * i``: for each worker, 1 while it sleeps; the job it saw last.
"""

from pytensor_nnet.kernels.llvm.compiler import host, load_module

__all__ = [
    "EACH_FIELDS",
    "JOB_FIELDS",
    "SLEEP",
    "SLEEPERS",
    "WAKE",
    "load",
    "state_size",
]

LINE = 8
WORD, JOB, DONE, CALLER, WORKERS = (LINE * line for line in range(5))
SLEEPERS = JOB + 4
_CLOSED = 0xFFFFFFFF
# A job as `go` reads it: function, table, tasks, workers.
JOB_FIELDS = 4
# A row of what `each` reads.
EACH_FIELDS = 3
# What `go` returns says where it stopped, and in its last bits why.
SLEEP, WAKE = 1, 2
_REASONS = 3

# What tells a CPU that its thread only waits.
_YIELD = ("declare void @llvm.aarch64.hint(i32)", "call void @llvm.aarch64.hint(i32 1)")
_PAUSES = {
    "x86_64": (
        "declare void @llvm.x86.sse2.pause()",
        "call void @llvm.x86.sse2.pause()",
    ),
    "aarch64": _YIELD,
    "arm64": _YIELD,
}


def state_size(workers: int) -> int:
    """How many integers the state of so many workers is."""
    return WORKERS + LINE * workers


def load():
    """An engine that holds ``go``, ``serve`` and ``each``.

    ``go(state, jobs, count, looks, stopped, alone)``
        The caller's part: so many jobs, from the first, ``stopped`` 0, or from where
        a call before stopped; all of them by itself if it is to be ``alone``.
        Returns 0 when they are done. Else it is to be called again with what it
        returned: with ``SLEEP`` in it when a worker has woken the caller, with
        ``WAKE`` in it when those workers are woken for which there is a bit at
        ``SLEEPERS``.
    ``serve(state, worker, looks)``
        A worker's part. Returns 0 when the worker is to sleep, 1 when it is to wake
        the caller and to come again.
    ``each(table, row)``
        The task of a job that is made of several: a row is a function, its table
        and its row.
    """
    return load_module("scheduler", _text(host().architecture))


def _text(architecture: str) -> str:
    declaration, pause = _PAUSES.get(architecture, ("", ""))
    fields = f"""
  %word.at = getelementptr i64, ptr %state, i64 {WORD}
  %function.at = getelementptr i64, ptr %state, i64 {JOB}
  %table.at = getelementptr i64, ptr %state, i64 {JOB + 1}
  %tasks.at = getelementptr i64, ptr %state, i64 {JOB + 2}
  %workers.at = getelementptr i64, ptr %state, i64 {JOB + 3}
  %done.at = getelementptr i64, ptr %state, i64 {DONE}
  %caller.at = getelementptr i64, ptr %state, i64 {CALLER}"""
    worker = f"""
  %lines = mul i64 %worker, {LINE}
  %line = add i64 %lines, {WORKERS}
  %asleep.at = getelementptr i64, ptr %state, i64 %line
  %seen.at = getelementptr i64, ptr %asleep.at, i64 1"""
    # Claims a task of the job whose number is %job and runs it, or goes on at %none.
    claim = """
claim:
  %claimed = load atomic i64, ptr %word.at acquire, align 8
  %claimed.job = lshr i64 %claimed, 32
  %same = icmp eq i64 %claimed.job, %job
  br i1 %same, label %read, label %none
read:
  %task = and i64 %claimed, 4294967295
  %tasks = load atomic i64, ptr %tasks.at monotonic, align 8
  %function = load atomic ptr, ptr %function.at monotonic, align 8
  %table = load atomic ptr, ptr %table.at monotonic, align 8
  %left = icmp ult i64 %task, %tasks
  br i1 %left, label %take, label %none
take:
  %following = add i64 %claimed, 1
  %taken = cmpxchg ptr %word.at, i64 %claimed, i64 %following acq_rel acquire
  %won = extractvalue { i64, i1 } %taken, 1
  br i1 %won, label %run, label %claim
run:
  call void %function(ptr %table, i64 %task)
  %before = atomicrmw add ptr %done.at, i64 1 seq_cst, align 8
  br label %ran"""
    return f"""{declaration}
define void @each(ptr %table, i64 %row) nounwind {{
  %fields = mul i64 %row, {EACH_FIELDS}
  %function.at = getelementptr i64, ptr %table, i64 %fields
  %table.at = getelementptr i64, ptr %function.at, i64 1
  %row.at = getelementptr i64, ptr %function.at, i64 2
  %function = load ptr, ptr %function.at
  %table.of = load ptr, ptr %table.at
  %row.of = load i64, ptr %row.at
  call void %function(ptr %table.of, i64 %row.of)
  ret void
}}

define i64 @go(
    ptr %state, ptr %jobs, i64 %count, i64 %looks, i64 %stopped, i64 %alone) nounwind {{
entry:
  %reason = and i64 %stopped, {_REASONS}
  %from = lshr i64 %stopped, {_REASONS.bit_length()}
  %shared.alone = icmp eq i64 %alone, 0
  %woken = icmp eq i64 %reason, {WAKE}
  br i1 %woken, label %work, label %next
next:
  %position = phi i64 [ %from, %entry ], [ %following, %done ]
  %more = icmp slt i64 %position, %count
  br i1 %more, label %job, label %exit
job:
  %fields = mul i64 %position, {JOB_FIELDS}
  %function.in = getelementptr ptr, ptr %jobs, i64 %fields
  %table.in = getelementptr ptr, ptr %function.in, i64 1
  %tasks.in = getelementptr i64, ptr %function.in, i64 2
  %workers.in = getelementptr i64, ptr %function.in, i64 3
  %function = load ptr, ptr %function.in
  %table = load ptr, ptr %table.in
  %tasks = load i64, ptr %tasks.in
  %workers = load i64, ptr %workers.in
  %wanted = icmp sgt i64 %workers, 0
  %together = and i1 %wanted, %shared.alone
  br i1 %together, label %share, label %task
task:
  %number = phi i64 [ 0, %job ], [ %number.next, %run ]
  %left = icmp slt i64 %number, %tasks
  br i1 %left, label %run, label %done
run:
  call void %function(ptr %table, i64 %number)
  %number.next = add i64 %number, 1
  br label %task
share:
  %sleepers = call i64 @publish(
      ptr %state, ptr %function, ptr %table, i64 %tasks, i64 %workers)
  %awake = icmp eq i64 %sleepers, 0
  br i1 %awake, label %work, label %wake
wake:
  %sleepers.at = getelementptr i64, ptr %state, i64 {SLEEPERS}
  store i64 %sleepers, ptr %sleepers.at
  br label %stop
work:
  %working = phi i64 [ %from, %entry ], [ %position, %share ]
  %finished = call i64 @work(ptr %state, i64 %looks)
  %all = icmp eq i64 %finished, 1
  br i1 %all, label %done, label %sleep
done:
  %ran = phi i64 [ %position, %task ], [ %working, %work ]
  %following = add i64 %ran, 1
  br label %next
sleep:
  %after = add i64 %working, 1
  br label %stop
stop:
  %at = phi i64 [ %position, %wake ], [ %after, %sleep ]
  %why = phi i64 [ {WAKE}, %wake ], [ {SLEEP}, %sleep ]
  %shifted = shl i64 %at, {_REASONS.bit_length()}
  %code = or i64 %shifted, %why
  ret i64 %code
exit:
  ret i64 0
}}

; Returns a bit for each worker that sleeps and is to be woken.
define internal i64 @publish(
    ptr %state, ptr %function, ptr %table, i64 %tasks, i64 %workers) nounwind {{
entry:{fields}
  %last = load atomic i64, ptr %word.at acquire, align 8
  %last.job = lshr i64 %last, 32
  %job = add i64 %last.job, 1
  %opened = shl i64 %job, 32
  %closed = or i64 %opened, {_CLOSED}
  store atomic i64 %closed, ptr %word.at seq_cst, align 8
  store atomic ptr %function, ptr %function.at monotonic, align 8
  store atomic ptr %table, ptr %table.at monotonic, align 8
  store atomic i64 %tasks, ptr %tasks.at monotonic, align 8
  store atomic i64 %workers, ptr %workers.at monotonic, align 8
  store atomic i64 0, ptr %done.at monotonic, align 8
  store atomic i64 %opened, ptr %word.at seq_cst, align 8
  br label %next
next:
  %worker = phi i64 [ 0, %entry ], [ %worker.next, %ask ]
  %sleepers = phi i64 [ 0, %entry ], [ %sleepers.next, %ask ]
  %more = icmp slt i64 %worker, %workers
  br i1 %more, label %ask, label %exit
ask:{worker}
  %asleep = atomicrmw xchg ptr %asleep.at, i64 0 seq_cst, align 8
  %bit = shl i64 %asleep, %worker
  %sleepers.next = or i64 %sleepers, %bit
  %worker.next = add i64 %worker, 1
  br label %next
exit:
  ret i64 %sleepers
}}

; The caller's part of a job. Returns 1 when all tasks are done, 0 when it is to sleep
; until a worker wakes it.
define internal i64 @work(ptr %state, i64 %looks) nounwind {{
entry:{fields}
  %word = load atomic i64, ptr %word.at acquire, align 8
  %job = lshr i64 %word, 32
  br label %claim{claim}
ran:
  br label %claim
none:
  %total = load atomic i64, ptr %tasks.at monotonic, align 8
  br label %look
look:
  %looked = phi i64 [ 0, %none ], [ %looked.next, %again ]
  %done = load atomic i64, ptr %done.at acquire, align 8
  %all = icmp eq i64 %done, %total
  br i1 %all, label %finished, label %waiting
waiting:
  %patient = icmp slt i64 %looked, %looks
  br i1 %patient, label %again, label %tired
again:
  {pause}
  %looked.next = add i64 %looked, 1
  br label %look
tired:
  store atomic i64 1, ptr %caller.at seq_cst, align 8
  %done.now = load atomic i64, ptr %done.at seq_cst, align 8
  %all.now = icmp eq i64 %done.now, %total
  br i1 %all.now, label %awake, label %sleep
awake:
  %slept = atomicrmw xchg ptr %caller.at, i64 0 seq_cst, align 8
  %up = icmp eq i64 %slept, 1
  br i1 %up, label %finished, label %sleep
finished:
  ret i64 1
sleep:
  ret i64 0
}}

define i64 @serve(ptr %state, i64 %worker, i64 %looks) nounwind {{
entry:{fields}{worker}
  br label %wait
wait:
  %seen = load i64, ptr %seen.at, align 8
  br label %look
look:
  %looked = phi i64 [ 0, %wait ], [ %looked.next, %again ]
  %word = load atomic i64, ptr %word.at acquire, align 8
  %job = lshr i64 %word, 32
  %low = and i64 %word, 4294967295
  %old = icmp eq i64 %job, %seen
  %shut = icmp eq i64 %low, {_CLOSED}
  %nothing = or i1 %old, %shut
  br i1 %nothing, label %waiting, label %begin
waiting:
  %patient = icmp slt i64 %looked, %looks
  br i1 %patient, label %again, label %tired
again:
  {pause}
  %looked.next = add i64 %looked, 1
  br label %look
tired:
  store atomic i64 1, ptr %asleep.at seq_cst, align 8
  %word.now = load atomic i64, ptr %word.at seq_cst, align 8
  %job.now = lshr i64 %word.now, 32
  %old.now = icmp eq i64 %job.now, %seen
  br i1 %old.now, label %sleep, label %awake
awake:
  %slept = atomicrmw xchg ptr %asleep.at, i64 0 seq_cst, align 8
  %up = icmp eq i64 %slept, 1
  br i1 %up, label %wait, label %sleep
sleep:
  ret i64 0
begin:
  store i64 %job, ptr %seen.at, align 8
  %workers = load atomic i64, ptr %workers.at monotonic, align 8
  %asked = icmp slt i64 %worker, %workers
  br i1 %asked, label %claim, label %wait{claim}
ran:
  %done = add i64 %before, 1
  %all = icmp eq i64 %done, %tasks
  br i1 %all, label %last, label %claim
last:
  %sleeping = atomicrmw xchg ptr %caller.at, i64 0 seq_cst, align 8
  %wake = icmp eq i64 %sleeping, 1
  br i1 %wake, label %rouse, label %claim
rouse:
  ret i64 1
none:
  br label %wait
}}
"""
