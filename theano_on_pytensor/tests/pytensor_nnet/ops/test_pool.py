"""The pooling Ops: what they add to the kernels. Shapes, types, gradients."""

import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytensor.compile.mode import Mode
from pytensor.gradient import verify_grad

from pytensor_nnet import (
    AveragePool2dGrad,
    MaxPool2dGrad,
    MaxPool2dGradGrad,
    Pool2d,
    PoolPadError,
    pool_2d,
)

FAST = Mode("py", "fast_compile")
FULL = Mode("py", "fast_run").excluding("fusion")

MODES = ["max", "sum", "average_inc_pad", "average_exc_pad"]
OPS = (Pool2d, MaxPool2dGrad, MaxPool2dGradGrad, AveragePool2dGrad)


def evaluate(outputs, values, mode=FAST):
    """Compile and run, the inputs being the keys of ``values``."""
    function = pytensor.function(
        list(values), outputs, mode=mode, on_unused_input="ignore"
    )
    return function(*values.values())


def distinct(*shape, seed=0):
    """Numbers that lie at least 0.1 apart, so that no maximum is near a tie."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.arange(np.prod(shape)) * 0.1).reshape(shape)


WINDOWS = [
    {"ws": (2, 3), "ignore_border": True},
    {"ws": (2, 3), "ignore_border": False},
    {"ws": (3, 2), "ignore_border": True, "stride": (2, 1), "pad": (1, 1)},
    {"ws": (3, 3), "ignore_border": False, "stride": (2, 1)},
    {"ws": (1, 2), "ignore_border": False, "stride": (2, 3)},
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("windows", WINDOWS)
def test_gradients_of_both_orders_against_finite_differences(windows, mode):
    images = distinct(2, 5, 7)
    rng = np.random.default_rng(1)

    def pooled(x):
        return pool_2d(x, mode=mode, **windows)

    def gradient(x):
        return pytensor.grad((pooled(x) ** 3).sum(), x)

    verify_grad(pooled, [images], rng=rng, mode=FAST)
    verify_grad(gradient, [images], rng=rng, mode=FAST)


@pytest.mark.parametrize("windows", WINDOWS)
def test_max_pool_gradients_are_each_others_adjoint(windows):
    images = np.random.default_rng(0).integers(0, 3, (2, 5, 7)) * 1.0
    maxima = pool_2d(images, **windows).eval(mode=FAST)
    scatter, gather = MaxPool2dGrad(**windows), MaxPool2dGradGrad(**windows)
    rng = np.random.default_rng(1)

    verify_grad(lambda g: scatter(images, maxima, g), [maxima], rng=rng, mode=FAST)
    verify_grad(lambda v: gather(images, maxima, v), [images], rng=rng, mode=FAST)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("windows", WINDOWS)
def test_the_forward_derivative_of_pools_and_of_their_gradients(windows, mode):
    images, direction = pt.dtensor3("images"), pt.dtensor3("direction")
    pooled = pool_2d(images, mode=mode, **windows)
    gradient = pytensor.grad((pooled**2).sum(), images)
    second = pytensor.grad((gradient**2).sum(), images)
    values = {images: distinct(2, 5, 7), direction: distinct(2, 5, 7, seed=1) - 3}
    step = 1e-5
    for variable in (pooled, gradient, second):
        derivative = pytensor.gradient.pushforward(
            variable, images, direction, use_op_pushforward=True
        )
        before, after = (
            evaluate(variable, {images: values[images] + sign * values[direction]})
            for sign in (-step, step)
        )
        np.testing.assert_allclose(
            evaluate(derivative, values), (after - before) / (2 * step), rtol=1e-5,
            atol=1e-7,
        )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.data(),
    st.sampled_from(MODES),
    st.lists(st.integers(0, 2), max_size=2),
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
)
def test_inferred_and_static_shapes_are_the_real_ones(data, mode, leading, size):
    pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))
    windows = {
        "ws": data.draw(pairs),
        "stride": data.draw(st.none() | pairs),
        "ignore_border": data.draw(st.booleans()),
    }
    if windows["ignore_border"]:
        windows["pad"] = tuple(data.draw(st.integers(0, w - 1)) for w in windows["ws"])
    shape = (*leading, *size)
    static = [data.draw(st.sampled_from([None, n])) for n in shape]
    images = pt.tensor("images", dtype="float64", shape=tuple(static))
    value = np.zeros(shape)
    pooled = pool_2d(images, mode=mode, **windows)
    (gradient,) = pytensor.grad((pooled**2).sum(), [images])
    second = pytensor.grad((gradient**2).sum(), images)
    for variable in (pooled, gradient, second):
        real = evaluate(variable, {images: value}).shape
        inferred = pytensor.function(
            [images], variable.shape, mode=FULL, on_unused_input="ignore"
        )
        nodes = inferred.maker.fgraph.apply_nodes
        assert not any(isinstance(node.op, OPS) for node in nodes)
        assert tuple(inferred(value)) == real
        for n, told in zip(real, variable.type.shape, strict=True):
            assert told in (None, n)
    if None not in static:
        assert pooled.type.shape == evaluate(pooled, {images: value}).shape
        assert gradient.type.shape == shape


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        # Asked of the genuine Theano 1.0.5, images being 1, 2, ..., 25 in rows.
        (((2, 2), False), [[4.0, 6.0, 7.5], [14.0, 16.0, 17.5], [21.5, 23.5, 25.0]]),
        (((2, 2), False, (3, 3)), [[4.0, 7.0], [19.0, 22.0]]),
        (((3, 3), False, (2, 2)), [[7.0, 9.0], [17.0, 19.0]]),
        (((2, 2), True, (4, 4)), [[4.0]]),
        (((6, 6), False, (1, 1)), [[13.0]]),
    ],
)
@pytest.mark.parametrize("mode", ["average_inc_pad", "average_exc_pad"])
def test_averages_of_theano_where_windows_are_cut_by_the_edge(windows, expected, mode):
    images = np.arange(1.0, 26).reshape(5, 5)
    out = pool_2d(images, *windows, mode=mode)
    assert out.eval(mode=FAST).tolist() == expected


def test_averages_of_theano_with_a_pad():
    images = np.arange(1.0, 17).reshape(4, 4)
    with_pad = pool_2d(images, (2, 2), True, pad=(1, 1), mode="average_inc_pad")
    without = pool_2d(images, (2, 2), True, pad=(1, 1), mode="average_exc_pad")
    maxima = pool_2d(-images, (2, 2), True, pad=(1, 1), mode="max")
    assert with_pad.eval(mode=FAST).tolist() == [
        [1 / 4, (2 + 3) / 4, 4 / 4],
        [(5 + 9) / 4, (6 + 7 + 10 + 11) / 4, (8 + 12) / 4],
        [13 / 4, (14 + 15) / 4, 16 / 4],
    ]
    assert without.eval(mode=FAST).tolist() == [
        [1, (2 + 3) / 2, 4],
        [(5 + 9) / 2, (6 + 7 + 10 + 11) / 4, (8 + 12) / 2],
        [13, (14 + 15) / 2, 16],
    ]
    assert maxima.eval(mode=FAST).tolist() == [
        [-1, -2, -4],
        [-5, -6, -8],
        [-13, -14, -16],
    ]


def test_every_tied_maximum_gets_the_gradient():
    images = pt.dmatrix("images")
    gradient = pytensor.grad(pool_2d(images, (2, 2)).sum(), images)
    value = np.array([[1.0, 1, 0, 2], [0, 1, 2, 2]])
    expected = [[1, 1, 0, 1], [0, 1, 1, 1]]
    assert evaluate(gradient, {images: value}).tolist() == expected


@pytest.mark.parametrize("dtype", ["int32", "uint8"])
def test_integers_pool_and_have_no_gradient(dtype):
    images = pt.tensor("images", dtype=dtype, shape=(None, None))
    pooled = pool_2d(images, (2, 2))
    assert pooled.type.dtype == dtype
    value = np.arange(16, dtype=dtype).reshape(4, 4)
    assert evaluate(pooled, {images: value}).tolist() == [[5, 7], [13, 15]]
    gradient = pytensor.grad(pooled.astype("float64").sum(), images)
    assert not evaluate(gradient, {images: value}).any()


@pytest.mark.parametrize("mode", MODES)
def test_float32_stays_float32(mode):
    images = pt.ftensor4("images")
    pooled = pool_2d(images, (2, 2), mode=mode)
    gradient = pytensor.grad((pooled**2).sum(), images)
    second = pytensor.grad((gradient**2).sum(), images)
    value = np.ones((2, 1, 4, 4), "float32")
    for result in evaluate([pooled, gradient, second], {images: value}):
        assert result.dtype == np.float32


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"ignore_border": False, "pad": (1, 1)}, "only with ignore_border=True"),
        ({"pad": (2, 1)}, r"pad is \(2, 1\).*smaller than the window, ws=\(2, 2\)"),
    ],
)
def test_pads_that_cannot_be(options, told):
    with pytest.raises(PoolPadError, match=told):
        pool_2d(pt.dtensor4(), (2, 2), **options)
    assert issubclass(PoolPadError, ValueError)
    assert issubclass(PoolPadError, NotImplementedError)


@pytest.mark.parametrize(
    "options",
    [
        {"ws": (2, 2, 2)},
        {"ws": (2.0, 2.0)},
        {"ws": (0, 1)},
        {"ws": (2, 2), "stride": (0, 1)},
        {"ws": (2, 2), "pad": (-1, 0)},
        {"ws": (2, 2), "mode": "median"},
    ],
)
def test_bad_options_are_named(options):
    name = list(options)[-1]
    with pytest.raises(ValueError, match=name):
        pool_2d(pt.dtensor4(), **options)


def test_a_vector_cannot_be_pooled():
    with pytest.raises(TypeError, match="tensor of 2 axes"):
        pool_2d(pt.dvector(), (2, 2))
    with pytest.raises(ValueError, match="mode"):
        AveragePool2dGrad((2, 2), mode="max")


def test_one_integer_and_constants_of_a_graph_are_windows():
    assert Pool2d(2) == Pool2d((2, 2)) == Pool2d(np.array([2, 2]))
    assert Pool2d(pt.constant([2, 3])) == Pool2d((2, pt.constant(3)))


def test_arrays_of_other_shapes_are_refused():
    images, maxima = np.zeros((2, 4, 4)), np.zeros((2, 2, 2))
    for out in [
        MaxPool2dGrad((2, 2))(images, maxima, np.zeros((2, 2, 1))),
        MaxPool2dGrad((2, 2))(images, np.zeros((2, 1, 2)), maxima),
        MaxPool2dGradGrad((2, 2))(images, np.zeros((1, 2, 2)), images),
        MaxPool2dGradGrad((2, 2))(images, maxima, np.zeros((2, 4, 5))),
        AveragePool2dGrad((2, 2))(maxima, [4, 6]),
    ]:
        with pytest.raises(
            ValueError, match=r"not fit .*images of shape \(2, 4, [46]\)"
        ):
            out.eval(mode=FAST)


def test_equal_ops_merge_and_survive_a_pickle():
    op = Pool2d((2, 3), True, (1, 2), (1, 0), "sum")
    copy = pickle.loads(pickle.dumps(op))
    assert copy == op
    assert hash(copy) == hash(op)
    assert op != Pool2d((2, 3), True, (1, 2), (1, 0), "max")
    images = pt.dtensor4("images")
    cost = pool_2d(images, (2, 2)).sum() + pool_2d(images, (2, 2)).sum()
    function = pytensor.function([images], pytensor.grad(cost, images), mode=FULL)
    ops = [type(node.op) for node in function.maker.fgraph.apply_nodes]
    assert ops.count(Pool2d) == 1
    value = distinct(1, 2, 4, 4)
    again = pickle.loads(pickle.dumps(function))
    assert np.array_equal(again(value), function(value))
