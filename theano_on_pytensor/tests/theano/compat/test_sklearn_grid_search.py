"""The searches of scikit-learn 0.18: folds, order of arguments, grid_scores_."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from theano.compat.sklearn_cross_validation import KFold, StratifiedKFold
from theano.compat.sklearn_grid_search import GridSearchCV, RandomizedSearchCV


class Recorder(BaseEstimator):
    """Scores the first test sample, times a factor; no classifier of scikit-learn."""

    def __init__(self, factor=1):
        self.factor = factor

    def fit(self, X, y=None, **keywords):
        self.keywords_ = keywords
        return self

    def predict(self, X):
        return np.zeros(len(X))

    def score(self, X, y=None):
        return float(self.factor * X[0, 0])


@pytest.fixture
def samples():
    return np.arange(7.0).reshape(-1, 1), np.array([0, 0, 0, 0, 1, 1, 1])


def test_three_folds_in_order_and_a_score_for_each(samples):
    search = GridSearchCV(Recorder(), {"factor": [1, 2]}).fit(*samples)
    first_of_each = [test[0] for _, test in KFold(7, 3)]
    one, two = search.grid_scores_
    assert (one.parameters, two.parameters) == ({"factor": 1}, {"factor": 2})
    assert one.cv_validation_scores.tolist() == first_of_each
    assert two.mean_validation_score == pytest.approx(np.mean(first_of_each) * 2)
    assert search.best_params_ == {"factor": 2}
    assert search.best_estimator_.factor == 2
    assert repr(one) == (
        f"mean: {np.mean(first_of_each):.5f}, std: {np.std(first_of_each):.5f}, "
        "params: {'factor': 1}"
    )


@pytest.mark.parametrize("wrap", [lambda net: net, lambda net: make_pipeline(net)])
def test_classifiers_of_scikit_learn_have_stratified_folds(samples, wrap):
    X, y = samples
    classifier = wrap(DummyClassifier(strategy="constant", constant=1))
    scores = GridSearchCV(classifier, {}).fit(X, y).grid_scores_[0]
    expected = [np.mean(y[test] == 1) for _, test in StratifiedKFold(y, 3)]
    assert scores.cv_validation_scores.tolist() == pytest.approx(expected)


def test_folds_of_a_pipeline_are_those_of_its_last_step(samples):
    pipeline = make_pipeline(StandardScaler(), Recorder())
    search = GridSearchCV(pipeline, {"recorder__factor": [1]}).fit(*samples)
    assert search.n_splits_ == 3


def test_arguments_in_the_old_order(samples):
    X, y = samples
    search = GridSearchCV(
        *(Recorder(), {"factor": [1]}, None, {"epochs": 2}, 1, True, True, 2)
    ).fit(X, y)
    assert search.n_splits_ == search.cv == 2
    assert search.best_estimator_.keywords_ == {"epochs": 2}


def test_search_can_be_cloned(samples):
    search = GridSearchCV(Recorder(), {"factor": [1]}, fit_params={"epochs": 2}, cv=2)
    search.fit(*samples)
    assert clone(search).get_params()["fit_params"] == {"epochs": 2}


def test_random_combinations(samples):
    search = RandomizedSearchCV(
        Recorder(), {"factor": [1, 2, 3]}, n_iter=2, random_state=0
    ).fit(*samples)
    assert len(search.grid_scores_) == 2


def test_folds_of_ones_own(samples):
    X, y = samples
    search = GridSearchCV(Recorder(), {}, cv=KFold(7, 7)).fit(X, y)
    assert search.grid_scores_[0].cv_validation_scores.tolist() == list(range(7))
