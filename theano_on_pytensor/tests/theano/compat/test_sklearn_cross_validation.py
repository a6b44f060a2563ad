"""The folds of scikit-learn 0.18, against its rule written out slowly."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV

from theano.compat import sklearn_cross_validation
from theano.compat.sklearn_cross_validation import (
    KFold,
    LabelKFold,
    LabelShuffleSplit,
    LeaveOneLabelOut,
    LeaveOneOut,
    LeavePLabelOut,
    LeavePOut,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
    cross_val_predict,
    cross_val_score,
    permutation_test_score,
    was_classifier,
)


def runs_of(count, n_folds):
    """The fold of each of ``count`` samples: the first ``count % n_folds`` folds
    are one longer than the others.
    """
    folds = []
    for fold in range(n_folds):
        folds += [fold] * (count // n_folds + (fold < count % n_folds))
    return folds


def test_folds_are_consecutive_and_the_first_are_longer():
    tests = [test.tolist() for _, test in KFold(7, n_folds=3)]
    assert tests == [[0, 1, 2], [3, 4], [5, 6]]


@given(st.integers(2, 40), st.data())
def test_every_sample_is_in_one_test_fold(n, data):
    n_folds = data.draw(st.integers(2, n))
    folds = KFold(n, n_folds, shuffle=data.draw(st.booleans()), random_state=1)
    assert len(folds) == n_folds
    tests = []
    for train, test in folds:
        assert sorted([*train, *test]) == list(range(n))
        tests += test.tolist()
    assert sorted(tests) == list(range(n))


@given(st.lists(st.integers(0, 3), min_size=8, max_size=60), st.integers(2, 5))
def test_each_class_fills_the_folds_in_order(labels, n_folds):
    labels = np.array(labels)
    counts = np.bincount(labels)
    if counts.max() < n_folds:
        with pytest.raises(ValueError, match=f"n_folds={n_folds}"):
            StratifiedKFold(labels, n_folds)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folds = StratifiedKFold(labels, n_folds)
    next_of = {
        label: iter(runs_of(max(count, n_folds), n_folds))
        for label, count in enumerate(counts)
    }
    expected = [next(next_of[label]) for label in labels]
    for fold, (train, test) in enumerate(folds):
        assert test.tolist() == [i for i, f in enumerate(expected) if f == fold]
        assert train.tolist() == [i for i, f in enumerate(expected) if f != fold]


def test_shuffling_keeps_the_shares_and_depends_on_the_seed():
    labels = np.repeat([0, 1], [20, 10])

    def tests(seed):
        folds = StratifiedKFold(labels, 5, shuffle=True, random_state=seed)
        return [test.tolist() for _, test in folds]

    assert tests(1) == tests(1) != tests(2)
    for test in tests(1):
        assert np.bincount(labels[test]).tolist() == [20 // 5, 10 // 5]


def test_a_class_smaller_than_the_number_of_folds_is_warned_about():
    with pytest.warns(UserWarning, match="only 1 samples"):
        StratifiedKFold([0, 0, 0, 1], 2)


@pytest.mark.parametrize("n_folds", [1, 5, 2.5])
def test_a_number_of_folds_that_cannot_be(n_folds):
    with pytest.raises(ValueError, match="n_folds"):
        KFold(4, n_folds)


LABELS = np.array([0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize(
    ("splits", "tests"),
    [
        (LeaveOneOut(3), [[0], [1], [2]]),
        (LeavePOut(3, 2), [[0, 1], [0, 2], [1, 2]]),
        (LeaveOneLabelOut(LABELS), [[0, 1], [2, 3], [4, 5]]),
        (LeavePLabelOut(LABELS, 2), [[0, 1, 2, 3], [0, 1, 4, 5], [2, 3, 4, 5]]),
        (PredefinedSplit([0, -1, 1, 0]), [[0, 3], [2]]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_splits_without_chance(splits, tests):
    assert [test.tolist() for _, test in splits] == tests
    assert len(splits) == len(tests)
    for train, test in splits:
        assert sorted([*train, *test]) == list(range(splits.n))


def test_random_splits_are_those_of_a_permutation():
    splits = ShuffleSplit(20, n_iter=3, test_size=0.25, random_state=5)
    rng = np.random.RandomState(5)
    assert len(splits) == 3
    for train, test in splits:
        order = rng.permutation(20).tolist()
        assert (test.tolist(), train.tolist()) == (order[:5], order[5:])


def test_random_splits_keep_the_shares_of_the_classes():
    y = np.repeat([0, 1], [30, 10])
    splits = StratifiedShuffleSplit(y, n_iter=2, test_size=0.2, random_state=0)
    assert [np.bincount(y[test]).tolist() for _, test in splits] == [[6, 2], [6, 2]]


@pytest.mark.parametrize(
    "splits",
    [LabelKFold(LABELS, 3), LabelShuffleSplit(LABELS, n_iter=4, random_state=0)],
    ids=lambda splits: type(splits).__name__,
)
def test_no_label_is_parted(splits):
    for train, test in splits:
        assert not set(LABELS[train]) & set(LABELS[test])


class Counter(BaseEstimator):
    """Scores the number of test samples; no classifier of scikit-learn."""

    def fit(self, X, y=None, **keywords):
        self.keywords_ = keywords
        return self

    def predict(self, X):
        return np.arange(len(X))

    def score(self, X, y=None):
        return len(X)


def test_score_has_three_folds_and_arguments_in_the_old_order():
    X, y = np.zeros((7, 1)), np.zeros(7)
    assert cross_val_score(Counter(), X, y).tolist() == [3, 2, 2]
    assert cross_val_score(Counter(), X, y, None, 2).tolist() == [4, 3]
    assert cross_val_score(Counter(), X, y, cv=KFold(7, 7)).tolist() == [1] * 7


def test_score_stratifies_for_classifiers_of_scikit_learn():
    X, y = np.zeros((9, 1)), np.repeat([0, 1], [6, 3])
    scores = cross_val_score(DummyClassifier(strategy="most_frequent"), X, y)
    assert scores.tolist() == pytest.approx([2 / 3] * 3)


def test_predictions_are_of_each_fold():
    predicted = cross_val_predict(Counter(), np.zeros((7, 1)), np.zeros(7))
    assert predicted.tolist() == [0, 1, 2, 0, 1, 0, 1]


def test_permutations_are_scored():
    score, scores, p = permutation_test_score(
        Counter(), np.zeros((6, 1)), np.zeros(6), n_permutations=4
    )
    assert (score, scores.tolist(), p) == (2, [2] * 4, 1)


def test_which_estimators_were_classifiers():
    assert was_classifier(DummyClassifier())
    assert was_classifier(GridSearchCV(DummyClassifier(), {}))
    assert not was_classifier(Counter())
    assert not was_classifier(GridSearchCV(Counter(), {}))


def test_everything_of_the_old_module_is_here():
    assert len(sklearn_cross_validation.__all__) == 16
