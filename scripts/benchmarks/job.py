"""What the measured programs share: the job they are given, and their answer.

A program reads its job, a JSON object, from standard input and writes its answer,
a JSON object, as the last line of standard output. This file and run_nolearn.py
keep to what Python 2.7 understands.
"""

import json
import os
import signal
import sys
import time

FIRST_LINE = time.time()


def read():
    """The job: a dict.

    ``network`` holds ``image``, ``layers`` and ``nesterov``; ``images`` and
    ``labels`` are .npy files; ``trained`` and ``validated`` numbers of images of an
    epoch, of ``epochs`` one after the other; ``only_start`` asks for a first
    training step and nothing more. After ``timeout`` seconds the process ends, where
    the system has alarms.
    """
    job = json.loads(sys.stdin.read())
    if hasattr(signal, "alarm"):

        def give_up(*_):
            sys.exit("it takes more than %g s" % job["timeout"])

        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(int(job["timeout"]))
    return job


def write(answer):
    sys.stdout.flush()
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


def seconds_since_start():
    """How long this process has been running.

    Where the system does not tell: since this module was imported.
    """
    try:
        with open("/proc/self/stat") as file:
            started = float(file.read().rsplit(")", 1)[1].split()[19])
        with open("/proc/uptime") as file:
            now = float(file.read().split()[0])
        return now - started / os.sysconf("SC_CLK_TCK")
    except (OSError, IOError, AttributeError):
        return time.time() - FIRST_LINE


def memory(which):
    """Bytes in memory: ``"VmHWM"`` at most so far, ``"VmRSS"`` now; None: unknown."""
    try:
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith(which + ":"):
                    return int(line.split()[1]) * 1024
    except IOError:
        pass
    try:
        import resource
    except ImportError:
        return None
    if which != "VmHWM":
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


class Stopwatch(object):
    """Times what is done within ``with``.

    Attributes
    ----------
    seconds : float
    cores_of_others : float or None
        How many cores were busy with other processes meanwhile, those of other
        machines on the same host among them; None: unknown.
    """

    def __enter__(self):
        self._used, self._start = _cpu_seconds(), time.time()
        return self

    def __exit__(self, *_):
        self.seconds, used = time.time() - self._start, _cpu_seconds()
        self.cores_of_others = None
        if used is not None:
            others = [now - then for now, then in zip(used, self._used)]
            self.cores_of_others = max(0.0, others[0] - others[1]) / self.seconds


def _cpu_seconds():
    """CPU time of all processes on this machine, and of this one; None: unknown."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, soft, steal = map(
                int, file.readline().split()[1:9]
            )
    except IOError:
        return None
    everybody = user + nice + system + irq + soft + steal
    return everybody / float(os.sysconf("SC_CLK_TCK")), sum(os.times()[:4])


def load(job):
    """Images (n, channels, rows, columns) from 0 to 1 and labels, n as in the job.

    MNIST's, repeated where there are not enough; of another shape random ones.
    """
    import numpy

    number = job["trained"] + job["validated"]
    shape = tuple(job["network"]["image"])
    labels = numpy.load(job["labels"])
    labels = numpy.resize(labels, number).astype("int32")
    if shape == (1, 28, 28):
        images = numpy.load(job["images"], mmap_mode="r")
        which = numpy.arange(number) % len(images)
        return numpy.ascontiguousarray(images[which]), labels
    images = numpy.empty((number,) + shape, "float32")
    random = numpy.random.RandomState(0)
    for image in images:
        image[...] = random.random_sample(shape)
    return images, labels


def split(job, images, labels):
    """Training images and labels, then those for validation."""
    at = job["trained"]
    return images[:at], labels[:at], images[at:], labels[at:]


def warm_up_sizes(job):
    """Numbers of images for a warm-up: full batches and the last, shorter one."""
    batch = job["batch_size"]
    return [
        min(number, 3 * batch + number % batch)
        for number in (job["trained"], job["validated"])
    ]


def measure(job, epoch, parameters):
    """Run the epochs and write the answer, with the seconds of each.

    ``epoch(trained, validated)`` trains and validates on the first so many images
    of either part and returns the mean training loss; it runs once to warm up.
    """
    ready = seconds_since_start()
    epoch(*warm_up_sizes(job))
    seconds = []
    with Stopwatch() as watch:
        for _ in range(job["epochs"]):
            with Stopwatch() as of_one:
                loss = float(epoch(job["trained"], job["validated"]))
            seconds.append(of_one.seconds)
    write(
        {
            "seconds": seconds,
            "loss": loss,
            "parameters": parameters,
            "peak_bytes": memory("VmHWM"),
            "ready_after": ready,
            "cores_of_others": watch.cores_of_others,
        }
    )
