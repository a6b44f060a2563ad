"""Outcomes of discrete distributions, chosen by uniform numbers.

A distribution is a row of probabilities. The outcome that a uniform number stands
for is the first at which the probabilities, added up from the left in float64,
exceed it; where none does, there is no outcome.
"""

from typing import Any

import numpy as np

__all__ = ["choose_distinct", "count_outcomes"]

Array = np.ndarray[Any, Any]


def count_outcomes(pvals: Array, uniforms: Array, dtype: Any) -> Array:
    """How often each outcome is met, shaped like ``pvals``.

    ``pvals`` is ``(distributions, outcomes)``, ``uniforms`` ``(draws,
    distributions)``.
    """
    counts = np.zeros(pvals.shape, dtype)
    sums = np.cumsum(pvals, axis=1, dtype=np.float64)
    for draw in uniforms:
        rows, outcomes = _outcomes(sums, draw)
        counts[rows, outcomes] += 1
    return counts


def choose_distinct(pvals: Array, uniforms: Array, dtype: Any) -> Array:
    """One outcome a draw, a different one each time, ``(distributions, draws)``.

    An outcome once drawn has probability 0 in the draws thereafter, and the others
    are divided by their sum. No outcome is -1. ``pvals`` and ``uniforms`` are those
    of :func:`count_outcomes`.
    """
    chosen = np.full(uniforms.shape[::-1], -1, dtype)
    pvals = pvals.copy()
    for position, draw in enumerate(uniforms):
        sums = np.cumsum(pvals, axis=1, dtype=np.float64)
        rows, outcomes = _outcomes(sums, draw)
        chosen[rows, position] = outcomes
        before = sums[rows, outcomes] - pvals[rows, outcomes]
        pvals[rows, outcomes] = 0
        # Added up in pvals' own precision, from the left.
        later = np.arange(pvals.shape[1]) > outcomes[:, np.newaxis]
        terms = np.concatenate([before[:, np.newaxis], pvals[rows] * later], axis=1)
        with np.errstate(invalid="ignore"):  # 0/0 where none is left
            pvals[rows] /= np.cumsum(terms, axis=1, dtype=pvals.dtype)[:, -1:]
    return chosen


def _outcomes(sums: Array, draw: Array) -> tuple[Array, Array]:
    """The rows that have an outcome, and their outcomes."""
    exceeded = sums > draw[:, np.newaxis]
    rows = np.flatnonzero(exceeded.any(axis=1))
    return rows, exceeded[rows].argmax(axis=1)
