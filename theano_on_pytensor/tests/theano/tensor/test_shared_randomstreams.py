"""``RandomStreams``: what it promises beyond the numbers themselves."""

import numpy as np
import pytest
from numpy.random import RandomState

import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import (
    RandomStateSharedVariable,
    RandomStreams,
    randomstate_constructor,
)


def draw(*variables):
    return theano.function([], list(variables))()


def test_each_tensor_has_a_random_state_seeded_by_the_generator():
    streams = RandomStreams(234)
    first, second = streams.uniform((2, 3)), streams.normal((4,))
    seeds = RandomState(234)
    states = [RandomState(int(seeds.randint(2**30))) for _ in range(2)]
    for _ in range(2):
        drawn = draw(first, second)
        assert np.array_equal(drawn[0], states[0].uniform(size=(2, 3)))
        assert np.array_equal(drawn[1], states[1].normal(size=(4,)))
    assert isinstance(first.rng, RandomStateSharedVariable)
    assert first.rng.tag.is_rng
    assert streams.updates() == [first.update, second.update]


def test_a_random_state_may_be_read_and_replaced():
    streams = RandomStreams(234)
    tensor = streams.uniform((3,))
    function = theano.function([], tensor)
    state = tensor.rng.get_value(borrow=True)
    state.seed(89234)
    tensor.rng.set_value(state, borrow=True)
    assert np.array_equal(function(), RandomState(89234).uniform(size=3))
    copied = tensor.rng.get_value()
    assert np.array_equal(function(), copied.uniform(size=3))
    assert np.array_equal(function(), copied.uniform(size=3))
    streams[tensor.rng] = RandomState(5)
    assert streams[tensor.rng] is tensor.rng.get_value(borrow=True)
    assert np.array_equal(function(), RandomState(5).uniform(size=3))


def test_a_new_seed_makes_a_new_generator_of_an_old_one():
    old, new = RandomStreams(7), RandomStreams(8)
    function, expected = (
        theano.function([], [s.uniform((4,)), s.permutation(n=9)]) for s in (old, new)
    )
    function()
    old.seed(8)
    for ours, theirs in zip(function(), expected(), strict=True):
        assert np.array_equal(ours, theirs)
    function()
    old.seed()
    first = function()
    old.seed(7)
    for ours, theirs in zip(function(), first, strict=True):
        assert np.array_equal(ours, theirs)


def test_without_a_seed_generators_differ():
    first, second = (draw(RandomStreams().uniform((20,)))[0] for _ in range(2))
    assert not np.array_equal(first, second)


def test_a_shared_random_state_is_a_copy_unless_borrowed():
    state = RandomState(5)
    own, borrowed = (
        randomstate_constructor(state),
        randomstate_constructor(state, borrow=True),
    )
    assert borrowed.get_value(borrow=True) is state
    state.uniform()
    assert own.get_value().uniform() == RandomState(5).uniform()
    with pytest.raises(TypeError, match="expected a numpy.random.RandomState"):
        randomstate_constructor(np.random.default_rng(5))


def test_sizes_in_every_form():
    streams = RandomStreams(7)
    rows, shape = T.lscalar("rows"), T.lvector("shape")
    outputs = [
        streams.uniform((rows, 3)),
        streams.uniform(shape, ndim=2),
        streams.uniform([2, 3]),
        streams.uniform(T.constant([2, 3])),
        streams.uniform(low=np.zeros((2, 1)), high=np.ones(3)),
        streams.uniform((-1, 3), low=np.zeros((2, 1))),
        streams.uniform((2, -1), low=np.zeros(3)),
        streams.poisson((2, 3)),
    ]
    function = theano.function([rows, shape], outputs)
    assert {array.shape for array in function(2, [2, 3])} == {(2, 3)}
    assert streams.uniform((2, 3)).type.shape == (2, 3)
    assert streams.uniform((rows, 1)).type.shape == (None, 1)


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda s: s.uniform((3,), ndim=2), ValueError, "ndim is 2"),
        (lambda s: s.uniform((3,), low=np.zeros((2, 3))), ValueError, "has more"),
        (lambda s: s.uniform((-2,)), ValueError, "at least -1"),
        (lambda s: s.uniform((-1, 3), low=np.zeros(3)), ValueError, "no parameter"),
        (lambda s: s.uniform(T.dvector(), ndim=1), TypeError, "must be integers"),
        (lambda s: s.uniform(T.lmatrix()), TypeError, "must be a vector"),
        (lambda s: s.choice(), TypeError, "needs a size"),
        (lambda s: s.permutation(ndim=2), TypeError, "one permutation"),
    ],
)
def test_calls_that_cannot_be(make, error, told):
    with pytest.raises(error, match=told):
        make(RandomStreams(7))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda s: s.multinomial((2,), pvals=[-0.5, 1.5]), "negative"),
        (lambda s: s.multinomial((2,), pvals=[0.75, 0.75]), "sum to 1.5"),
        (lambda s: s.choice((2,), a=np.zeros((2, 2))), "a has 2 axes"),
        (lambda s: s.random_integers((2, 3), [[0], [1], [2]], 9), "broadcast"),
    ],
)
def test_draws_that_cannot_be(make, told):
    with pytest.raises(ValueError, match=told):
        draw(make(RandomStreams(7)))


def test_multinomial_without_zeros_is_numpys_own():
    pvals = np.array([0.2, 0.5, 0.3])
    streams = RandomStreams(7)
    counts = streams.multinomial((200,), 9, pvals)
    state = counts.rng.get_value()
    assert np.array_equal(draw(counts)[0], state.multinomial(9, pvals, 200))


def test_random_integers_are_those_drawn_one_by_one():
    streams = RandomStreams(7)
    low, high = np.array([0, 5, -70000]), np.array([[6], [2**33]])
    numbers = streams.random_integers((2, 3), low, high)
    state = numbers.rng.get_value()
    expected = [[state.randint(a, b + 1) for a in low] for b in high.ravel()]
    assert draw(numbers)[0].tolist() == expected


def test_an_old_name_of_a_parameter_is_warned_of():
    with pytest.warns(DeprecationWarning, match="call it p"):
        counts = RandomStreams(7).binomial((5,), n=9, prob=1.0)
    assert draw(counts)[0].tolist() == [9] * 5


def test_rows_are_shuffled_each_on_its_own():
    x = T.dmatrix("x")
    shuffled = RandomStreams(7).shuffle_row_elements(x)
    value = np.arange(60.0).reshape(3, 20)
    rows, positions = theano.function([x], [shuffled, shuffled.permutation])(value)
    assert np.array_equal(np.sort(rows, axis=1), value)
    assert np.array_equal(rows, np.take_along_axis(value, positions, axis=1))
    assert not np.array_equal(positions[0], positions[1])
