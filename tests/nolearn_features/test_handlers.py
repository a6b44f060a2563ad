"""The handlers that nolearn calls after batches and epochs."""

import csv
import pickle

import numpy as np
import pytest
from lasagne import layers
from lasagne.nonlinearities import softmax
from nolearn.lasagne import (
    BatchIterator,
    NeuralNet,
    PrintLayerInfo,
    PrintLog,
    RememberBestWeights,
    SaveWeights,
    TrainSplit,
    WeightLog,
)
from nolearn.lasagne.handlers import RestoreBestWeights


def same(some, other):
    """Whether two dictionaries of weights hold the same."""
    return list(some) == list(other) and all(
        np.array_equal(one, two)
        for name in some
        for one, two in zip(some[name], other[name], strict=True)
    )


class SetValidLoss:
    """Says that the validation loss of each epoch was a given one, and keeps the
    weights of each epoch.
    """

    def __init__(self, losses):
        self.losses = iter(losses)
        self.weights = []

    def __call__(self, net, history):
        history[-1]["valid_loss"] = next(self.losses)
        self.weights.append(net.get_all_params_values())


def test_save_weights_at_every_nth_epoch(make_net, samples, tmp_path):
    path = tmp_path / "{epoch}.pkl"
    net = make_net(
        max_epochs=4, on_epoch_finished=[SaveWeights(str(path), every_n_epochs=2)]
    ).fit(*samples)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0002.pkl", "0004.pkl"]
    other = make_net()
    other.load_params_from(str(tmp_path / "0004.pkl"))
    assert same(other.get_all_params_values(), net.get_all_params_values())


def test_save_weights_of_the_best_epoch(make_net, samples, tmp_path):
    losses = SetValidLoss([3, 1, 2])
    save = SaveWeights(str(tmp_path / "{epoch}-{loss}"), only_best=True)
    make_net(max_epochs=3, on_epoch_finished=[losses, save]).fit(*samples)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0001-3", "0002-1"]


def test_save_the_whole_net(make_net, samples, tmp_path):
    X, y = samples
    path = tmp_path / "net"
    save = SaveWeights(str(path), pickle=True)
    net = make_net(max_epochs=1, on_epoch_finished=[save]).fit(X, y)
    loaded = pickle.loads(path.read_bytes())
    assert np.array_equal(loaded.predict_proba(X), net.predict_proba(X))


@pytest.mark.parametrize("score", [None, "valid_loss"])
def test_best_weights_are_restored(make_net, samples, capsys, score):
    losses = SetValidLoss([3, 1, 2])
    remember = RememberBestWeights(score=score)
    net = make_net(
        max_epochs=3,
        on_epoch_finished=[losses, remember],
        on_training_finished=[RestoreBestWeights()],
    ).fit(*samples)
    # A score is best where it is largest.
    best = 2 if score is None else 1
    assert remember.best_weights_epoch == best
    assert same(net.get_all_params_values(), losses.weights[best - 1])
    value = {2: 1, 1: 3}[best]
    assert f"from epoch {best} where valid_loss was {value}" in capsys.readouterr().out


def test_layer_info_is_printed(make_net, samples, capsys):
    net = make_net()
    net.initialize()
    PrintLayerInfo()(net)
    assert capsys.readouterr().out == (
        f"# Neural Network with {(2 + 1) * 4 + (4 + 1) * 2} learnable parameters\n"
        "\n"
        "## Layer information\n"
        "\n"
        "  #  name      size\n"
        "---  ------  ------\n"
        "  0  input        2\n"
        "  1  hidden       4\n"
        "  2  output       2\n"
        "\n"
    )


def test_layer_info_of_convolutions_tells_their_capacity(capsys):
    layer = layers.InputLayer((None, 1, 8, 8), name="input")
    layer = layers.Conv2DLayer(layer, 2, 3, name="conv")
    layer = layers.DenseLayer(layer, 3, nonlinearity=softmax, name="output")
    net = NeuralNet(layer, update_learning_rate=0.1, verbose=2)
    net.initialize()
    PrintLayerInfo()(net)
    out = capsys.readouterr().out
    # 3 of 8 pixels are covered.
    [conv] = [line.split() for line in out.splitlines() if line.startswith("conv")]
    assert conv == ["conv", "2x6x6", "72", "100.00", "100.00", "37.50", "37.50"]
    assert "Explanation" in out


def test_log_is_a_table_of_the_epochs(make_net, samples, capsys):
    net = make_net(max_epochs=2, on_epoch_finished=[PrintLog()]).fit(*samples)
    heading, rule, first, second = capsys.readouterr().out.splitlines()
    assert heading.split()[0] == "epoch"
    assert set(rule) <= {"-", " "}
    for row, line in zip(net.train_history_, (first, second), strict=True):
        assert line.split()[0] == str(row["epoch"])
        assert f"{row['train_loss']:.5f}" in line
        assert f"{row['valid_accuracy']:.5f}" in line


def test_weight_log_writes_a_row_a_batch(make_net, samples, tmp_path):
    path = tmp_path / "weights.csv"
    log = WeightLog(save_to=str(path), write_every=1)
    net = make_net(
        max_epochs=1,
        on_batch_finished=[log],
        train_split=TrainSplit(0),
        batch_iterator_train=BatchIterator(50),
    ).fit(*samples)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(log.history) == 100 // 50
    W = net.layers_["hidden"].W.get_value()
    assert float(rows[-1]["hidden_0 wmean"]) == pytest.approx(W.mean())
    assert float(rows[-1]["hidden_0 wabsmean"]) == pytest.approx(np.abs(W).mean())
    assert float(rows[0]["hidden_0 wdiff"]) == 0 < float(rows[1]["hidden_0 wdiff"])
    assert pickle.loads(pickle.dumps(log)).history == log.history
