"""``sklearn.cross_validation`` as scikit-learn had it up to 0.19.

Its splitters took the data when they were made and were iterated over; today's
in ``model_selection`` also put other samples into the folds of a stratified
split. nolearn's training and validation sets follow from the old folds.
"""

import warnings
from collections.abc import Iterator

import numpy as np
from sklearn.model_selection import (
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.utils import check_random_state

__all__ = [
    "KFold",
    "StratifiedKFold",
    "cross_val_predict",
    "cross_val_score",
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
