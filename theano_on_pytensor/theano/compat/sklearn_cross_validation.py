"""``sklearn.cross_validation`` as scikit-learn had it up to 0.19.

Its splitters took the data when they were made and were iterated over. Today's
in ``model_selection`` put other samples into the folds of a stratified split, so
those two are here in full: nolearn's training and validation sets follow from
them. Its functions made three folds, and stratified them for scikit-learn's own
classifiers alone.
"""

import warnings
from collections.abc import Iterator
from numbers import Integral

import numpy as np
from sklearn import model_selection
from sklearn.base import ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target

__all__ = [
    "KFold",
    "LabelKFold",
    "LabelShuffleSplit",
    "LeaveOneLabelOut",
    "LeaveOneOut",
    "LeavePLabelOut",
    "LeavePOut",
    "PredefinedSplit",
    "ShuffleSplit",
    "StratifiedKFold",
    "StratifiedShuffleSplit",
    "check_cv",
    "cross_val_predict",
    "cross_val_score",
    "permutation_test_score",
    "train_test_split",
]


def _fold_of_each(count: int, n_folds: int) -> np.ndarray:
    """Fold numbers of ``count`` samples in order: ``n_folds`` runs whose lengths
    differ by one at most, the longer ones first.
    """
    sizes = np.full(n_folds, count // n_folds)
    sizes[: count % n_folds] += 1
    return np.repeat(np.arange(n_folds), sizes)


class _Folds:
    """Iterates over (training indices, test indices), one pair a fold."""

    def __init__(self, n: int, n_folds: int, shuffle: bool, random_state) -> None:
        if n_folds != int(n_folds) or not 2 <= n_folds <= n:
            raise ValueError(
                f"n_folds must be a whole number from 2 to the number of samples, "
                f"{n}; got {n_folds}"
            )
        self.n = n
        self.n_folds = int(n_folds)
        self.shuffle = shuffle
        self.random_state = random_state
        self.test_folds = np.zeros(n, dtype=int)

    def __len__(self) -> int:
        return self.n_folds

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for fold in range(self.n_folds):
            in_test = self.test_folds == fold
            yield np.flatnonzero(~in_test), np.flatnonzero(in_test)


class KFold(_Folds):
    """``n`` samples in ``n_folds`` folds, consecutive unless ``shuffle``."""

    def __init__(self, n, n_folds=3, shuffle=False, random_state=None) -> None:
        super().__init__(n, n_folds, shuffle, random_state)
        order = np.arange(n)
        if shuffle:
            check_random_state(random_state).shuffle(order)
        self.test_folds[order] = _fold_of_each(n, self.n_folds)


class StratifiedKFold(_Folds):
    """Folds in which every class of ``y`` has its share: the samples of a class,
    in order, fill the folds one after the other.
    """

    def __init__(self, y, n_folds=3, shuffle=False, random_state=None) -> None:
        y = np.asarray(y)
        super().__init__(y.shape[0], n_folds, shuffle, random_state)
        self.y = y
        classes, class_of_each = np.unique(y, return_inverse=True)
        counts = np.bincount(class_of_each)
        if np.all(self.n_folds > counts):
            raise ValueError(
                f"every class has fewer samples than n_folds={self.n_folds}; the "
                f"largest has {counts.max()}"
            )
        if self.n_folds > counts.min():
            warnings.warn(
                f"the least populated class in y has only {counts.min()} samples, "
                f"fewer than n_folds={self.n_folds}",
                stacklevel=2,
            )
        rng = check_random_state(random_state) if shuffle else None
        for label, count in enumerate(counts):
            # A class smaller than n_folds is spread as if it were filled up.
            folds = _fold_of_each(max(count, self.n_folds), self.n_folds)
            if rng is not None:
                order = np.arange(len(folds))
                rng.shuffle(order)
                folds[order] = folds.copy()
            self.test_folds[class_of_each == label] = folds[:count]


class _Splits:
    """Iterates over the splits that one of today's splitters makes of some data."""

    def __init__(self, splitter, n, y=None, groups=None) -> None:
        self.n = n
        self._splitter = splitter
        self._data = np.zeros(n), y, groups

    def __len__(self) -> int:
        return self._splitter.get_n_splits(*self._data)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return self._splitter.split(*self._data)


class LeaveOneOut(_Splits):
    """Each of ``n`` samples is the test set once."""

    def __init__(self, n) -> None:
        super().__init__(model_selection.LeaveOneOut(), n)


class LeavePOut(_Splits):
    """Each ``p`` of ``n`` samples are the test set once."""

    def __init__(self, n, p) -> None:
        super().__init__(model_selection.LeavePOut(p), n)


class ShuffleSplit(_Splits):
    """``n_iter`` random splits of ``n`` samples."""

    def __init__(
        self, n, n_iter=10, test_size=0.1, train_size=None, random_state=None
    ) -> None:
        sizes = {"test_size": test_size, "train_size": train_size}
        super().__init__(
            model_selection.ShuffleSplit(n_iter, random_state=random_state, **sizes), n
        )


class StratifiedShuffleSplit(_Splits):
    """``n_iter`` random splits in which every class of ``y`` has its share."""

    def __init__(
        self, y, n_iter=10, test_size=0.1, train_size=None, random_state=None
    ) -> None:
        sizes = {"test_size": test_size, "train_size": train_size}
        super().__init__(
            model_selection.StratifiedShuffleSplit(
                n_iter, random_state=random_state, **sizes
            ),
            len(y),
            y=np.asarray(y),
        )


class LabelKFold(_Splits):
    """Folds that part no two samples of the same label."""

    def __init__(self, labels, n_folds=3) -> None:
        super().__init__(
            model_selection.GroupKFold(n_folds), len(labels), groups=labels
        )


class LabelShuffleSplit(_Splits):
    """``n_iter`` random splits that part no two samples of the same label."""

    def __init__(
        self, labels, n_iter=5, test_size=0.2, train_size=None, random_state=None
    ) -> None:
        sizes = {"test_size": test_size, "train_size": train_size}
        super().__init__(
            model_selection.GroupShuffleSplit(
                n_iter, random_state=random_state, **sizes
            ),
            len(labels),
            groups=labels,
        )


class LeaveOneLabelOut(_Splits):
    """The samples of each label are the test set once."""

    def __init__(self, labels) -> None:
        super().__init__(model_selection.LeaveOneGroupOut(), len(labels), groups=labels)


class LeavePLabelOut(_Splits):
    """The samples of each ``p`` labels are the test set once."""

    def __init__(self, labels, p) -> None:
        super().__init__(model_selection.LeavePGroupsOut(p), len(labels), groups=labels)


class PredefinedSplit(_Splits):
    """``test_fold`` has the fold of each sample; -1 is in no test set."""

    def __init__(self, test_fold) -> None:
        super().__init__(model_selection.PredefinedSplit(test_fold), len(test_fold))


def check_cv(cv, X=None, y=None, classifier=False):
    """``cv`` as folds: a number of them (3 for None) or what is iterated over."""
    if cv is not None and not isinstance(cv, Integral):
        return cv
    n_folds = 3 if cv is None else cv
    if classifier and type_of_target(y) in {"binary", "multiclass"}:
        return StratifiedKFold(y, n_folds)
    data = y if classifier else X
    # The length of a sparse matrix is none.
    return KFold(data.shape[0] if hasattr(data, "shape") else len(data), n_folds)


def was_classifier(estimator) -> bool:
    """Whether scikit-learn 0.18 took an estimator for a classifier.

    It asked for a mark that its own had; nolearn's nets have none.
    """
    while not isinstance(estimator, ClassifierMixin):
        if hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "estimator"):
            estimator = estimator.estimator
        else:
            return False
    return True


def scoring_today(scoring):
    """Today's name of a loss as a score: ``neg_log_loss`` for ``log_loss``."""
    errors = "mean_absolute_error", "mean_squared_error", "median_absolute_error"
    return f"neg_{scoring}" if scoring in ("log_loss", *errors) else scoring


def folds_for(estimator, cv, X, y) -> list[tuple[np.ndarray, np.ndarray]]:
    """The folds in which scikit-learn 0.18 cross-validated an estimator."""
    return list(check_cv(cv, X, y, classifier=was_classifier(estimator)))


def cross_val_score(
    estimator,
    X,
    y=None,
    scoring=None,
    cv=None,
    n_jobs=1,
    verbose=0,
    fit_params=None,
    pre_dispatch="2*n_jobs",
):
    """The score of the estimator on each fold, trained on the others."""
    return model_selection.cross_val_score(
        estimator,
        X,
        y,
        scoring=scoring_today(scoring),
        cv=folds_for(estimator, cv, X, y),
        n_jobs=n_jobs,
        verbose=verbose,
        params=fit_params,
        pre_dispatch=pre_dispatch,
        error_score="raise",
    )


def cross_val_predict(
    estimator,
    X,
    y=None,
    cv=None,
    n_jobs=1,
    verbose=0,
    fit_params=None,
    pre_dispatch="2*n_jobs",
):
    """Predictions for each fold by the estimator trained on the others."""
    return model_selection.cross_val_predict(
        estimator,
        X,
        y,
        cv=folds_for(estimator, cv, X, y),
        n_jobs=n_jobs,
        verbose=verbose,
        params=fit_params,
        pre_dispatch=pre_dispatch,
    )


def permutation_test_score(
    estimator,
    X,
    y,
    cv=None,
    n_permutations=100,
    n_jobs=1,
    labels=None,
    random_state=0,
    verbose=0,
    scoring=None,
):
    """How likely so good a score is by chance, of labels that are permuted."""
    return model_selection.permutation_test_score(
        estimator,
        X,
        y,
        groups=labels,
        cv=folds_for(estimator, cv, X, y),
        n_permutations=n_permutations,
        n_jobs=n_jobs,
        random_state=random_state,
        verbose=verbose,
        scoring=scoring_today(scoring),
    )
