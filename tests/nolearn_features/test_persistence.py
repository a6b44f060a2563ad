"""Nets written and read back: parameters, pickles, copies, other processes."""

import copy
import os
import pickle
import subprocess
import sys

import lasagne
import numpy as np
import pytest
from lasagne import layers
from lasagne.nonlinearities import softmax
from lasagne.updates import adam
from nolearn.lasagne import BatchIterator, NeuralNet, TrainSplit

import theano


def make_random_net(**keywords):
    """A net with all that has a state: dropout, an update that remembers, batches
    in random order.
    """
    lasagne.random.set_rng(np.random.RandomState(5))
    return NeuralNet(
        layers=[
            ("input", layers.InputLayer),
            ("dropped", layers.DropoutLayer),
            ("hidden", layers.DenseLayer),
            ("output", layers.DenseLayer),
        ],
        input_shape=(None, 2),
        dropped_p=0.3,
        hidden_num_units=4,
        output_num_units=2,
        output_nonlinearity=softmax,
        update=adam,
        update_learning_rate=0.01,
        train_split=TrainSplit(0),
        batch_iterator_train=BatchIterator(20, **keywords),
    )


def get_values(net):
    return [p.get_value() for p in net.get_all_params()]


def assert_same(net, other):
    for one, two in zip(get_values(net), get_values(other), strict=True):
        assert np.array_equal(one, two)


def test_parameters_are_saved_and_loaded(make_net, samples, tmp_path, capsys):
    net = make_net().fit(*samples)
    path = str(tmp_path / "params")
    net.save_params_to(path)
    other = make_net()
    other.verbose = 1
    other.load_params_from(path)
    assert_same(net, other)
    assert capsys.readouterr().out.splitlines() == [
        "Loaded parameters to layer 'hidden' (shape 2x4).",
        "Loaded parameters to layer 'hidden' (shape 4).",
        "Loaded parameters to layer 'output' (shape 4x2).",
        "Loaded parameters to layer 'output' (shape 2).",
    ]


def test_parameters_of_another_shape_are_left(make_net, samples, capsys):
    net, other = make_net().fit(*samples), make_net(hidden_num_units=3)
    other.verbose = 1
    other.load_params_from(net)
    out = capsys.readouterr().out
    assert "layer 'hidden' because shapes did not match: 2x3 vs 2x4" in out
    assert "Loaded parameters to layer 'output' (shape 2)" in out


COPIES = {
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "pickle, protocol 2": lambda net: pickle.loads(pickle.dumps(net, 2)),
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("make_copy", COPIES.values(), ids=COPIES)
def test_copy_predicts_the_same(make_net, samples, make_copy):
    X, y = samples
    net = make_net().fit(X, y)
    other = make_copy(net)
    assert np.array_equal(other.predict_proba(X), net.predict_proba(X))
    assert other.train_history_ == net.train_history_


@pytest.mark.parametrize("make_copy", COPIES.values(), ids=COPIES)
def test_copy_is_trained_apart(make_net, samples, make_copy):
    net = make_net().fit(*samples)
    before = get_values(net)
    other = make_copy(net)
    other.fit(*samples)
    for one, two, three in zip(before, get_values(net), get_values(other), strict=True):
        assert np.array_equal(one, two)
        assert not np.array_equal(one, three)


@pytest.mark.parametrize("make_copy", COPIES.values(), ids=COPIES)
def test_net_that_was_not_trained_is_copied(make_net, samples, make_copy):
    X, y = samples
    net = make_copy(make_net())
    net.fit(X, y)
    assert len(net.train_history_) == 5


@pytest.mark.parametrize("make_copy", COPIES.values(), ids=COPIES)
def test_training_goes_on_as_if_never_copied(samples, make_copy):
    X, y = samples
    straight = make_random_net().fit(X, y, epochs=5)
    stopped = make_random_net().fit(X, y, epochs=2)
    resumed = make_copy(stopped).fit(X, y, epochs=3)
    assert_same(straight, resumed)
    losses = [row["train_loss"] for row in straight.train_history_]
    assert [row["train_loss"] for row in resumed.train_history_] == losses


def test_shuffling_goes_on_as_if_never_pickled(samples):
    X, y = samples
    # It is the caller's samples that are shuffled.
    straight = make_random_net(shuffle=True).fit(X.copy(), y.copy(), epochs=2)
    stopped = make_random_net(shuffle=True).fit(X.copy(), y.copy(), epochs=2)
    assert_same(straight, stopped)
    resumed = pickle.loads(pickle.dumps(stopped))
    for net in (straight, resumed):
        net.fit(X.copy(), y.copy(), epochs=2)
    assert_same(straight, resumed)


# A program that does one of the things on the way from a net to a trained one.
PROGRAM = """
import pickle, sys
import lasagne, numpy as np, theano
from lasagne import layers
from lasagne.nonlinearities import softmax
from lasagne.updates import nesterov_momentum
from nolearn.lasagne import BatchIterator, NeuralNet, TrainSplit

action, path = sys.argv[1:]
random = np.random.RandomState(0)
X = random.normal(size=(60, 1, 8, 8)).astype(theano.config.floatX)
y = random.randint(3, size=60).astype(np.int32)
if action == "start" or action == "straight":
    lasagne.random.set_rng(np.random.RandomState(5))
    layer = layers.InputLayer((None, 1, 8, 8))
    layer = layers.Conv2DLayer(layer, 3, 3)
    layer = layers.MaxPool2DLayer(layer, 2)
    layer = layers.DropoutLayer(layer)
    layer = layers.DenseLayer(layer, 3, nonlinearity=softmax)
    net = NeuralNet(
        layer,
        update=nesterov_momentum,
        update_learning_rate=0.01,
        train_split=TrainSplit(0),
        batch_iterator_train=BatchIterator(20),
    )
else:
    with open(path, "rb") as file:
        net = pickle.load(file)
net.fit(X, y, epochs={"start": 2, "resume": 3, "straight": 5}[action])
with open(path, "wb") as file:
    pickle.dump(net if action == "start" else net.get_all_params_values(), file)
"""


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_another_process_goes_on_with_a_pickle(tmp_path, dtype):
    def run(action, path):
        subprocess.run(
            [sys.executable, "-c", PROGRAM, action, str(path)],
            env=os.environ | {"THEANO_FLAGS": f"floatX={dtype}"},
            check=True,
            timeout=1200,
        )
        return pickle.loads(path.read_bytes()) if action != "start" else None

    run("start", tmp_path / "net")
    resumed = run("resume", tmp_path / "net")
    straight = run("straight", tmp_path / "params")
    assert list(resumed) == list(straight)
    for name in straight:
        for one, two in zip(resumed[name], straight[name], strict=True):
            assert one.dtype == two.dtype == dtype
            assert np.array_equal(one, two)


def test_pickle_of_another_process_is_read_here(tmp_path):
    path = tmp_path / "net"
    subprocess.run(
        [sys.executable, "-c", PROGRAM, "start", str(path)],
        env=os.environ | {"THEANO_FLAGS": f"floatX={theano.config.floatX}"},
        check=True,
        timeout=1200,
    )
    net = pickle.loads(path.read_bytes())
    X = np.random.RandomState(0).normal(size=(60, 1, 8, 8))
    probabilities = net.predict_proba(X.astype(theano.config.floatX))
    np.testing.assert_allclose(probabilities.sum(axis=1), np.ones(60), rtol=1e-5)
    assert len(net.train_history_) == 2
