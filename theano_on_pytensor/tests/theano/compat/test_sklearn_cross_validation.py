"""The folds of scikit-learn 0.18, against its rule written out slowly."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theano.compat.sklearn_cross_validation import KFold, StratifiedKFold


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
