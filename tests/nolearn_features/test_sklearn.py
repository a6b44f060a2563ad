"""nolearn's nets as estimators of today's scikit-learn."""

import warnings

import numpy as np
import pytest
from lasagne import layers
from lasagne.nonlinearities import softmax
from lasagne.updates import adam, nesterov_momentum
from nolearn.lasagne import BatchIterator, NeuralNet, PrintLog, TrainSplit
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import theano


@pytest.fixture(autouse=True)
def no_warnings():
    """scikit-learn warns of what it will refuse one day."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        warnings.simplefilter("error", DeprecationWarning)
        yield


def test_clone_is_untrained_and_of_the_same_parameters(make_net, samples):
    net = make_net(
        update=adam,
        batch_iterator_train=BatchIterator(50),
        on_epoch_finished=[PrintLog()],
    )
    del net.update_momentum
    net._kwarg_keys.remove("update_momentum")
    net.fit(*samples)
    other = clone(net)
    assert type(other) is NeuralNet
    assert other.train_history_ == []
    assert not hasattr(other, "layers_")
    assert other.update is adam
    assert other.hidden_num_units == 4
    assert other.batch_iterator_train.batch_size == 50
    # Copies, as scikit-learn makes.
    assert other.batch_iterator_train is not net.batch_iterator_train
    assert [type(handler) for handler in other.on_epoch_finished] == [PrintLog]
    assert other.on_epoch_finished is not net.on_epoch_finished
    assert set(other.get_params()) == set(net.get_params())


def test_clone_of_layers_has_weights_of_its_own(samples):
    layer = layers.InputLayer((None, 2))
    layer = layers.DenseLayer(layer, 2, nonlinearity=softmax)
    net = NeuralNet(layer, update_learning_rate=0.1, max_epochs=2)
    other = clone(net).fit(*samples)
    assert not np.array_equal(other.layers_[1].W.get_value(), layer.W.get_value())


def test_clone_keeps_a_subclass_and_its_parameters(make_net):
    class Net(NeuralNet):
        def __init__(self, layers, width=3, max_epochs=7):
            self.width = width
            super().__init__(layers=layers, max_epochs=max_epochs)

    other = clone(Net([("input", layers.InputLayer)], width=5))
    assert (type(other), other.width, other.max_epochs) == (Net, 5, 7)


def test_parameters_are_set(make_net):
    net = make_net().set_params(max_epochs=2, hidden_num_units=7)
    assert (net.max_epochs, net.hidden_num_units) == (2, 7)


def test_scores_of_cross_validation(make_net, samples):
    X, y = samples
    net = make_net(max_epochs=20)
    assert cross_val_score(net, X, y, cv=3).min() > 0.8


@pytest.mark.parametrize(
    ("scoring", "least"), [("accuracy", 0.8), ("neg_log_loss", -0.5), ("roc_auc", 0.9)]
)
def test_scorers(make_net, samples, scoring, least):
    X, y = samples
    scores = cross_val_score(
        make_net(max_epochs=20), X, y, cv=2, scoring=scoring, error_score="raise"
    )
    assert scores.min() > least


def test_grid_search_finds_the_better_parameters(make_net, samples):
    X, y = samples
    search = GridSearchCV(
        make_net(max_epochs=10),
        {"update_learning_rate": [1e-6, 0.3], "hidden_num_units": [4]},
        cv=3,
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_ == {"update_learning_rate": 0.3, "hidden_num_units": 4}
    assert search.best_estimator_.update_learning_rate == 0.3
    assert search.score(X, y) > 0.8
    assert search.predict_proba(X).shape == (100, 2)


def test_grid_search_over_more_params_and_functions(make_net, samples):
    X, y = samples
    search = GridSearchCV(
        make_net(
            layers=[
                ("input", layers.InputLayer),
                ("hidden", layers.DenseLayer),
                ("output", layers.DenseLayer),
            ],
            max_epochs=2,
            train_split=TrainSplit(0),
        ),
        {
            "more_params": [{"hidden_num_units": 3}, {"hidden_num_units": 5}],
            "update": [nesterov_momentum],
        },
        cv=2,
        error_score="raise",
    ).fit(X, y)
    assert len(search.cv_results_["params"]) == 2


@pytest.mark.slow
def test_grid_search_in_several_processes(make_net, samples):
    X, y = samples
    search = GridSearchCV(
        make_net(max_epochs=2),
        {"hidden_num_units": [2, 3]},
        cv=2,
        n_jobs=2,
        error_score="raise",
    ).fit(X, y)
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()


def test_randomized_search(make_net, samples):
    X, y = samples
    search = RandomizedSearchCV(
        make_net(max_epochs=2),
        {"hidden_num_units": [2, 3, 4]},
        n_iter=2,
        cv=2,
        random_state=0,
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_["hidden_num_units"] in {2, 3, 4}


def test_pipeline(make_net, samples):
    X, y = samples
    pipeline = make_pipeline(StandardScaler(), make_net(max_epochs=20))
    pipeline.fit(1000 * X, y)
    assert pipeline.score(1000 * X, y) > 0.9
    assert pipeline.predict(1000 * X).shape == y.shape
    assert pipeline.predict_proba(1000 * X).shape == (100, 2)
    assert clone(pipeline).steps[-1][1].train_history_ == []


def test_grid_search_over_a_pipeline(make_net, samples):
    X, y = samples
    search = GridSearchCV(
        make_pipeline(StandardScaler(), make_net(max_epochs=2)),
        {"neuralnet__hidden_num_units": [3, 5]},
        cv=2,
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_["neuralnet__hidden_num_units"] in {3, 5}


def test_predictions_of_cross_validation(make_net, samples):
    X, y = samples
    predicted = cross_val_predict(make_net(max_epochs=20), X, y, cv=2)
    assert np.mean(predicted == y) > 0.8


@pytest.mark.parametrize(
    "combine",
    [
        lambda net: VotingClassifier([("one", net), ("two", net)], voting="soft"),
        lambda net: CalibratedClassifierCV(net, cv=2),
        lambda net: OneVsRestClassifier(net),
        lambda net: BaggingClassifier(net, n_estimators=2, random_state=0),
    ],
    ids=["voting", "calibrated", "one against the rest", "bagging"],
)
def test_classifiers_made_of_nets(make_net, samples, combine):
    X, y = samples
    # They encode the labels as int64, which the net's own encoder takes.
    combined = combine(make_net(max_epochs=20, use_label_encoder=True)).fit(X, y)
    assert combined.score(X, y) > 0.8


def test_kind_of_estimator(make_net):
    assert is_classifier(make_net())
    regressor = make_net(regression=True, output_nonlinearity=None)
    assert is_regressor(regressor)
    assert not is_classifier(regressor)


def test_classes_are_the_numbers_of_the_outputs(make_net):
    net = make_net(output_num_units=3)
    assert not hasattr(net, "classes_")
    net.initialize()
    assert net.classes_.tolist() == [0, 1, 2]
    regressor = make_net(regression=True, output_nonlinearity=None)
    regressor.initialize()
    assert not hasattr(regressor, "classes_")


def test_regression_is_cross_validated(make_net, samples):
    X, _ = samples
    targets = (X @ [[2.0], [-1.0]]).astype(theano.config.floatX)
    net = make_net(
        regression=True,
        output_num_units=1,
        output_nonlinearity=None,
        update_learning_rate=0.02,
        max_epochs=40,
    )
    assert cross_val_score(net, X, targets, cv=2, error_score="raise").min() > 0.5


def test_net_is_shown_as_text_and_in_a_notebook(make_net):
    net = make_net()
    assert repr(net).startswith("NeuralNet(")
    assert "hidden_num_units=4" in repr(net)
    assert "hidden_num_units" in net._repr_html_()
    assert "max_epochs" in make_pipeline(StandardScaler(), net)._repr_html_()
