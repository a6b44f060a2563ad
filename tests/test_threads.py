"""Weights after an epoch are the same bits for any number of threads."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

COUNTS = (1, 2, 4)
CASES = [
    (network, float_type)
    for network in ("question", "blog", "others")
    for float_type in ("float32", "float64")
]

# Trains each case for an epoch on digits that are mostly blank, as MNIST's are, and
# writes what came out.
PROGRAM = f"""
import hashlib, json
import lasagne
import numpy as np
import theano
from lasagne import layers, nonlinearities
from mnist_cnn.network import build_network
from nolearn.lasagne import NeuralNet
from pytensor_nnet.kernels.llvm import threads

def build(name):
    if name != "others":
        return build_network(name, verbose=0)
    conv, pool, dense = layers.Conv2DLayer, layers.Pool2DLayer, layers.DenseLayer
    tanh, leaky = nonlinearities.tanh, nonlinearities.LeakyRectify(0.1)
    stack = [
        (layers.InputLayer, dict(shape=(None, 1, 28, 28))),
        (conv, dict(num_filters=13, filter_size=5, pad="same", nonlinearity=tanh)),
        (pool, dict(pool_size=2, mode="average_exc_pad")),
        (conv, dict(num_filters=20, filter_size=3, nonlinearity=leaky)),
        (pool, dict(pool_size=3, stride=2, ignore_border=False)),
        (conv, dict(num_filters=24, filter_size=3, stride=2)),
        (dense, dict(num_units=50, nonlinearity=nonlinearities.sigmoid)),
        (dense, dict(num_units=10, nonlinearity=nonlinearities.softmax)),
    ]
    return NeuralNet(
        stack, update=lasagne.updates.adadelta, update_learning_rate=1.0, verbose=0
    )

outcomes = {{}}
for network, float_type in {CASES!r}:
    theano.config.floatX = float_type
    random = np.random.RandomState(42)
    images = random.uniform(0, 1, (640, 1, 28, 28)) * (random.uniform(size=28) < 0.4)
    labels = random.randint(0, 10, 640).astype("int32")
    lasagne.random.set_rng(random)
    net = build(network)
    net.initialize()
    net.train_loop(images.astype(float_type), labels, epochs=1)
    weights = [parameter.get_value() for parameter in net.get_all_params()]
    outcomes[f"{{network}} {{float_type}}"] = {{
        "weights": [hashlib.sha256(w.tobytes()).hexdigest() for w in weights],
        "finite": all(bool(np.isfinite(w).all()) for w in weights),
        "losses": [net.train_history_[0][k] for k in ("train_loss", "valid_loss")],
        "ops": sorted(
            {{type(n.op).__name__ for n in net.train_iter_.maker.fgraph.apply_nodes}}
        ),
    }}
print(json.dumps({{"threads": threads.threads(), "outcomes": outcomes}}))
"""


@pytest.fixture(scope="module")
def runs() -> dict[int, dict[str, Any]]:
    """What the program wrote, for each number of threads."""
    found = {}
    for count in COUNTS:
        environment = {**os.environ, "OMP_NUM_THREADS": str(count)}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        found[count] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_as_many_threads_as_asked_for_are_used(runs: dict[int, dict[str, Any]]) -> None:
    assert {count: run["threads"] for count, run in runs.items()} == {
        count: count for count in COUNTS
    }


@pytest.mark.slow
@pytest.mark.parametrize(("network", "float_type"), CASES)
def test_an_epoch_gives_the_same_bits_for_any_number_of_threads(
    runs: dict[int, dict[str, Any]], network: str, float_type: str
) -> None:
    outcomes = [run["outcomes"][f"{network} {float_type}"] for run in runs.values()]
    assert outcomes[0]["finite"]
    assert len(set(outcomes[0]["weights"])) == len(outcomes[0]["weights"]) >= 8
    for other in outcomes[1:]:
        assert other == outcomes[0]


@pytest.mark.slow
@pytest.mark.parametrize(("network", "float_type"), CASES)
def test_layers_of_these_networks_are_fused(
    runs: dict[int, dict[str, Any]], network: str, float_type: str
) -> None:
    ops = set(runs[1]["outcomes"][f"{network} {float_type}"]["ops"])
    fused = {"FusedConv2d", "FusedConv2dGrad", "FusedDense", "FusedDenseGrad"}
    softmax = {"SoftmaxLogLikelihood", "SoftmaxLogLikelihoodGrad"}
    assert fused | softmax <= ops
    plain = {"Softmax", "Dot22", "Dot"}
    if network != "others":
        plain |= {"Conv2d", "Pool2d", "MaxPool2dGrad"}
    assert not ops & plain
