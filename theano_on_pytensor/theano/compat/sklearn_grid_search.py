"""``sklearn.grid_search`` as scikit-learn had it up to 0.19.

The searches are today's of ``model_selection`` with the old order of arguments,
the old folds, ``grid_scores_``, and ``iid``: each fold counts by its size.
"""

from typing import NamedTuple

import numpy as np
from sklearn import model_selection
from sklearn.model_selection import ParameterGrid, ParameterSampler

from theano.compat.sklearn_cross_validation import folds_for, scoring_today

__all__ = ["GridSearchCV", "ParameterGrid", "ParameterSampler", "RandomizedSearchCV"]


class _Scores(NamedTuple):
    """What some parameters scored."""

    parameters: dict
    mean_validation_score: float
    cv_validation_scores: np.ndarray

    def __repr__(self) -> str:
        return (
            f"mean: {self.mean_validation_score:.5f}, "
            f"std: {np.std(self.cv_validation_scores):.5f}, "
            f"params: {self.parameters}"
        )


class _Search:
    """Fits with the old folds and means, and has the old attribute of all scores."""

    def fit(self, X, y=None):
        """Score every combination of parameters, then train with the best."""
        cv, refit, scoring = self.cv, self.refit, self.scoring
        self.scoring = scoring_today(scoring)
        self.cv = folds_for(self.estimator, cv, X, y)
        self._weights = [len(test) if self.iid else 1 for _, test in self.cv]
        if refit:
            self.refit = lambda results: int(np.argmax(self._means(results)))
        try:
            super().fit(X, y, **(self.fit_params or {}))
        finally:
            self.cv, self.refit, self.scoring = cv, refit, scoring
        means = self._means(self.cv_results_)
        self.best_index_ = int(np.argmax(means))
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        self.best_score_ = means[self.best_index_]
        return self

    def _scores(self, results) -> np.ndarray:
        """A row for each combination of parameters, a column for each fold."""
        folds = range(len(self._weights))
        return np.transpose([results[f"split{i}_test_score"] for i in folds])

    def _means(self, results) -> np.ndarray:
        return np.average(self._scores(results), axis=1, weights=self._weights)

    @property
    def grid_scores_(self) -> list[_Scores]:
        """The scores of each combination of parameters."""
        results = self.cv_results_
        columns = results["params"], self._means(results), self._scores(results)
        return [_Scores(*scores) for scores in zip(*columns, strict=True)]


class GridSearchCV(_Search, model_selection.GridSearchCV):
    """Tries every combination of the parameters in ``param_grid``."""

    def __init__(
        self,
        estimator,
        param_grid,
        scoring=None,
        fit_params=None,
        n_jobs=1,
        iid=True,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score="raise",
    ) -> None:
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
        )
        self.fit_params = fit_params
        self.iid = iid


class RandomizedSearchCV(_Search, model_selection.RandomizedSearchCV):
    """Tries ``n_iter`` random combinations of parameters."""

    def __init__(
        self,
        estimator,
        param_distributions,
        n_iter=10,
        scoring=None,
        fit_params=None,
        n_jobs=1,
        iid=True,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score="raise",
    ) -> None:
        super().__init__(
            estimator,
            param_distributions,
            n_iter=n_iter,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
        )
        self.fit_params = fit_params
        self.iid = iid
