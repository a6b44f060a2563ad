"""Measures all that was asked for, case by case, the peers in turn."""

import json
import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from . import machine
from .networks import NETWORKS, Network, count
from .processes import (
    OURS,
    PEERS,
    TUNED_TORCH,
    MeasurementError,
    Peer,
    Place,
    find_places,
    list_versions,
    run,
)
from .report import render, seconds_of

DONE, FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130

TRAINED, VALIDATED = 48_000, 12_000
"""An epoch's images; all seconds are scaled to them."""

MOST_FLOP = count(NETWORKS["question"]).dense_epoch(TRAINED, VALIDATED)
MOST_BATCHES = 2_500
"""No measured epoch costs more arithmetic or has more batches: images are left out."""

ATTEMPTS, DISTURBED = 3, 0.1
"""How often to measure while others keep more than a tenth of a core busy."""

EPOCHS_OF_MEMORY = 5


@dataclass(frozen=True)
class Case:
    """A network, a batch size, a number of threads."""

    network: Network
    batch_size: int
    threads: int

    def sizes(self, share: float) -> tuple[int, int]:
        """Numbers of images to train and to validate on in a measured epoch."""
        cost = count(self.network).dense_epoch(TRAINED, VALIDATED)
        images = (TRAINED + VALIDATED) * min(share, MOST_FLOP / cost, 1.0)
        images = min(images, MOST_BATCHES * self.batch_size)
        if images == TRAINED + VALIDATED:
            return TRAINED, VALIDATED
        batches = max(4, round(0.8 * images / self.batch_size))
        trained = min(batches * self.batch_size, TRAINED)
        return trained, max(trained // 4, 1)


def list_cases(
    networks: Sequence[str],
    batch_sizes: Sequence[int],
    threads: Sequence[int],
    every: bool,
) -> Iterator[Case]:
    """Every network once; the first one with all batch sizes and threads, too."""
    for index, name in enumerate(networks):
        for batch_size in batch_sizes:
            for number in threads:
                usual = (batch_size, number) == (batch_sizes[0], threads[0])
                one_other = batch_size == batch_sizes[0] or number == threads[0]
                if usual or every or (index == 0 and one_other):
                    yield Case(NETWORKS[name], batch_size, number)


def main(options: Any) -> int:
    """Measure, print and keep; the exit status."""
    try:
        session = Session(options)
        status = session.measure()
    except MeasurementError as error:
        _say(f"benchmark: error: {error}")
        return USER_ERROR
    text = render(session.results)
    print(text, end="")
    for path, content in (
        (options.json, json.dumps(session.results, indent=1) + "\n"),
        (options.markdown, text),
    ):
        if path is not None:
            unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
            unfinished.write_text(content, encoding="utf-8")
            unfinished.replace(path)
    return status


class Session:
    """All that is measured in one call.

    Attributes
    ----------
    peers : dict of str to Peer
        Those that are installed, this project first.
    places : dict of str to Place
        Where each runs.
    results : dict
        What came out, as JSON has it.
    """

    def __init__(self, options: Any) -> None:
        self.options = options
        prefix = shlex.split(options.prefix)
        self.ours = Place(options.our_python, prefix, options.timeout)
        places, versions = find_places(
            *(options.python, options.peers, prefix, options.timeout)
        )
        self.places = {"ours": self.ours, **places}
        self.peers = {"ours": OURS, **{name: PEERS[name] for name in places}}
        self.results: dict[str, Any] = {
            "started": f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
            "machine": machine.describe(),
            "repeats": options.repeats,
            "epochs": options.epochs,
            "peers": {name: peer.description for name, peer in self.peers.items()},
            "layouts": list(TUNED_TORCH),
            "versions": {"ours": list_versions(self.ours.python), **versions},
            "peaks": {},
            "cases": [],
            "starts": {},
            "memory": {},
            "failures": [],
        }

    def measure(self) -> int:
        """Measure; the exit status. Ctrl-C leaves what there is."""
        options = self.options
        with tempfile.TemporaryDirectory() as folder:
            files = {
                "images": str(Path(folder, "images.npy")),
                "labels": str(Path(folder, "labels.npy")),
                "data_dir": options.data_dir,
            }
            place = Place(self.ours.python)
            self.results["data"] = run(place, "run_data.py", files, 1)
            try:
                for case in list_cases(
                    *(options.networks, options.batch_sizes, options.threads),
                    options.every_combination,
                ):
                    self.measure_case(case, files)
                if options.starts:
                    self.measure_starts()
                if options.memory:
                    self.measure_memory()
            except KeyboardInterrupt:
                self.results["failures"].append("Interrupted: some of it is missing.")
                return INTERRUPTED
        return FAILED if self.results["failures"] else DONE

    def measure_case(self, case: Case, files: dict[str, Any]) -> None:
        """Epochs of each peer."""
        trained, validated = case.sizes(self.options.images)
        cost = count(case.network)
        full = cost.dense_epoch(TRAINED, VALIDATED)
        measured: dict[str, Any] = {
            "network": case.network.name,
            "batch_size": case.batch_size,
            "threads": case.threads,
            "trained": trained,
            "validated": validated,
            "scale": full / cost.dense_epoch(trained, validated),
            "dense_flop": full,
            "sparse_flop": cost.sparse_epoch(TRAINED, VALIDATED),
            "peaks": [],
            "answers": {name: [] for name in self.peers},
        }
        self.results["cases"].append(measured)
        job = {
            **files,
            "network": _as_json(case.network),
            "batch_size": case.batch_size,
            "trained": trained,
            "validated": validated,
            "epochs": self.options.epochs,
            "only_start": False,
        }
        failed: set[str] = set()
        for _ in range(self.options.repeats):
            self._measure_peak(case.threads, measured["peaks"])
            for name in [name for name in self.peers if name not in failed]:
                answers = measured["answers"][name]
                try:
                    answers.append(self._measure_epoch(name, job, case.threads))
                    _check_parameters(answers[-1], cost.parameters)
                except MeasurementError as error:
                    failed.add(name)
                    self.results["failures"].append(
                        f"{case.network.name}, batch {case.batch_size}, {name}: {error}"
                    )
        said = ", ".join(
            f"{name} {seconds:.2f}"
            for name in self.peers
            if (seconds := seconds_of(measured, name))
        )
        _say(
            f"{case.network.name}, batch {case.batch_size}, threads {case.threads}: "
            f"{said} s"
        )

    def _measure_peak(self, threads: int, peaks: list[float]) -> None:
        answer = _least_disturbed(lambda: run(self.ours, "run_peak.py", {}, threads))
        peaks.append(answer["flop_per_second"])
        self.results["peaks"].setdefault(str(threads), []).append(peaks[-1])

    def _measure_epoch(
        self, name: str, job: dict[str, Any], threads: int
    ) -> dict[str, Any]:
        peer, place = self.peers[name], self.places[name]
        job = {**job, **peer.job}
        environment = self._environment(peer)
        return _least_disturbed(
            lambda: run(place, peer.program, job, threads, environment)
        )

    def measure_starts(self) -> None:
        """From a process's start to a first training step, cold and warm."""
        threads = self.options.threads[0]
        job = {
            "network": _as_json(NETWORKS["question"]),
            "batch_size": self.options.batch_sizes[0],
            "only_start": True,
        }
        starts: dict[str, dict[str, list[float]]] = {"imports": {"warm": []}}
        self.results["starts"] = starts
        for _ in range(self.options.repeats):
            answer = run(self.ours, "run_imports.py", {}, threads)
            starts["imports"]["warm"].append(answer["seconds"])
            for name, peer in self.peers.items():
                kinds = starts.setdefault(name, {"cold": [], "warm": []})
                with tempfile.TemporaryDirectory() as folder:
                    environment = self._environment(peer, folder)
                    try:
                        for seconds in kinds.values():
                            answer = run(
                                *(self.places[name], peer.program),
                                *({**job, **peer.job}, threads, environment),
                            )
                            seconds.append(answer["seconds"])
                    except MeasurementError as error:
                        self.results["failures"].append(f"start, {name}: {error}")
        _say("starts measured")

    def measure_memory(self) -> None:
        """Of a full run of the experiment, and whether it grows."""
        job = {"epochs": EPOCHS_OF_MEMORY, "data_dir": self.options.data_dir}
        try:
            self.results["memory"] = run(
                self.ours, "run_memory.py", job, self.options.threads[0]
            )
        except MeasurementError as error:
            self.results["failures"].append(f"memory: {error}")

    def _environment(self, peer: Peer, cache: str = "") -> dict[str, str]:
        """Variables that a peer runs with; a folder named is its cache."""
        environment = dict(peer.environment)
        flags = ["floatX=float32"]
        if peer.name == "theano":
            flags += filter(None, [self.options.theano_flags])
            flags += [f"base_compiledir={cache}"] if cache else []
        environment["THEANO_FLAGS"] = ",".join(flags)
        if cache:
            environment |= dict.fromkeys(("XDG_CACHE_HOME", "LOCALAPPDATA"), cache)
        return environment


def _check_parameters(answer: dict[str, Any], expected: int) -> None:
    if answer["parameters"] != expected:
        raise MeasurementError(
            f"it has {answer['parameters']:,} parameters, expected were {expected:,}"
        )


def _least_disturbed(measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Measure again where others were at work; the least disturbed answer."""
    answers: list[dict[str, Any]] = []
    while len(answers) < ATTEMPTS:
        answers.append(measure())
        if _disturbance(answers[-1]) <= DISTURBED:
            break
    return min(answers, key=_disturbance)


def _disturbance(answer: dict[str, Any]) -> float:
    return answer["cores_of_others"] or 0.0


def _as_json(network: Network) -> dict[str, Any]:
    return {
        "image": network.image,
        "layers": network.layers,
        "nesterov": network.nesterov,
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
