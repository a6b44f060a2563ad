"""The searches of scikit-learn 0.18: folds, order of arguments, grid_scores_."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from theano.compat import sklearn_cross_validation
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
    mean = (3 * first_of_each[0] + 2 * first_of_each[1] + 2 * first_of_each[2]) / 7
    one, two = search.grid_scores_
    assert (one.parameters, two.parameters) == ({"factor": 1}, {"factor": 2})
    assert one.cv_validation_scores.tolist() == first_of_each
    assert two.mean_validation_score == search.best_score_ == pytest.approx(2 * mean)
    assert search.best_params_ == {"factor": 2}
    assert search.best_estimator_.factor == 2
    assert repr(one) == (
        f"mean: {mean:.5f}, std: {np.std(first_of_each):.5f}, params: {{'factor': 1}}"
    )


def test_folds_may_count_alike(samples):
    search = GridSearchCV(Recorder(), {"factor": [1]}, iid=False, refit=False)
    search.fit(*samples)
    first_of_each = [test[0] for _, test in KFold(7, 3)]
    assert search.best_score_ == pytest.approx(np.mean(first_of_each))
    assert not hasattr(search, "best_estimator_")


def test_fold_sizes_decide_which_is_best():
    X = np.array([[-1.0], [0], [0], [1.5]])
    folds = [(np.array([3]), np.array([0, 1, 2])), (np.array([0]), np.array([3]))]

    def search(iid):
        search = GridSearchCV(Recorder(), {"factor": [1, 2]}, iid=iid, cv=folds)
        return search.fit(X, np.zeros(4))

    # Of the first fold -1 or -2, of the second, which has one sample, 1.5 or 3.
    assert search(iid=True).best_estimator_.factor == 1
    assert search(iid=False).best_estimator_.factor == 2


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


def test_losses_have_their_old_names(samples):
    X, y = samples
    classifier = DummyClassifier(strategy="prior")
    search = GridSearchCV(classifier, {"strategy": ["prior"]}, "log_loss").fit(X, y)
    assert search.scoring == "log_loss"
    assert search.best_score_ == pytest.approx(
        sklearn_cross_validation.cross_val_score(classifier, X, y, "log_loss")
        @ [3 / 7, 2 / 7, 2 / 7]
    )


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
