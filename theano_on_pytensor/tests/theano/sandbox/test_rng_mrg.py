"""``MRG_RandomStreams``: what it promises beyond the numbers themselves."""

import numpy as np
import pytest
from pytensor.gradient import NullTypeGradError

import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import M1, M2, MRG_RandomStreams, guess_n_streams


def draw(*variables):
    return theano.function([], list(variables))()


@pytest.mark.parametrize(
    ("size", "streams"),
    [
        ((), 1),
        ((6,), 6),
        ((7,), 7 // 6),
        ((3, 4), 3 * 4 // 6),
        ([128, 256], 128 * 256 // 6),
        ((1000, 1000), 60 * 256),
        ((np.int64(3), 4), 60 * 256),
        (T.lvector(), 60 * 256),
    ],
)
def test_number_of_streams(size, streams):
    assert guess_n_streams(size) == streams


def test_unknown_sizes_are_warned_of_on_request():
    with pytest.warns(UserWarning, match="cannot tell the number of streams"):
        guess_n_streams(T.lvector(), warn=True)


def test_states_are_a_shared_variable_that_each_call_moves_on():
    streams = MRG_RandomStreams(7)
    tensor = streams.uniform((3, 4))
    [(states, after, size, nstreams)] = streams.updates()
    assert (size, nstreams) == ((3, 4), None)
    assert states.get_value().shape == (3 * 4 // 6, 6)
    assert states.get_value().dtype == np.int32
    assert states.default_update is after
    assert states.tag.is_rng
    before = states.get_value()
    first, second = (theano.function([], tensor) for _ in range(2))
    drawn = first()
    assert not np.array_equal(states.get_value(), before)
    assert not np.array_equal(second(), drawn)
    states.set_value(before)
    assert np.array_equal(second(), drawn)


def test_without_default_updates_the_numbers_stay():
    tensor = MRG_RandomStreams(7).uniform((3, 4))
    function = theano.function([], tensor, no_default_updates=True)
    assert np.array_equal(function(), function())


def test_updates_may_be_given_as_pairs():
    streams = MRG_RandomStreams(7)
    tensor = streams.uniform((3, 4))
    pairs = [update[:2] for update in streams.updates()]
    function = theano.function([], tensor, updates=pairs)
    assert not np.array_equal(function(), function())


def test_tensors_of_one_generator_are_different():
    streams = MRG_RandomStreams(7)
    first, second = draw(streams.uniform((50,)), streams.uniform((50,)))
    assert not np.intersect1d(first, second).size


def test_uniform_numbers_are_uniform():
    low, high = -2.0, 3.0
    streams = MRG_RandomStreams(7)
    [numbers] = draw(streams.uniform((200, 300), low, high))
    assert low < numbers.min()
    assert numbers.max() < high
    counts, _ = np.histogram(numbers, 20, (low, high))
    # A count is binomial: its standard deviation is sqrt(n * 1/20 * 19/20).
    n = 200 * 300
    assert np.abs(counts - n / 20).max() < 5 * np.sqrt(n / 20 * 19 / 20)


def test_normal_numbers_are_normal():
    streams = MRG_RandomStreams(7)
    n = 300 * 300
    [numbers] = draw(streams.normal((300, 300), 5.0, 2.0))
    assert abs(numbers.mean() - 5) < 5 * 2 / np.sqrt(n)
    assert abs(numbers.std() - 2) < 5 * 2 / np.sqrt(2 * n)


def test_truncated_normal_numbers_have_the_standard_deviation_asked_for():
    n = 100_000
    [numbers] = draw(MRG_RandomStreams(7).truncated_normal((n,), 1.0, 0.5))
    assert abs(numbers.std() - 0.5) < 0.01
    # All within two standard deviations of the normal distribution before.
    assert np.abs(numbers - 1).max() <= 2 * 0.5 / 0.87962566103423978


def test_float16():
    streams = MRG_RandomStreams(7)
    numbers, normals = draw(
        streams.uniform((1000,), dtype="float16", low=-1, high=1),
        streams.normal((1000,), dtype="float16", avg=1),
    )
    assert numbers.dtype == normals.dtype == np.float16
    assert abs(numbers.mean()) < 5 * np.sqrt(1 / 3 / 1000)
    assert abs(normals.mean() - 1) < 5 * np.sqrt(1 / 1000)


def test_dtypes():
    streams = MRG_RandomStreams(7)
    assert streams.uniform((2,)).dtype == theano.config.floatX
    assert streams.uniform((2,), low=np.float64(0)).dtype == "float64"
    assert streams.uniform((2,), dtype="float32").dtype == "float32"
    assert streams.binomial((2,)).dtype == "int64"
    assert streams.binomial((2,), dtype="float32").dtype == "float32"
    assert streams.normal((2,), dtype="float32").dtype == "float32"
    assert streams.multinomial(pvals=np.ones((2, 2)) / 2).dtype == "int64"


def test_seeds():
    assert MRG_RandomStreams(5).rstate.tolist() == [5] * 6
    assert MRG_RandomStreams().rstate.tolist() == [12345] * 6
    six = [1, 0, M1 - 1, 0, M2 - 1, 0]
    assert MRG_RandomStreams(six).rstate.tolist() == six
    assert MRG_RandomStreams(np.int64(5)).rstate.dtype == np.int32
    for seed in (0, -1, M2, [0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0]):
        with pytest.raises(ValueError, match="seed is"):
            MRG_RandomStreams(seed)
    for seed in ([M1, 1, 1, 1, 1, 1], [1, 1, 1, 1, M2, 1], [1, 1, 1, 1, -1, 1]):
        with pytest.raises(ValueError, match="seed is"):
            MRG_RandomStreams(seed)
    for seed in ([1, 2, 3], 1.5, "a seed"):
        with pytest.raises(TypeError, match="one integer or six"):
            MRG_RandomStreams(seed)


def test_a_new_seed_makes_a_new_generator_of_an_old_one():
    old, new = MRG_RandomStreams(7), MRG_RandomStreams(8)
    function, expected = (
        theano.function(
            [], [s.uniform((4,)), s.normal((3,)), s.uniform((9,), nstreams=2)]
        )
        for s in (old, new)
    )
    function()
    old.seed(8)
    for ours, theirs in zip(function(), expected(), strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("size", "error"),
    [
        ((3, 0), ValueError),
        ((-1,), ValueError),
        ([3, 4], TypeError),
        (5, TypeError),
        ((3.0,), TypeError),
        (T.lmatrix(), TypeError),
    ],
)
def test_sizes_of_uniform_that_cannot_be(size, error):
    with pytest.raises(error, match="size is"):
        MRG_RandomStreams(7).uniform(size)


@pytest.mark.parametrize("size", [(0,), -3, "a", (3.5,), (T.lvector(),), T.lmatrix()])
def test_sizes_of_normal_that_cannot_be(size):
    with pytest.raises(ValueError, match="size is"):
        MRG_RandomStreams(7).normal(size)


@pytest.mark.parametrize("size", [5, [2, 3], (2, T.constant(3)), T.constant([2, 3])])
def test_sizes_of_normal_in_every_form(size):
    [numbers] = draw(MRG_RandomStreams(7).normal(size))
    assert numbers.shape == ((5,) if size == 5 else (2, 3))


def test_bounds_larger_than_the_size():
    with pytest.raises(NotImplementedError, match="as the size"):
        MRG_RandomStreams(7).uniform((1, 3), low=np.zeros((4, 3)))
    with pytest.raises(NotImplementedError, match="as the size"):
        MRG_RandomStreams(7).uniform((3,), low=np.zeros((4, 3)))


def test_calls_that_cannot_be():
    streams = MRG_RandomStreams(7)
    pvals = np.ones((2, 2)) / 2
    for call, error, told in [
        (lambda: streams.binomial((2,), n=3), NotImplementedError, "3 trials"),
        (lambda: streams.multinomial(), TypeError, "needs the probabilities"),
        (lambda: streams.multinomial((2,), pvals=pvals), ValueError, "neither size"),
        (lambda: streams.multinomial(pvals=pvals, ndim=2), ValueError, "nor ndim"),
        (lambda: streams.multinomial(pvals=[0.5]), NotImplementedError, "a matrix"),
        (lambda: streams.choice(p=pvals), NotImplementedError, "without replacement"),
        (lambda: streams.choice(a=3, replace=False), TypeError, "not the outcomes"),
        (lambda: streams.choice(replace=False), TypeError, "needs the probabilities"),
        (lambda: streams.get_substream_rstates(0, "float32"), ValueError, "at least 1"),
    ]:
        with pytest.raises(error, match=told):
            call()


@pytest.mark.parametrize(
    "make",
    [
        lambda s, x: s.uniform((3,), low=x),
        lambda s, x: s.uniform((3,), high=x),
        lambda s, x: s.normal((3,), avg=x),
        lambda s, x: s.normal((3,), std=x),
        lambda s, x: s.binomial((3,), p=x, dtype="float64"),
        lambda s, x: s.multinomial(pvals=T.shape_padleft(T.stack([x, 1 - x]))),
    ],
)
def test_parameters_have_no_gradient(make):
    x = T.dscalar("x")
    with pytest.raises(NullTypeGradError):
        T.grad(make(MRG_RandomStreams(7), x).sum(), x)


def test_a_mask_is_a_constant_of_the_gradient():
    x = T.dmatrix("x")
    mask = MRG_RandomStreams(7).binomial(x.shape, p=0.5, dtype="float64")
    function = theano.function([x], [mask, T.grad((x * mask).sum(), x)])
    mask, gradient = function(np.ones((4, 5)))
    assert np.array_equal(mask, gradient)
    assert set(np.unique(mask)) == {0.0, 1.0}
