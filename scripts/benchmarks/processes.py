"""Runs each measurement in a process of its own, in the environment of its peer."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent

TUNED_MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
}
"""The C library keeps what a step frees, for the next one."""


@dataclass(frozen=True)
class Peer:
    """What is measured.

    Attributes
    ----------
    name, description : str
    program : str
        The file that trains with it.
    needs : tuple of str
        Distributions.
    job : dict
        What the program is told on top.
    environment : dict
        Variables that it runs with.
    """

    name: str
    description: str
    program: str
    needs: tuple[str, ...]
    job: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


OURS = Peer(
    "ours",
    "this project: nolearn and Lasagne on pytensor_nnet",
    "run_nolearn.py",
    ("Theano", "Lasagne", "nolearn"),
)
PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "torch",
            "PyTorch as people run it: channels first, the C library's malloc",
            "run_torch.py",
            ("torch",),
            {"memory_format": "contiguous_format"},
        ),
        Peer(
            "torch-first",
            "PyTorch, channels first, malloc tuned",
            "run_torch.py",
            ("torch",),
            {"memory_format": "contiguous_format"},
            TUNED_MALLOC,
        ),
        Peer(
            "torch-last",
            "PyTorch, channels last, malloc tuned",
            "run_torch.py",
            ("torch",),
            {"memory_format": "channels_last"},
            TUNED_MALLOC,
        ),
        Peer(
            "keras",
            "Keras on TensorFlow, channels last",
            "run_keras.py",
            ("keras", "tensorflow"),
        ),
        Peer("jax", "JAX, channels last", "run_jax.py", ("jax",)),
        Peer(
            "theano",
            "the genuine Theano with Lasagne and nolearn",
            "run_nolearn.py",
            ("Theano", "Lasagne", "nolearn"),
        ),
    )
}
TUNED_TORCH = ("torch-first", "torch-last")

# Runs under Python 2.7 too.
_LIST_VERSIONS = """
import json, platform, sys
try:
    from importlib.metadata import version
except ImportError:
    from pkg_resources import get_distribution
    def version(name):
        return get_distribution(name).version
found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except Exception:
        pass
print(json.dumps(found))
"""
_DISTRIBUTIONS = (
    *("jax", "keras", "Lasagne", "llvmlite", "nolearn", "numba", "numpy"),
    *("pytensor", "scikit-learn", "tensorflow", "Theano", "torch"),
)


class MeasurementError(Exception):
    """A program failed; the message is the end of what it said."""


def list_versions(python: Path) -> dict[str, str]:
    """Python's version and those of the distributions that matter here."""
    try:
        done = subprocess.run(
            [python, "-c", _LIST_VERSIONS, *_DISTRIBUTIONS],
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        return json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise MeasurementError(f"{python} is no Python that runs: {error}") from error


def has(peer: Peer, versions: Mapping[str, str]) -> bool:
    """Whether an environment has what a peer needs.

    Theano's API on PyTensor is not the genuine Theano.
    """
    genuine = "+pytensor" not in versions.get("Theano", "")
    return all(name in versions for name in peer.needs) and (
        genuine or peer.name != "theano"
    )


@dataclass(frozen=True)
class Place:
    """Where a peer runs.

    Attributes
    ----------
    python : Path
    prefix : sequence of str
        A command that runs the command behind it.
    timeout : float
        Seconds until a program is given up.
    """

    python: Path
    prefix: Sequence[str] = ()
    timeout: float = 600.0


def run(
    place: Place,
    program: str,
    job: Mapping[str, Any],
    threads: int,
    environment: Mapping[str, str] = {},  # noqa: B006
) -> dict[str, Any]:
    """Run a program on its job and return its answer.

    Raises
    ------
    MeasurementError
    """
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MALLOC_", "THEANO_", "PYTENSOR_", "PYTHONPATH"))
    }
    variables |= {"OMP_NUM_THREADS": str(threads), **environment}
    command = [*place.prefix, str(place.python), str(HERE / program)]
    try:
        done = subprocess.run(
            command,
            input=json.dumps({**job, "threads": threads, "timeout": place.timeout}),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=variables,
            # The program itself ends in time, what runs it in the command before it.
            timeout=place.timeout + 60,
        )
    except subprocess.TimeoutExpired as error:
        raise MeasurementError(
            f"{program} took more than {place.timeout:g} s"
        ) from error
    if done.returncode:
        said = done.stderr.strip().splitlines()[-15:]
        raise MeasurementError(
            "\n".join([f"{program} ended with status {done.returncode}:", *said])
        )
    return json.loads(done.stdout.splitlines()[-1])


def find_places(
    pythons: Iterable[Path], names: Iterable[str], prefix: Sequence[str], timeout: float
) -> tuple[dict[str, Place], dict[str, dict[str, str]]]:
    """Where each of the peers is installed, the first place for each.

    Returns
    -------
    places : dict of str to Place
        By the peer's name.
    versions : dict of str to dict
        What is installed there.
    """
    places: dict[str, Place] = {}
    versions: dict[str, dict[str, str]] = {}
    installed = [(python, list_versions(python)) for python in pythons]
    for name in names:
        for python, found in installed:
            if name not in places and has(PEERS[name], found):
                places[name] = Place(python, prefix, timeout)
                needs = {"python", *PEERS[name].needs, "numpy"}
                versions[name] = {n: v for n, v in found.items() if n in needs}
    return places, versions
