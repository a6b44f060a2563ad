"""Measures all that was asked for, case by case, the peers in turn."""

import json
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator
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

TRAINED, VALIDATED = 48_000, 12_000
"""An epoch's images; all seconds are scaled to them."""

MOST_FLOP = count(NETWORKS["question"]).dense_epoch(TRAINED, VALIDATED)
MOST_BATCHES = 2_500
"""No measured epoch costs more arithmetic or has more batches: images are left out."""

ATTEMPTS, DISTURBED = 3, 0.1
"""How often an epoch is measured while others keep a tenth of a core busy."""

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
    networks: list[str], batch_sizes: list[int], threads: list[int], every: bool
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
        results = _measure(options)
    except MeasurementError as error:
        print(f"benchmark: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("benchmark: interrupted; nothing was kept", file=sys.stderr)
        return 130
    text = render(results)
    print(text, end="")
    for path, content in (
        (options.json, json.dumps(results, indent=1) + "\n"),
        (options.markdown, text),
    ):
        if path is not None:
            unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
            unfinished.write_text(content, encoding="utf-8")
            unfinished.replace(path)
    return 1 if results["failures"] else 0


def _measure(options: Any) -> dict[str, Any]:
    prefix = shlex.split(options.prefix)
    places, versions = find_places(
        *(options.python, options.peers, prefix, options.timeout)
    )
    ours = Place(options.our_python, prefix, options.timeout)
    places = {"ours": ours, **places}
    peers = {name: OURS if name == "ours" else PEERS[name] for name in places}
    results: dict[str, Any] = {
        "started": f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
        "machine": machine.describe(),
        "repeats": options.repeats,
        "peers": {name: peer.description for name, peer in peers.items()},
        "layouts": list(TUNED_TORCH),
        "versions": {"ours": list_versions(ours.python), **versions},
        "peaks": {},
        "cases": [],
        "starts": {},
        "epoch_memory": {},
        "memory": {},
        "failures": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "images": str(Path(folder, "images.npy")),
            "labels": str(Path(folder, "labels.npy")),
            "data_dir": options.data_dir,
        }
        results["data"] = run(Place(ours.python), "run_data.py", files, 1)
        for case in list_cases(
            *(options.networks, options.batch_sizes, options.threads),
            options.every_combination,
        ):
            _measure_case(case, options, files, peers, places, results)
    if results["cases"]:
        first = results["cases"][0]
        results["memory_of"] = (
            f"network {first['network']} on {first['trained'] + first['validated']:,} "
            f"images, batches of {first['batch_size']}"
        )
        results["epoch_memory"] = {
            name: [a["peak_bytes"] for a in answers if a.get("peak_bytes")]
            for name, answers in first["answers"].items()
        }
    if options.starts:
        _measure_starts(options, peers, places, results)
    if options.memory:
        job = {"epochs": EPOCHS_OF_MEMORY, "data_dir": options.data_dir}
        results["memory"] = run(ours, "run_memory.py", job, options.threads[0])
    return results


def _measure_case(
    case: Case,
    options: Any,
    files: dict[str, Any],
    peers: dict[str, Peer],
    places: dict[str, Place],
    results: dict[str, Any],
) -> None:
    trained, validated = case.sizes(options.images)
    cost = count(case.network)
    job = {
        **files,
        "network": _as_json(case.network),
        "batch_size": case.batch_size,
        "trained": trained,
        "validated": validated,
        "only_start": False,
    }
    measured: dict[str, Any] = {
        "network": case.network.name,
        "batch_size": case.batch_size,
        "threads": case.threads,
        "trained": trained,
        "validated": validated,
        "scale": cost.dense_epoch(TRAINED, VALIDATED)
        / cost.dense_epoch(trained, validated),
        "dense_flop": cost.dense_epoch(TRAINED, VALIDATED),
        "sparse_flop": cost.sparse_epoch(TRAINED, VALIDATED),
        "peaks": [],
        "answers": {name: [] for name in peers},
    }
    results["cases"].append(measured)
    peaks = results["peaks"].setdefault(str(case.threads), [])
    for _ in range(options.repeats):
        answer = run(places["ours"], "run_peak.py", {}, case.threads)
        measured["peaks"].append(answer["flop_per_second"])
        peaks.append(answer["flop_per_second"])
        for name, peer in peers.items():
            answers = measured["answers"][name]
            if answers and "error" in answers[-1]:
                continue
            try:
                answer = _measure_undisturbed(
                    *(peer, places[name], {**job, **peer.job}, case.threads)
                )
                if answer["parameters"] != cost.parameters:
                    raise MeasurementError(
                        f"it has {answer['parameters']} parameters, expected were "
                        f"{cost.parameters}"
                    )
            except MeasurementError as error:
                answer = {"error": str(error)}
            answers.append(answer)
    said = ", ".join(
        f"{name} {seconds:.2f}"
        for name in peers
        if (seconds := seconds_of(measured, name))
    )
    _say(f"{case.network.name}, {case.batch_size}, {case.threads} threads: {said} s")


def _measure_undisturbed(
    peer: Peer, place: Place, job: dict[str, Any], threads: int
) -> dict[str, Any]:
    """Measure again where others were at work; the least disturbed one counts."""
    answers = []
    for _ in range(ATTEMPTS):
        answer = run(place, peer.program, job, threads, peer.environment)
        answers.append(answer)
        if (answer["cores_of_others"] or 0.0) <= DISTURBED:
            break
    return min(answers, key=lambda answer: answer["cores_of_others"] or 0.0)


def _measure_starts(
    options: Any,
    peers: dict[str, Peer],
    places: dict[str, Place],
    results: dict[str, Any],
) -> None:
    job = {
        "network": _as_json(NETWORKS["question"]),
        "batch_size": options.batch_sizes[0],
        "only_start": True,
    }
    starts: dict[str, dict[str, list[float]]] = {"imports": {"warm": []}}
    for _ in range(options.repeats):
        answer = run(places["ours"], "run_imports.py", {}, options.threads[0])
        starts["imports"]["warm"].append(answer["seconds"])
        for name, peer in peers.items():
            kinds = starts.setdefault(name, {"cold": [], "warm": []})
            with tempfile.TemporaryDirectory() as folder:
                environment = {**peer.environment, **_empty_caches(folder)}
                if name == "theano":
                    environment["THEANO_FLAGS"] += f",base_compiledir={folder}"
                try:
                    for seconds in kinds.values():
                        answer = run(
                            *(places[name], peer.program, {**job, **peer.job}),
                            *(options.threads[0], environment),
                        )
                        seconds.append(answer["seconds"])
                except MeasurementError as error:
                    results["failures"].append(f"start of {name}: {error}")
    results["starts"] = starts
    _say("starts measured")


def _empty_caches(folder: str) -> dict[str, str]:
    return dict.fromkeys(("XDG_CACHE_HOME", "LOCALAPPDATA"), folder)


def _as_json(network: Network) -> dict[str, Any]:
    return {
        "image": network.image,
        "layers": network.layers,
        "nesterov": network.nesterov,
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
