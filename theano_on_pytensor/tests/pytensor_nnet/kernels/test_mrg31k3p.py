"""MRG31k3p against its two recurrences in Python's integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytensor_nnet.kernels.mrg31k3p import M1, M2, jump, substreams, uniform


def next_state(state):
    x1, x2, x3, y1, y2, y3 = (int(word) for word in state)
    x = (2**22 * x2 + (2**7 + 1) * x3) % M1
    y = (2**15 * y1 + (2**15 + 1) * y3) % M2
    return [x, x1, x2, y, y1, y2]


def draw_slowly(states, number):
    """The integers ``z`` from 1 to ``M1``, and the states thereafter."""
    states, draws = [list(state) for state in states], []
    for i in range(number):
        state = states[i % len(states)] = next_state(states[i % len(states)])
        draws.append((state[0] - state[3]) % M1 or M1)
    return np.array(draws), np.array(states)


def words(modulus):
    """Residues, those at the ends often, and not all 0."""
    ends = st.sampled_from([0, 1, 2, modulus - 2, modulus - 1, 2**16, 2**16 - 1, 2**30])
    return st.tuples(*[ends | st.integers(0, modulus - 1)] * 3).filter(any)


states = st.tuples(words(M1), words(M2)).map(lambda parts: [*parts[0], *parts[1]])


@given(states, st.integers(0, 600), st.integers(1, 200), st.sampled_from([3, 200]))
def test_draws_and_states_against_the_recurrences(state, number, streams, log2_spacing):
    start = substreams(state, streams, log2_spacing)
    expected, expected_states = draw_slowly(start, number)
    draws, after = uniform(start, number, np.float64)
    assert np.array_equal(draws * 2**31, expected)
    assert np.array_equal(after, expected_states)
    assert after.dtype == np.int32
    singles, after = uniform(start, number, np.float32)
    # 511 * 2^-39 / 2^-8 ... : the float32 next below 2^-31 is (2^24 - 1) * 2^-55.
    scale = np.float32((2**24 - 1) * 2.0**-55)
    assert np.array_equal(singles, expected.astype(np.float32) * scale)
    assert np.array_equal(after, expected_states)


@given(states, st.lists(st.integers(0, 90), max_size=4), st.integers(1, 40))
def test_many_draws_are_the_draws_of_many_calls(state, whole_steps, streams):
    start = after = substreams(state, streams)
    pieces = []
    for steps in whole_steps:
        piece, after = uniform(after, steps * streams, np.float32)
        pieces.append(piece)
    expected, expected_states = uniform(start, sum(whole_steps) * streams, np.float32)
    assert np.array_equal(np.concatenate([*pieces, []]), expected)
    assert np.array_equal(after, expected_states)


def state_that_draws(z):
    """A state of which the next ``x - y`` is ``z``, for ``z`` of the field M1."""
    # x = (2^7 + 1) x3 = z and y = 0 with all other words 0 but y2, which is not read.
    return [0, 0, z * pow(2**7 + 1, -1, M1) % M1, 0, 1, 0]


@pytest.mark.parametrize("streams", [1, 500])
def test_ends_of_the_interval_are_never_drawn(streams):
    for z, double, single in [
        (1, 2.0**-31, (2**24 - 1) * 2.0**-55),
        # 2^31 - 1 rounds to 2^31 in float32; its product with the factor is below 1.
        (0, 1 - 2.0**-31, (2**24 - 1) * 2.0**-24),
        (M1 - 1, (M1 - 1) * 2.0**-31, (2**24 - 1) * 2.0**-24),
    ]:
        start = np.array([state_that_draws(z)] * streams, np.int32)
        assert (uniform(start, streams, np.float64)[0] == double).all()
        assert (uniform(start, streams, np.float32)[0] == single).all()
        assert (0 < double < 1) and (0 < single < 1)


def test_float16_takes_the_lowest_15_bits():
    start = substreams([7] * 6, 10)
    z, _ = draw_slowly(start, 1000)
    draws, _ = uniform(start, 1000, np.float16)
    expected = (z % 2**15 + 1) * (511 * 2.0**-24)
    assert np.array_equal(draws, expected.astype(np.float16))
    assert draws.min() > 0
    assert draws.max() < 1


@given(states, st.integers(0, 9))
def test_a_jump_is_so_many_draws(state, log2_draws):
    expected = state
    for _ in range(2**log2_draws):
        expected = next_state(expected)
    assert jump(np.array(state), log2_draws).tolist() == expected


@given(states)
def test_the_published_jumps_of_the_reference_implementation(state):
    # The matrix of 2^72 draws, raised to 2^62, is that of 2^134.
    first = np.array(state)
    ahead = first
    for log2_draws in (72, 72):
        ahead = jump(ahead, log2_draws)
    assert np.array_equal(ahead, jump(first, 73))


@given(states, st.integers(1, 70))
def test_substreams_are_one_jump_apart(state, number):
    rows = substreams(state, number)
    assert rows.shape == (number, 6)
    assert rows[0].tolist() == state
    assert np.array_equal(rows[1:], jump(rows[:-1], 72))


def test_states_may_lie_in_memory_in_any_order():
    start = substreams([5] * 6, 130)
    expected = uniform(start, 1000, np.float32)
    for twin in (np.asfortranarray(start), np.repeat(start, 2, axis=0)[::2]):
        draws, after = uniform(twin, 1000, np.float32)
        assert np.array_equal(draws, expected[0])
        assert np.array_equal(after, expected[1])


def test_given_states_are_left_alone():
    start = substreams([5] * 6, 130)
    kept = start.copy()
    uniform(start, 1000, np.float32)
    assert np.array_equal(start, kept)
