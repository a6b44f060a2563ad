"""Outcomes chosen by uniform numbers, against one loop an outcome."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from pytensor_nnet.kernels.multinomial import choose_distinct, count_outcomes

dtypes = st.sampled_from([np.float32, np.float64])


def outcome_of(row, uniform):
    total = 0.0
    for outcome, p in enumerate(row):
        total += float(p)
        if total > float(uniform):
            return outcome
    return None


@st.composite
def distributions(draw):
    """Probabilities and uniform numbers, with sums at and below 1, and ties."""
    dtype = draw(dtypes)
    shape = draw(st.tuples(st.integers(0, 5), st.integers(1, 6)))
    eighths = draw(npst.arrays(np.int64, shape, elements=st.integers(0, 4)))
    draws = draw(st.integers(0, 4))
    uniforms = draw(
        npst.arrays(np.int64, (draws, shape[0]), elements=st.integers(0, 16))
    )
    return (eighths / 8).astype(dtype), (uniforms / 16).astype(dtype)


@given(distributions())
def test_counts_against_one_loop_an_outcome(given_):
    pvals, uniforms = given_
    expected = np.zeros(pvals.shape, np.int64)
    for draw in uniforms:
        for row, uniform in enumerate(draw):
            outcome = outcome_of(pvals[row], uniform)
            if outcome is not None:
                expected[row, outcome] += 1
    counts = count_outcomes(pvals, uniforms, "int64")
    assert np.array_equal(counts, expected)


@given(distributions(), st.booleans())
@example((np.array([[0.375, 0, 0, 0, 0, 0.375]]), np.array([[0], [0.5], [0.25]])), True)
def test_distinct_outcomes_against_one_loop_an_outcome(given_, scale):
    pvals, uniforms = given_
    if scale and pvals.size:
        pvals = (pvals + 0.1).astype(pvals.dtype)
        pvals /= pvals.sum(axis=1, keepdims=True)
    kept = pvals.copy()
    chosen = choose_distinct(pvals, uniforms, "int32")
    assert chosen.dtype == np.int32
    assert np.array_equal(pvals, kept)
    for row, left in enumerate(pvals.copy()):
        for position, uniform in enumerate(uniforms[:, row]):
            outcome = outcome_of(left, uniform)
            assert chosen[row, position] == (-1 if outcome is None else outcome)
            if outcome is None:
                continue
            before = 0.0
            for p in left[: outcome + 1]:  # sum() corrects for rounding since 3.12
                before += float(p)
            total = before - float(left[outcome])
            assert before >= total
            left[outcome] = 0
            total = left.dtype.type(total)
            for p in left[outcome:]:
                total = left.dtype.type(total + p)
            with np.errstate(invalid="ignore"):
                left /= total


def test_all_outcomes_are_drawn_where_all_are_asked_for():
    rng = np.random.default_rng(0)
    pvals = rng.dirichlet(np.ones(7), size=50)
    chosen = choose_distinct(pvals, rng.uniform(size=(7, 50)) * 0.999999, "int64")
    assert np.array_equal(np.sort(chosen, axis=1), np.tile(np.arange(7), (50, 1)))
