"""scripts/benchmark: what it trains, what that costs at least, and what it prints."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mnist_cnn import by_hand

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts"
GOLDEN = Path(__file__).parent / "golden" / "benchmark.txt"


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    from benchmarks import networks, processes, report, session

    return SimpleNamespace(
        networks=networks, processes=processes, report=report, session=session
    )


@pytest.fixture
def parse(benchmarks):
    return runpy.run_path(str(SCRIPTS / "benchmark"))["parse"]


# The networks


def define(network):
    """The network as Lasagne's classes with their keywords."""
    yield "InputLayer", {"shape": (None, *network.image)}
    for kind, layer in network.layers:
        if kind == "conv":
            yield (
                "Conv2DLayer",
                {
                    "num_filters": layer["filters"],
                    "filter_size": layer["size"],
                    "stride": layer["stride"],
                    "pad": layer["pad"],
                },
            )
        elif kind == "pool":
            size = {"pool_size": layer["size"], "stride": layer["stride"]}
            yield "Pool2DLayer", {**size, "ignore_border": True}
        elif kind == "dropout":
            yield "DropoutLayer", {"p": layer["p"]}
        else:
            yield "DenseLayer", {"num_units": layer["units"]}


def test_every_network_has_the_parameters_that_are_counted_by_hand(benchmarks):
    for network in benchmarks.networks.NETWORKS.values():
        counted = benchmarks.networks.count(network).parameters
        assert counted == by_hand.table(list(define(network))).total, network.name


def test_the_questions_and_the_blogs_network_are_among_them(benchmarks):
    totals = {
        name: benchmarks.networks.count(benchmarks.networks.NETWORKS[name]).parameters
        for name in by_hand.NETWORKS
    }
    assert totals == {
        name: by_hand.table(network).total for name, network in by_hand.NETWORKS.items()
    }


def test_what_the_questions_network_costs(benchmarks):
    cost = benchmarks.networks.count(benchmarks.networks.NETWORKS["question"])
    conv1, conv2 = 2 * 5 * 5 * 1 * 32 * 24 * 24, 2 * 3 * 3 * 32 * 32 * 10 * 10
    dense, output = 2 * 32 * 5 * 5 * 256, 2 * 256 * 10
    assert cost.forward == conv1 + conv2 + dense + output
    # None with respect to the images; one position of a 2x2 window has a gradient.
    assert cost.backward == conv1 + 2 * (conv2 + dense + output)
    assert cost.sparse_backward == conv1 / 4 + 2 * (conv2 / 4 + dense + output)
    assert round(cost.dense_epoch(48_000, 12_000) / 1e9) == 452
    assert round(cost.sparse_epoch(48_000, 12_000) / 1e9) == 286


def test_what_other_pools_and_strides_cost(benchmarks):
    n = benchmarks.networks

    def cost(*layers):
        return n.count(n.Network("", "", (2, 9, 9), list(layers)))

    conv = 2 * 3 * 3 * 2 * 4
    dense = 2 * 4 * 4 * 4 * 10
    without = cost(n.conv(4, 3, stride=2))  # 9 -> 4
    assert without.forward == conv * 4 * 4 + dense
    assert without.sparse_backward == without.backward == conv * 4 * 4 + 2 * dense
    average = cost(n.conv(4, 3, pad="same"), n.pool(mode="average"))
    assert average.sparse_backward == average.backward == conv * 9 * 9 + 2 * dense
    largest = cost(n.conv(4, 3, pad="same"), n.pool())
    assert largest.sparse_backward == conv * 4 * 4 + 2 * dense
    overlapping = cost(n.conv(4, 3, pad="same"), n.pool(3, 2))  # 9 -> 4
    assert overlapping.sparse_backward == conv * 4 * 4 + 2 * dense


# Cases


@pytest.mark.parametrize(
    ("network", "batch_size", "share", "sizes"),
    [
        ("question", 128, 1.0, (48_000, 12_000)),
        ("question", 128, 0.25, (94 * 128, 94 * 32)),
        ("question", 1, 1.0, (2_000, 500)),
        ("question", 16, 1.0, (2_000 * 16, 500 * 16)),
        ("question", 1024, 0.001, (4 * 1024, 1024)),
    ],
)
def test_how_many_images_are_measured(benchmarks, network, batch_size, share, sizes):
    case = benchmarks.session.Case(
        benchmarks.networks.NETWORKS[network], batch_size, threads=2
    )
    assert case.sizes(share) == sizes


def test_no_measured_epoch_costs_more_than_the_questions(benchmarks):
    most = benchmarks.session.MOST_FLOP
    for network in benchmarks.networks.NETWORKS.values():
        trained, validated = benchmarks.session.Case(network, 128, 2).sizes(1.0)
        cost = benchmarks.networks.count(network).dense_epoch(trained, validated)
        assert cost <= 1.1 * most
        assert (trained, validated) == (48_000, 12_000) or cost >= 0.9 * most


def test_which_cases_are_measured(benchmarks):
    def cases(*arguments):
        return [
            (case.network.name, case.batch_size, case.threads)
            for case in benchmarks.session.list_cases(*arguments)
        ]

    arguments = (["question", "blog"], [128, 1], [2, 1])
    assert cases(*arguments, False) == [
        ("question", 128, 2),
        ("question", 128, 1),
        ("question", 1, 2),
        ("blog", 128, 2),
    ]
    assert len(cases(*arguments, True)) == 2 * 2 * 2


# Peers


@pytest.mark.parametrize(
    ("versions", "peers"),
    [
        ({"torch": "2.13.0"}, ["torch", "torch-first", "torch-last"]),
        ({"keras": "3.15.1"}, []),
        ({"keras": "3.15.1", "tensorflow": "2.21.0"}, ["keras"]),
        ({"Theano": "1.0.5", "Lasagne": "0.1", "nolearn": "0.6.1"}, ["theano"]),
        ({"Theano": "1.0.5+pytensor", "Lasagne": "0.1", "nolearn": "0.6.1"}, []),
    ],
)
def test_which_peers_an_environment_has(benchmarks, versions, peers):
    processes = benchmarks.processes
    found = [name for name, p in processes.PEERS.items() if processes.has(p, versions)]
    assert found == peers


def test_versions_are_found_without_importing(benchmarks):
    versions = benchmarks.processes.list_versions(Path(sys.executable))
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert versions["nolearn"] == "0.6.1"


def test_no_python_is_a_sentence(benchmarks, tmp_path):
    with pytest.raises(benchmarks.processes.MeasurementError, match="is no Python"):
        benchmarks.processes.list_versions(tmp_path / "python")


def test_a_program_that_fails_says_why(benchmarks):
    place = benchmarks.processes.Place(Path(sys.executable))
    with pytest.raises(benchmarks.processes.MeasurementError, match="KeyError"):
        benchmarks.processes.run(place, "run_data.py", {}, 1)


# The options


def test_quick_is_less_than_all(parse):
    quick, usual = parse(["--quick"]), parse([])
    assert quick.networks == ["question"]
    assert quick.images == 0.25
    assert not quick.starts
    assert len(usual.networks) >= 8
    assert usual.batch_sizes == [128, 1, 16, 1024]
    assert parse(["--quick", "--repeats", "7", "--starts"]).repeats == 7


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--networks", "nought"], "invalid choice: 'nought'"),
        (["--repeats", "0"], "got '0', needed is a number above 0"),
        (["--images", "half"], "got 'half', needed is a number above 0"),
    ],
)
def test_what_cannot_be_done_is_refused(parse, capsys, arguments, said):
    with pytest.raises(SystemExit) as exit_:
        parse(arguments)
    assert exit_.value.code == 2
    assert said in capsys.readouterr().err


# What is printed


def make_results():
    """As a short run would give them."""

    def answers(*processes):
        return [
            {"seconds": s, "peak_bytes": 500_000_000, "cores_of_others": 0.02}
            for s in processes
        ]

    return {
        "started": "2026-11-28 09:00 UTC",
        "machine": {
            "cpu": "A CPU",
            "family": "cpu family 25 model 1",
            "simd": "avx2",
            "cores": 2,
            "system": "Linux",
        },
        "repeats": 3,
        "epochs": 2,
        "peers": {"ours": "this project", "torch": "PyTorch", "torch-last": "the same"},
        "layouts": ["torch-first", "torch-last"],
        "versions": {
            "ours": {"python": "3.11.7"},
            "torch": {"torch": "2.13.0"},
            "torch-last": {"torch": "2.13.0"},
        },
        "data": {"source": "MNIST"},
        "peaks": {"2": [190e9, 200e9, 210e9]},
        "cases": [
            {
                "network": "question",
                "batch_size": 128,
                "threads": 2,
                "trained": 12_032,
                "validated": 3_008,
                "peaks": [190e9, 200e9, 210e9],
                "scale": 4.0,
                "dense_flop": 452e9,
                "sparse_flop": 286e9,
                "answers": {
                    "ours": answers([0.5, 0.4], [9.0, 0.5]),
                    "torch": answers([5.0, 5.5], [5.5, 6.0]),
                    "torch-last": answers([2.0, 2.0], [2.0, 2.5]),
                },
            },
            {
                "network": "dense",
                "batch_size": 128,
                "threads": 2,
                "peaks": [200e9],
                "scale": 1.0,
                "dense_flop": 200e9,
                "sparse_flop": 200e9,
                "answers": {
                    "ours": answers([2.0, 2.0]),
                    "torch": answers([2.0, 2.0]),
                    "torch-last": [],
                },
            },
        ],
        "starts": {
            "imports": {"warm": [1.0, 1.2, 1.1]},
            "ours": {"cold": [3.0], "warm": [2.2]},
        },
        "memory": {"peak_bytes": 685_000_000, "after_epochs": [684e6, 685e6]},
        "failures": ["dense, batch 128, torch-last: it takes more than 60 s"],
    }


def test_the_report(benchmarks):
    results = json.loads(json.dumps(make_results()))
    text = benchmarks.report.render(results)
    if os.environ.get("REWRITE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8", newline="\n")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_a_ratio_is_of_medians(benchmarks):
    case = make_results()["cases"][0]
    assert benchmarks.report.seconds_of(case, "ours") == 0.5 * 4
    assert benchmarks.report.seconds_of(case, "torch") == 5.5 * 4
    assert benchmarks.report.seconds_of(case, "keras") is None


# All of it


@pytest.mark.slow
def test_a_measurement_from_end_to_end(tmp_path):
    kept, shown = tmp_path / "kept.json", tmp_path / "shown.md"
    done = subprocess.run(
        [
            *(sys.executable, SCRIPTS / "benchmark", "--our-python", sys.executable),
            *("--networks", "question", "average", "--batch-sizes", "64"),
            *("--threads", "1", "--repeats", "1", "--images", "0.01"),
            *("--epochs", "2"),
            *("--no-memory", "--json", kept, "--markdown", shown),
        ],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(kept.read_text(encoding="utf-8"))
    assert done.stdout == shown.read_text(encoding="utf-8")
    assert "## Failed" not in done.stdout
    assert list(results["peaks"]) == ["1"]
    assert results["peaks"]["1"][0] > 1e9
    for case, parameters in zip(results["cases"], (217_706, 61_706), strict=True):
        assert case["trained"] == 8 * 64
        [answer] = case["answers"]["ours"]
        assert len(answer["seconds"]) == 2
        assert min(answer["seconds"]) > 0
        assert answer["parameters"] == parameters
        assert 0 < answer["loss"] < 4
    starts = [seconds for one in results["starts"]["ours"].values() for seconds in one]
    assert len(starts) == 2
    assert min(starts) > 0.1
