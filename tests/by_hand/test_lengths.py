"""Output lengths, against laying filters and pools along an axis one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_cnn.by_hand.rules import lengths

sizes = st.integers(1, 40)
small = st.integers(1, 9)


def places(length: int, size: int, stride: int) -> int:
    """How many whole filters fit, the first at the start."""
    return sum(1 for start in range(0, length, stride) if start + size <= length)


@given(sizes, small, small, st.integers(0, 8))
def test_a_convolution_takes_whole_filters(i, n, s, p):
    if i + 2 * p >= n:
        assert lengths.convolved(i, n, s, p).value == places(i + 2 * p, n, s)


@given(sizes, small)
def test_full_is_every_overlap(i, n):
    overlaps = {start for start in range(-n + 1, i) if start + n > 0}
    assert lengths.full(i, n).value == len(overlaps)


@given(sizes, small, small)
def test_same_keeps_the_length_but_for_the_stride(i, n, s):
    assert lengths.same(i, n, s).value == len(range(0, i, s))


@given(sizes, small, small, st.integers(0, 8))
def test_transposed_undoes_a_convolution(i, n, s, p):
    output = lengths.transposed(i, n, s, p).value
    if output + 2 * p >= n:
        assert lengths.convolved(output, n, s, p).value == i


@given(sizes, small, small, st.booleans())
def test_a_pool_takes_whole_regions_or_all_that_begin_inside(i, n, s, ignore_border):
    output = lengths.pooled(i, n, s, 0, ignore_border).value
    if ignore_border:
        if i >= n:
            assert output == places(i, n, s)
        return
    covered = [start for start in range(0, i, s)]
    if s < n:
        # A region that another one covers to the end is not begun.
        covered = [start for start in covered if start == 0 or start - s + n < i]
    assert output == len(covered)


@given(small, small)
def test_an_unknown_length_stays_unknown(n, s):
    for formula in (
        lengths.convolved(None, n, s),
        lengths.same(None, n, s),
        lengths.full(None, n, s),
        lengths.pooled(None, n, s),
        lengths.pooled(None, n, s, 0, False),
        lengths.transposed(None, n, s, 0),
    ):
        assert formula.value is None


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        (lengths.convolved(28, 5), "(28-(5-1))"),
        (lengths.convolved(28, 5, 1, 2), "(28+2*2-(5-1))"),
        (lengths.convolved(29, 5, 2, 2), "((29+2*2-5)/2)+1"),
        (lengths.convolved(28, 5, 2, 0), "((28-5)//2)+1"),
        (lengths.same(28, 5), "(28+2*2-(5-1))"),
    ],
)
def test_formulas_are_those_of_answer_1(formula, shown):
    assert formula == shown
