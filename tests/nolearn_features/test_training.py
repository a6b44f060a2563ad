"""Training and asking a net: fit, partial_fit, splits, batches, losses, scores."""

import lasagne
import numpy as np
import pytest
from lasagne import layers
from lasagne.nonlinearities import softmax
from lasagne.updates import sgd
from nolearn.lasagne import BatchIterator, NeuralNet, TrainSplit, grad_scale

import theano
import theano.tensor as T

ALL = TrainSplit(eval_size=0)


def get_values(net):
    return [p.get_value() for p in net.get_all_params()]


def softmax_of(net, X):
    """What the net of conftest gives, in NumPy."""
    W1, b1, W2, b2 = get_values(net)
    scores = np.maximum(X @ W1 + b1, 0) @ W2 + b2
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def copy_params(source, *nets):
    for net in nets:
        net.load_params_from(source)


def test_fit_learns_and_says_how(make_net, samples):
    net = make_net(max_epochs=20)
    assert net.fit(*samples) is net
    history = net.train_history_
    assert [row["epoch"] for row in history] == list(range(1, 20 + 1))
    assert history[-1]["train_loss"] < history[0]["train_loss"] / 2
    assert history[-1]["valid_accuracy"] > 0.9


def test_predictions_and_score(make_net, samples):
    X, y = samples
    net = make_net().fit(X, y)
    np.testing.assert_allclose(net.predict_proba(X), softmax_of(net, X), rtol=1e-6)
    predicted = softmax_of(net, X).argmax(axis=1)
    assert net.predict(X).tolist() == predicted.tolist()
    assert net.score(X, y) == np.mean(predicted == y)


def test_partial_fit_is_one_epoch_of_fit(make_net, samples):
    part, whole = make_net(), make_net()
    part.initialize()
    copy_params(part, whole)
    assert part.partial_fit(*samples) is part
    part.partial_fit(*samples)
    whole.fit(*samples, epochs=2)
    assert [row["epoch"] for row in part.train_history_] == [1, 2]
    for one, other in zip(get_values(part), get_values(whole), strict=True):
        assert np.array_equal(one, other)


def test_step_is_that_of_the_gradient(make_net, samples):
    X, y = samples
    net = make_net(update=sgd, train_split=ALL, max_epochs=1)
    del net.update_momentum
    net._kwarg_keys.remove("update_momentum")
    net.initialize()
    W, b = (value.copy() for value in get_values(net)[2:])
    error = (softmax_of(net, X) - np.eye(2)[y]) / len(X)
    hidden = net.get_output("hidden", X)
    net.fit(X, y)
    np.testing.assert_allclose(get_values(net)[2], W - 0.1 * hidden.T @ error)
    np.testing.assert_allclose(get_values(net)[3], b - 0.1 * error.sum(axis=0))


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_hold_every_sample_once(samples, shuffle):
    X, _ = samples
    numbers = np.arange(len(X), dtype=np.int32)
    kept = X.copy()
    batches = list(BatchIterator(batch_size=30, shuffle=shuffle)(X, numbers))
    assert [len(Xb) for Xb, _ in batches] == [30, 30, 30, 10]
    order = np.concatenate([yb for _, yb in batches])
    assert (order.tolist() == list(range(100))) is not shuffle
    assert sorted(order.tolist()) == list(range(100))
    assert np.array_equal(np.concatenate([Xb for Xb, _ in batches]), kept[order])


def test_shuffled_batches_depend_on_the_seed_alone(make_net, samples):
    def train(seed):
        net = make_net(
            batch_iterator_train=BatchIterator(20, shuffle=True, seed=seed),
            train_split=ALL,
        )
        lasagne.random.set_rng(np.random.RandomState(3))
        X, y = samples
        return get_values(net.fit(X.copy(), y.copy()))[0]

    assert np.array_equal(train(1), train(1))
    assert not np.array_equal(train(1), train(2))


def test_train_split_keeps_the_shares_of_the_classes(make_net):
    X = np.zeros((100, 2), theano.config.floatX)
    y = np.repeat([0, 1], [75, 25]).astype(np.int32)
    net = make_net()
    _, _, y_train, y_valid = TrainSplit(0.2)(X, y, net)
    assert np.bincount(y_valid).tolist() == [75 // 5, 25 // 5]
    _, _, y_train, y_valid = TrainSplit(0.2, stratify=False)(X, y, net)
    assert np.bincount(y_valid).tolist() == [20]
    assert np.bincount(y_train).tolist() == [75 - 20, 25]


def test_without_a_validation_set_there_is_no_validation_loss(make_net, samples):
    net = make_net(train_split=ALL, max_epochs=1).fit(*samples)
    assert np.isnan(net.train_history_[0]["valid_loss"])


@pytest.mark.parametrize("columns", [1, 2])
def test_regression(make_net, samples, columns):
    X, _ = samples
    targets = (X @ np.array([[2.0, -1.0], [0.5, 1.0]]))[:, :columns]
    targets = targets.astype(theano.config.floatX)
    net = make_net(
        regression=True,
        output_num_units=columns,
        output_nonlinearity=None,
        update_learning_rate=0.02,
        max_epochs=60,
        batch_iterator_train=BatchIterator(20),
    )
    # One target may also be a vector.
    net.fit(X, targets[:, 0] if columns == 1 else targets)
    predicted = net.predict(X)
    assert predicted.shape == targets.shape
    # nolearn's R2 takes the predictions for the truth.
    residual = ((predicted - targets) ** 2).sum(axis=0)
    total = ((predicted - predicted.mean(axis=0)) ** 2).sum(axis=0)
    r2 = np.mean(1 - residual / total)
    assert net.score(X, targets) == pytest.approx(r2)
    assert r2 > 0.9


def test_several_inputs(samples):
    X, y = samples
    inputs = {"left": X[:, :1], "right": X[:, 1:]}
    net = NeuralNet(
        layers=[
            (layers.InputLayer, {"name": "left", "shape": (None, 1)}),
            (layers.InputLayer, {"name": "right", "shape": (None, 1)}),
            (layers.ConcatLayer, {"name": "both", "incomings": ["left", "right"]}),
            (layers.DenseLayer, {"num_units": 2, "nonlinearity": softmax}),
        ],
        update_learning_rate=0.5,
        max_epochs=20,
    )
    net.fit(inputs, y)
    W, b = get_values(net)
    assert net.score(inputs, y) == np.mean((X @ W + b).argmax(axis=1) == y) > 0.9


def test_loss_function_of_ones_own(make_net, samples):
    X, y = samples

    def absolute_error(predictions, targets):
        return abs(predictions[T.arange(targets.shape[0]), targets] - 1)

    net = make_net(
        objective_loss_function=absolute_error, train_split=ALL, max_epochs=1
    )
    net.initialize()
    expected = np.mean(1 - softmax_of(net, X)[np.arange(len(X)), y])
    net.fit(X, y)
    assert net.train_history_[0]["train_loss"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("keywords", "penalty"),
    [
        ({"objective_l1": 0.01}, lambda W: 0.01 * np.abs(W).sum()),
        ({"objective_l2": 0.02}, lambda W: 0.02 * (W**2).sum()),
        (
            {"objective_l1": 0.01, "objective_l2": 0.02},
            lambda W: 0.01 * np.abs(W).sum() + 0.02 * (W**2).sum(),
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_regularization_adds_its_penalty(make_net, samples, keywords, penalty):
    X, y = samples
    net = make_net(train_split=ALL, max_epochs=1, **keywords)
    net.initialize()
    likelihoods = softmax_of(net, X)[np.arange(len(X)), y]
    W1, _, W2, _ = get_values(net)
    expected = -np.log(likelihoods).mean() + penalty(W1) + penalty(W2)
    net.fit(X, y)
    assert net.train_history_[0]["train_loss"] == pytest.approx(expected)


def test_objective_of_ones_own(make_net, samples):
    X, y = samples

    def objective(layers, target, factor, **keywords):
        from nolearn.lasagne import objective

        return factor * objective(layers, target=target, **keywords)

    losses = {}
    lasagne.random.set_rng(np.random.RandomState(3))
    first = make_net(train_split=ALL, max_epochs=1)
    first.initialize()
    for factor in (1, 3):
        net = make_net(
            objective=objective,
            objective_factor=factor,
            train_split=ALL,
            max_epochs=1,
        )
        net.initialize()
        copy_params(first, net)
        losses[factor] = net.fit(X, y).train_history_[0]["train_loss"]
    assert losses[3] == pytest.approx(3 * losses[1])


def test_scores_of_ones_own(make_net, samples):
    X, y = samples
    seen = []

    def count_right(targets, probabilities):
        seen.append(len(targets))
        return np.sum(probabilities.argmax(axis=1) == targets)

    net = make_net(
        max_epochs=1,
        custom_scores=[("right", count_right)],
        scores_train=[("largest", lambda predictions, targets: predictions[0].max())],
        scores_valid=[("mean", lambda predictions, targets: T.mean(predictions[0]))],
    ).fit(X, y)
    [row] = net.train_history_
    [n_valid] = seen
    assert row["right"] == pytest.approx(n_valid * row["valid_accuracy"])
    assert 0.5 <= row["largest"] <= 1
    assert row["mean"] == pytest.approx(1 / 2)


def test_gradients_of_a_layer_are_scaled(samples):
    X, y = samples

    def train(scale):
        lasagne.random.set_rng(np.random.RandomState(3))
        hidden = layers.DenseLayer(layers.InputLayer((None, 2)), 4)
        if scale is not None:
            grad_scale(hidden, scale)
        output = layers.DenseLayer(hidden, 2, nonlinearity=softmax)
        net = NeuralNet(output, update=sgd, update_learning_rate=0.1, train_split=ALL)
        net.initialize()
        before = hidden.W.get_value()
        net.fit(X, y, epochs=1)
        return hidden.W.get_value() - before

    np.testing.assert_allclose(train(0.5), 0.5 * train(None))
    assert not train(0.0).any()


def test_training_stops_early(make_net, samples):
    def stop(net, history):
        if len(history) == 3:
            raise StopIteration

    finished = []
    net = make_net(
        max_epochs=50,
        on_epoch_finished=[stop],
        on_training_finished=[lambda net, history: finished.append(len(history))],
    )
    assert len(net.fit(*samples).train_history_) == 3
    assert finished == [3]


def test_labels_may_be_words(make_net, samples):
    X, y = samples
    words = np.array(["left", "right"])[y]
    net = make_net(use_label_encoder=True, max_epochs=20).fit(X, words)
    assert net.classes_.tolist() == ["left", "right"]
    assert np.mean(net.predict(X) == words) > 0.9


def test_dtype_that_loses_digits_is_refused_with_the_inputs_name(make_net, samples):
    X, y = samples
    net = make_net(train_split=ALL)
    with pytest.raises(TypeError, match="int64") as error:
        net.fit(X, y.astype(np.int64))
    assert "y" in str(error.value)
