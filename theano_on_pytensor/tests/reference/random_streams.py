"""Random tensors that the genuine Theano and this one draw alike.

Imported by ``scripts/record_random_streams`` under the genuine Theano, which runs
on Python 2.7 or 3.7, and by the tests; hence the old-fashioned Python.
"""

import collections
import hashlib

import numpy

import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.shared_randomstreams import RandomStreams

SEED = 20151126
FLOAT_TYPES = ("float32", "float64")

Case = collections.namedtuple(
    "Case", ["streams", "draw", "inputs", "is_close", "judge"]
)
CASES = collections.OrderedDict()


def case(streams, inputs=(), is_close=False, judge="Theano 1.0.5"):
    """Enter ``draw(streams, *variables)``, which returns a list of tensors.

    ``is_close`` if functions of the C library are in the game, whose last place
    differs from platform to platform.
    """

    def enter(draw):
        CASES[draw.__name__] = Case(streams, draw, inputs, is_close, judge)
        return draw

    return enter


mrg, mrg_close = case(MRG_RandomStreams), case(MRG_RandomStreams, is_close=True)
numpys = case(RandomStreams)

PVALS = numpy.array(
    [[0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1]]
    + [[0.3, 0.3, 0.3, 0.1], [0.01, 0.01, 0.97, 0.01]]
)
PVALS_WITH_ZEROS = numpy.array([[0.0, 0.5, 0.0, 0.5], [0.2, 0.0, 0.8, 0.0]])


def floats(values):
    return numpy.asarray(values, theano.config.floatX)


def ramp(*shape):
    return numpy.arange(numpy.prod(shape)).reshape(shape) / 8.0 - 1


@mrg
def mrg_uniform(streams):
    sizes = [(3, 4), (1,), (6,), (7,), (2, 3, 2), (1, 5), ()]
    return [streams.uniform(size) for size in sizes]


@mrg
def mrg_uniform_of_many_elements(streams):
    return [streams.uniform((128, 256)), streams.uniform((64, 32, 12, 12))]


@mrg
def mrg_uniform_of_dtypes(streams):
    return [
        streams.uniform((3, 4), dtype="float32"),
        streams.uniform((3, 4), dtype="float64"),
        streams.uniform((3, 4), low=floats([0.0]).astype("float64")[0]),
    ]


@mrg
def mrg_uniform_between_bounds_of_few_bits(streams):
    return [
        streams.uniform((3, 5), low=-1.0, high=1.0),
        streams.uniform((3, 5), low=-1, high=3),
        streams.uniform((3, 5), 0.0, 0.5),
    ]


@mrg
def mrg_uniform_between_bounds(streams):
    return [
        streams.uniform((4, 5), low=0.1, high=0.8),
        streams.uniform((3, 5), low=-0.05, high=0.05),
        streams.uniform((2, 5), low=ramp(5), high=ramp(2, 5) + 3),
    ]


@mrg
def mrg_uniform_of_given_streams(streams):
    return [streams.uniform((5, 4), nstreams=n) for n in (1, 3, 20, 50)]


@case(MRG_RandomStreams, inputs=[ramp(4, 3)])
def mrg_sizes_known_at_run_time(streams, x):
    return [
        streams.uniform(x.shape),
        streams.uniform((x.shape[0], 2)),
        streams.binomial(x.shape, p=0.3),
        streams.uniform(x.shape, nstreams=2),
    ]


@mrg
def mrg_binomial(streams):
    half = [streams.binomial((4, 5)), streams.binomial((4, 5), p=0.8, dtype="int8")]
    return half + [
        streams.binomial((40, 50), p=0.3, dtype=theano.config.floatX),
        streams.binomial((2, 5), p=numpy.linspace(0, 1, 5)),
        streams.binomial((30,), p=0.5, nstreams=4),
    ]


@mrg
def mrg_multinomial(streams):
    return [
        streams.multinomial(pvals=floats(PVALS)),
        streams.multinomial(pvals=floats(PVALS), n=7),
        streams.multinomial(pvals=floats(PVALS), dtype="float32", nstreams=3),
        streams.multinomial(pvals=floats(PVALS / 2), n=5, dtype="int32"),
        streams.multinomial(pvals=PVALS, n=3, dtype="auto"),
    ]


@mrg
def mrg_multinomial_wo_replacement(streams):
    pvals = floats(numpy.abs(numpy.sin(numpy.arange(1.0, 41).reshape(4, 10))))
    pvals /= pvals.sum(axis=1, keepdims=True)
    return [
        streams.multinomial_wo_replacement(pvals=pvals),
        streams.multinomial_wo_replacement(pvals=pvals, n=4),
        streams.multinomial_wo_replacement(pvals=pvals, n=10, dtype="int32"),
    ]


@mrg
def mrg_choice(streams):
    pvals = floats(numpy.abs(numpy.cos(numpy.arange(1.0, 41).reshape(4, 10))))
    pvals /= pvals.sum(axis=1, keepdims=True)
    return [
        streams.choice(p=pvals, replace=False),
        streams.choice(4, p=pvals, replace=False),
        streams.choice(10, p=pvals, replace=False, dtype="int32", nstreams=5),
    ]


@mrg_close
def mrg_normal(streams):
    return [streams.normal(size) for size in [(3, 4), (1,), (7,), (2, 3, 2), (5, 5)]]


@mrg_close
def mrg_normal_of_given_streams(streams):
    return [streams.normal((7,), nstreams=3), streams.normal((6, 2), nstreams=20)]


@mrg_close
def mrg_normal_with_parameters(streams):
    return [
        streams.normal((3, 5), avg=-2, std=0.25),
        streams.normal((2, 5), 8.0, ramp(5) + 2),
        streams.normal((30,), dtype="float32"),
        streams.normal((30,), dtype="float64"),
    ]


@case(MRG_RandomStreams, inputs=[ramp(4, 3)], is_close=True)
def mrg_normal_of_a_size_known_at_run_time(streams, x):
    return [streams.normal(x.shape, ndim=2), streams.normal((x.shape[1],))]


@mrg_close
def mrg_normal_truncated(streams):
    return [
        streams.normal((51,), truncate=True),
        streams.truncated_normal((6, 5), avg=1.0, std=0.5),
    ]


@mrg
def mrg_states(streams):
    first = streams.get_substream_rstates(5, "float32")
    second = streams.get_substream_rstates(5, "float64", inc_rstate=False)
    third = streams.get_substream_rstates(2, "float32")
    streams.inc_rstate()
    return [T.constant(a) for a in (first, second, third, streams.rstate)]


@case(lambda seed: MRG_RandomStreams([seed, 1, 2, 3, 5, 8]))
def mrg_seed_of_six(streams):
    return [streams.uniform((3, 4)), streams.binomial((5, 7), p=0.4)]


@numpys
def numpy_uniform(streams):
    return [
        streams.uniform((3, 4)),
        streams.uniform((2, 3), -0.3, 1.7),
        streams.uniform(low=ramp(5), high=ramp(2, 5) + 3),
        streams.uniform((2, -1), low=ramp(5)),
        streams.uniform((4,), dtype="float32"),
        streams.uniform(()),
        streams.uniform((40, 50)),
    ]


@numpys
def numpy_normal(streams):
    return [
        streams.normal((3, 4)),
        streams.normal((3,), -2, 0.25),
        streams.normal(avg=ramp(5), std=ramp(2, 5) + 3),
        streams.normal((3, 1), dtype="float32"),
        streams.normal((40, 50)),
    ]


@numpys
def numpy_binomial(streams):
    return [
        streams.binomial((3, 4)),
        streams.binomial((40, 5), p=0.3, dtype=theano.config.floatX),
        streams.binomial((20,), n=10, p=0.7),
        streams.binomial((20,), n=100, p=0.4),
        streams.binomial((5,), n=numpy.arange(1, 6) * 20, p=numpy.linspace(0, 1, 5)),
        streams.binomial(n=[5, 50], p=[[0.2], [0.6]]),
    ]


@numpys
def numpy_random_integers(streams):
    return [
        streams.random_integers((3, 4)),
        streams.random_integers((30,), 1, 6),
        streams.random_integers((2, 3), low=[0, 10, 100], high=[9, 99, 100]),
        streams.random_integers(low=[[0], [5]], high=[7, 8, 9]),
        streams.random_integers((9,), -1000000, 1000000, dtype="int32"),
        streams.random_integers((9,), 0, 2**40),
    ]


@numpys
def numpy_choice(streams):
    return [
        streams.choice((3, 4)),
        streams.choice((12,), a=10),
        streams.choice((7,), a=7, replace=False),
        streams.choice((9,), a=[2, 3, 5, 7]),
        streams.choice((9,), a=4, p=[0.1, 0.2, 0.3, 0.4]),
        streams.choice((3,), a=4, p=[0.1, 0.2, 0.3, 0.4], replace=False),
        streams.choice((4,), a=ramp(6), dtype="float64"),
    ]


@numpys
def numpy_poisson(streams):
    return [
        streams.poisson((3, 4), lam=2.0),
        streams.poisson((9,), lam=50),
        streams.poisson((2, 3), lam=[0.1, 5.0, 500.0], dtype="int32"),
    ]


@numpys
def numpy_permutation(streams):
    return [
        streams.permutation(),
        streams.permutation(n=8),
        streams.permutation((2, 3), n=5, dtype="int32"),
        streams.permutation((4,), n=20),
    ]


@numpys
def numpy_multinomial(streams):
    return [
        streams.multinomial((3, 4)),
        streams.multinomial((6,), 4, [0.2, 0.3, 0.5]),
        streams.multinomial(n=10, pvals=PVALS),
        streams.multinomial(n=[3, 30, 300, 5, 7], pvals=floats(PVALS)),
        streams.multinomial((2, -1), n=9, pvals=PVALS),
    ]


# NumPy 1.17 to 2.4 drew another stream here than those before and after.
@case(RandomStreams, judge="Theano 0.8.2")
def numpy_multinomial_of_outcomes_that_cannot_be(streams):
    return [
        streams.multinomial((3,), n=10, pvals=[0.2, 0.0, 0.8]),
        streams.multinomial(n=5, pvals=PVALS_WITH_ZEROS),
        streams.multinomial(n=[0, 4], pvals=floats(PVALS_WITH_ZEROS)),
    ]


@case(RandomStreams, inputs=[ramp(4, 3)])
def numpy_sizes_known_at_run_time(streams, x):
    shuffled = streams.shuffle_row_elements(x)
    return [
        shuffled,
        shuffled.permutation,
        streams.uniform(x.shape),
        streams.normal((x.shape[1], 2)),
        streams.uniform(x.shape[:1], ndim=1),
        streams.permutation(x.shape, n=4, ndim=2),
        streams.binomial(x.shape, n=3),
    ]


def draw_all(name):
    """Draw twice, twice again after another seed, and once from the first.

    Returns the 5 draws of each tensor of the named case.
    """
    it = CASES[name]
    streams = it.streams(SEED)
    variables = [T.TensorType("float64", [False] * a.ndim)() for a in it.inputs]
    outputs = it.draw(streams, *variables)
    draw = theano.function(variables, outputs, on_unused_input="ignore")
    draws = [draw(*it.inputs), draw(*it.inputs)]
    streams.seed(SEED + 1)
    draws += [draw(*it.inputs), draw(*it.inputs)]
    streams.seed()
    draws += [draw(*it.inputs)]
    return [list(draws_of_one) for draws_of_one in zip(*draws)]


def describe(array, is_close):
    """What is kept of an array: its numbers, or the first of them and their sha256."""
    array = numpy.asarray(array)
    kept = collections.OrderedDict(
        [("dtype", str(array.dtype)), ("shape", list(array.shape))]
    )
    kept["numbers"] = array.ravel()[: None if is_close else 3].tolist()
    if not is_close:
        ordered = numpy.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        kept["sha256"] = hashlib.sha256(ordered.tobytes()).hexdigest()
    return kept


def record(name, float_type):
    """What is kept of all draws of the named case: a list a tensor."""
    floats_before, theano.config.floatX = theano.config.floatX, float_type
    try:
        return [
            [describe(array, CASES[name].is_close) for array in draws]
            for draws in draw_all(name)
        ]
    finally:
        theano.config.floatX = floats_before
