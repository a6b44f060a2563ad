"""Layers become one Op each way, and compute what the plain graph computes."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.tensor.basic import Alloc
from pytensor.tensor.math import Sum
from pytensor.tensor.shape import Reshape

from pytensor_nnet import conv2d, pool_2d
from pytensor_nnet.linker import NumpyLinker
from pytensor_nnet.ops.crossentropy import (
    SoftmaxLogLikelihood,
    SoftmaxLogLikelihoodGrad,
)
from pytensor_nnet.ops.fused_conv import FusedConv2d, FusedConv2dGrad
from pytensor_nnet.ops.fused_dense import FusedDense, FusedDenseGrad
from pytensor_nnet.rewrites import (  # noqa: F401  (registers them)
    compilation,
    fusion_conv,
    fusion_crossentropy,
    fusion_dense,
)

FUSED = Mode(NumpyLinker(), "fast_run")
NAMES = ("fuse_conv", "fuse_dense", "fuse_crossentropy", "compile_elemwise")
PLAIN = FUSED.excluding(*NAMES)
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def ops(function):
    return [type(node.op) for node in function.maker.fgraph.toposort()]


def rectify(z):
    return 0.5 * (z + abs(z))


def leaky(z):
    """A slope of 0.25 below zero; its numbers are float32's as well."""
    return 0.625 * z + 0.375 * abs(z)


def assert_same(inputs, outputs, values, expected_ops, mode=FUSED):
    """Fused and plain agree; the fused function has these Ops."""
    fused = pytensor.function(inputs, outputs, mode=mode)
    plain = pytensor.function(inputs, outputs, mode=PLAIN)
    found = ops(fused)
    for op, count in expected_ops.items():
        assert found.count(op) == count, op.__name__
    for one, other in zip(fused(*values), plain(*values), strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        scale = np.abs(other).max() + 1e-30
        assert np.abs(one - other).max() <= TOLERANCE[one.dtype.name] * scale


def conv_problem(dtype="float64", size=13, channels=3, n_filters=5):
    rng = np.random.default_rng(0)
    # Integers: ties at zero and elsewhere, and exact sums.
    shapes = [(4, channels, size, size), (n_filters, channels, 3, 3), (n_filters,)]
    values = [rng.integers(-2, 3, shape).astype(dtype) for shape in shapes]
    types = (pt.TensorType(dtype, shape=(None,) * len(s)) for s in shapes)
    return [type_() for type_ in types], values


def with_bias(x, w, b, **conv):
    return conv2d(x, w, **conv) + b.dimshuffle("x", 0, "x", "x")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "conv", [{}, {"border_mode": "half", "subsample": (2, 1), "filter_flip": False}]
)
@pytest.mark.parametrize("nonlinearity", [rectify, leaky, lambda z: z])
@pytest.mark.parametrize("window", [(2, 2), (3, 1)])
def test_a_pooled_layer(dtype, conv, nonlinearity, window):
    (x, w, b), values = conv_problem(dtype)
    out = pool_2d(nonlinearity(with_bias(x, w, b, **conv)), window)
    loss = (out**3).sum()
    gradients = pytensor.grad(loss, [w, b, x])
    assert_same(
        *([x, w, b], [loss, *gradients], values),
        {FusedConv2d: 1, FusedConv2dGrad: 1},
    )


def test_a_layer_without_a_pool():
    (x, w, b), values = conv_problem()
    out = rectify(with_bias(x, w, b))
    gradients = pytensor.grad((out**3).sum(), [w, b, x])
    assert_same(
        *([x, w, b], [out, *gradients], values),
        {FusedConv2d: 1, FusedConv2dGrad: 1},
    )


def test_a_layer_without_a_bias():
    (x, w, _), values = conv_problem()
    out = pool_2d(rectify(conv2d(x, w)), (2, 2))
    gradients = pytensor.grad((out**3).sum(), [w, x])
    assert_same(
        *([x, w], [out, *gradients], values[:2]),
        {FusedConv2d: 1, FusedConv2dGrad: 1},
    )


def test_prediction_keeps_no_mask():
    (x, w, b), values = conv_problem()
    out = pool_2d(rectify(with_bias(x, w, b)), (2, 2))
    assert_same([x, w, b], [out], values, {FusedConv2d: 1, FusedConv2dGrad: 0})
    function = pytensor.function([x, w, b], out, mode=FUSED)
    (node,) = (
        n for n in function.maker.fgraph.toposort() if isinstance(n.op, FusedConv2d)
    )
    assert len(node.outputs) == 1


def test_only_the_gradients_that_are_asked_for():
    (x, w, b), values = conv_problem()
    out = pool_2d(rectify(with_bias(x, w, b)), (2, 2))
    gradient = pytensor.grad(out.sum(), w)
    assert_same([x, w, b], [gradient], values, {FusedConv2dGrad: 1})
    function = pytensor.function([x, w, b], gradient, mode=FUSED)
    (node,) = (
        n for n in function.maker.fgraph.toposort() if isinstance(n.op, FusedConv2dGrad)
    )
    assert not node.op.to_images


@pytest.mark.parametrize(
    "layer",
    [
        lambda z: pool_2d(rectify(z), (3, 3), stride=(2, 2)),
        lambda z: pool_2d(rectify(z), (2, 2), pad=(1, 1)),
        lambda z: pool_2d(rectify(z), (2, 2), ignore_border=False),
        lambda z: pool_2d(rectify(z), (2, 2), mode="average_inc_pad"),
    ],
)
def test_of_another_pool_only_what_comes_before_is_fused(layer):
    (x, w, b), values = conv_problem()
    out = layer(with_bias(x, w, b))
    gradients = pytensor.grad((out**3).sum(), [w, b, x])
    assert_same(
        *([x, w, b], [out, *gradients], values),
        {FusedConv2d: 1, FusedConv2dGrad: 1},
    )


@pytest.mark.parametrize(
    "layer",
    [
        lambda z: pt.tanh(z),
        lambda z: pool_2d(pt.clip(z, 0, 6), (2, 2)),
        lambda z: pool_2d(rectify(z), (2, 2)) + rectify(z)[:, :, :5, :5],
        lambda z: pool_2d(rectify(z), (2, 2)) + z[:, :, :5, :5],
    ],
)
def test_what_fits_no_pattern_is_left_alone(layer):
    (x, w, b), values = conv_problem()
    out = layer(with_bias(x, w, b))
    gradients = pytensor.grad((out**2).sum(), [w, b, x])
    fused = pytensor.function([x, w, b], [out, *gradients], mode=FUSED)
    assert not any(
        op is FusedConv2d and node.op.window != (1, 1)
        for op, node in zip(ops(fused), fused.maker.fgraph.toposort(), strict=True)
    )
    assert_same([x, w, b], [out, *gradients], values, {})


def test_integers_groups_and_mixed_types_are_left_alone():
    (x, w, b), values = conv_problem()
    grouped = rectify(conv2d(x, w[:, :1], num_groups=3))
    values[1] = np.concatenate([values[1], values[1][:1]])  # six filters
    assert_same([x, w], [grouped], values[:2], {FusedConv2d: 0})
    mixed = rectify(conv2d(x.astype("float32"), w))
    assert_same([x, w], [mixed], values[:2], {FusedConv2d: 0})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("nonlinearity", [rectify, leaky, abs, lambda z: z])
def test_dense_layers(dtype, nonlinearity):
    rng = np.random.default_rng(0)
    shapes = [(6, 7), (7, 20), (20,), (20, 3), (3,)]
    values = [rng.integers(-2, 3, shape).astype(dtype) for shape in shapes]
    variables = [pt.TensorType(dtype, shape=(None,) * len(s))() for s in shapes]
    x, w1, b1, w2, b2 = variables
    out = pt.dot(nonlinearity(pt.dot(x, w1) + b1), w2) + b2
    gradients = pytensor.grad((out**3).sum(), variables)
    assert_same(
        variables,
        [out, *gradients],
        values,
        {FusedDense: 2, FusedDenseGrad: 2},
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_dense_layer_of_images(dtype):
    """They are not flattened first."""
    (x, w, b), values = conv_problem(dtype)
    units = pt.TensorType(dtype, shape=(None, None))()
    values.append(np.random.default_rng(1).integers(-2, 3, (125, 7)).astype(dtype))
    hidden = pool_2d(rectify(with_bias(x, w, b)), (2, 2))
    out = rectify(pt.dot(hidden.flatten(2), units))
    gradients = pytensor.grad((out**2).sum(), [units, w, x])
    assert_same(
        *([x, w, b, units], [out, *gradients], values),
        {FusedDense: 1, FusedDenseGrad: 1, FusedConv2dGrad: 1, Reshape: 0},
    )


@pytest.mark.parametrize(
    "matrix",
    [
        lambda x: x.reshape((x.shape[0] * 2, -1)),
        lambda x: x.reshape((x.shape[1], -1)),
        lambda x: x.reshape((2, -1)),
        lambda x: x.reshape((x.shape[0], x.shape[2])),
        lambda x: x.reshape((-1, x.shape[0])),
    ],
)
def test_another_matrix_of_images(matrix):
    x, w = pt.dtensor3(), pt.dmatrix()
    rng = np.random.default_rng(0)
    inputs = rng.integers(-2, 3, (2, 1, 4)) * 1.0
    shape = matrix(pt.as_tensor(inputs)).eval().shape
    values = [inputs, rng.integers(-2, 3, (shape[1], 5)) * 1.0]
    out = rectify(pt.dot(matrix(x), w))
    gradients = pytensor.grad((out**2).sum(), [x, w])
    assert_same([x, w], [out, *gradients], values, {FusedDense: 1, FusedDenseGrad: 1})


def test_a_dense_layer_without_a_bias():
    rng = np.random.default_rng(0)
    x, w = pt.matrices("xw")
    values = [rng.integers(-2, 3, s).astype(x.dtype) for s in [(6, 7), (7, 5)]]
    out = rectify(pt.dot(x, w))
    gradients = pytensor.grad((out**3).sum(), [x, w])
    assert_same([x, w], [out, *gradients], values, {FusedDense: 1, FusedDenseGrad: 1})


def test_matrices_that_are_used_twice():
    """The square of a matrix: each factor is the other's, too."""
    rng = np.random.default_rng(0)
    x = pt.dmatrix("x")
    out = rectify(pt.dot(x, x))
    gradient = pytensor.grad((out**3).sum(), x)
    assert_same([x], [out, gradient], [rng.integers(-2, 3, (5, 5)) * 1.0], {})


@pytest.mark.parametrize("nonlinearity", [pt.tanh, lambda z: 2 * z])
def test_weights_there_and_back_again(nonlinearity):
    """A Gibbs chain: ``dot(h, w.T)`` is like a gradient of what is computed from it."""
    h, w = pt.dmatrices("h", "w")
    hidden = h
    for _ in range(3):
        visible = nonlinearity(pt.dot(hidden, w.T))
        hidden = nonlinearity(pt.dot(visible, w))
    gradient = pytensor.grad((visible**2).sum(), w)
    rng = np.random.default_rng(0)
    values = [rng.standard_normal((4, 3)), rng.standard_normal((5, 3))]
    assert_same([h, w], [hidden, gradient], values, {FusedDense: 3})


@pytest.mark.parametrize("nonlinearity", [rectify, lambda z: z])
def test_two_steps_of_gradient_descent(nonlinearity):
    """The gradient of the first has the inputs of the second, which comes of it."""
    x, w, b = pt.dmatrix("x"), pt.dmatrix("w"), pt.dvector("b")
    weights, bias = w, b
    for _ in range(2):
        loss = (nonlinearity(pt.dot(x, weights) + bias) ** 2).sum()
        by_weights, by_bias = pytensor.grad(loss, [weights, bias])
        weights, bias = weights - by_weights / 8, bias - by_bias / 8
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(shape) for shape in ((4, 5), (5, 3), (3,))]
    assert_same([x, w, b], [weights, bias, loss], values, {FusedDense: 2})


def test_two_steps_of_gradient_descent_of_a_convolution():
    (x, w, b), values = conv_problem()
    weights, bias = w, b
    for _ in range(2):
        out = pool_2d(rectify(with_bias(x, weights, bias)), (2, 2), ignore_border=True)
        by_weights, by_bias = pytensor.grad((out**2).mean(), [weights, bias])
        weights, bias = weights - by_weights / 8, bias - by_bias / 8
    assert_same([x, w, b], [weights, bias], values, {FusedConv2d: 2})


def crossentropy(scores, classes):
    rows = pt.arange(classes.shape[0])
    return -pt.log(pt.special.softmax(scores, axis=1))[rows, classes]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_crossentropy_of_a_softmax(dtype):
    scores = pt.TensorType(dtype, shape=(None, None))()
    classes = pt.ivector()
    rng = np.random.default_rng(0)
    values = [
        rng.standard_normal((6, 4)).astype(dtype),
        rng.integers(0, 4, 6).astype("int32"),
    ]
    loss = (crossentropy(scores, classes) * np.arange(1, 7).astype(dtype)).mean()
    accuracy = pt.eq(pt.special.softmax(scores, axis=1).argmax(axis=1), classes).mean()
    gradient = pytensor.grad(loss, scores)
    assert_same(
        *([scores, classes], [loss, gradient, accuracy], values),
        {SoftmaxLogLikelihood: 1, SoftmaxLogLikelihoodGrad: 1},
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_mean_of_a_crossentropy(dtype):
    """Its gradient stays one number, its sum comes with it."""
    scores = pt.TensorType(dtype, shape=(None, None))()
    classes = pt.ivector()
    rng = np.random.default_rng(0)
    values = [
        rng.standard_normal((6, 4)).astype(dtype),
        rng.integers(0, 4, 6).astype("int32"),
    ]
    loss = crossentropy(scores, classes).mean()
    assert_same(
        *([scores, classes], [loss, pytensor.grad(loss, scores)], values),
        {SoftmaxLogLikelihood: 1, SoftmaxLogLikelihoodGrad: 1, Alloc: 0, Sum: 0},
    )


def test_other_rows_of_a_softmax_are_left_alone():
    scores, classes = pt.dmatrix(), pt.lvector()
    log = pt.log(pt.special.softmax(scores, axis=1))
    values = [np.random.default_rng(0).standard_normal((6, 4)), np.array([0, 3, 1])]
    every_second = log[pt.arange(0, 2 * classes.shape[0], 2), classes]
    first = log[pt.arange(3), classes]
    along_columns = pt.log(pt.special.softmax(scores, axis=0))
    along_columns = along_columns[pt.arange(classes.shape[0]), classes]
    for chosen in (every_second, first, along_columns):
        assert_same(*([scores, classes], [chosen], values), {SoftmaxLogLikelihood: 0})


def network(dtype):
    """The question's network in small: parameters, inputs, loss."""
    rng = np.random.default_rng(0)
    shapes = [(8, 1, 5, 5), (8,), (8, 8, 3, 3), (8,), (200, 16), (16,), (16, 10), (10,)]
    parameters = [
        pytensor.shared((rng.standard_normal(s) * 0.2).astype(dtype)) for s in shapes
    ]
    w1, b1, w2, b2, w3, b3, w4, b4 = parameters
    images = pt.TensorType(dtype, shape=(None, None, None, None))()
    classes = pt.ivector()
    hidden = pool_2d(rectify(with_bias(images, w1, b1)), (2, 2))
    hidden = pool_2d(rectify(with_bias(hidden, w2, b2)), (2, 2))
    hidden = rectify(pt.dot(hidden.flatten(2), w3) + b3)
    loss = crossentropy(pt.dot(hidden, w4) + b4, classes).mean()
    return parameters, [images, classes], loss


def train(mode, dtype, steps=4):
    parameters, inputs, loss = network(dtype)
    rate, momentum = np.array(0.05, dtype), np.array(0.9, dtype)
    updates = []
    for parameter, gradient in zip(
        parameters, pytensor.grad(loss, parameters), strict=True
    ):
        velocity = pytensor.shared(np.zeros_like(parameter.get_value()))
        moved = momentum * velocity - rate * gradient
        updates += [(velocity, moved), (parameter, parameter + moved)]
    function = pytensor.function(inputs, loss, updates=updates, mode=mode)
    rng = np.random.default_rng(1)
    images = rng.standard_normal((steps, 6, 1, 28, 28)) * (rng.random(28) < 0.5)
    classes = rng.integers(0, 10, (steps, 6)).astype("int32")
    losses = [
        function(x, y) for x, y in zip(images.astype(dtype), classes, strict=True)
    ]
    return np.array(losses), [p.get_value() for p in parameters], function


def test_a_network_learns_the_same_in_float64():
    losses, values, function = train(FUSED, "float64")
    expected_losses, expected, _ = train(PLAIN, "float64")
    assert np.allclose(losses, expected_losses, rtol=1e-12, atol=0)
    for one, other in zip(values, expected, strict=True):
        assert np.abs(one - other).max() <= 1e-12 * np.abs(other).max()
    found = ops(function)
    for op in (FusedConv2d, FusedConv2dGrad, FusedDense, FusedDenseGrad):
        assert found.count(op) == 2


def test_a_network_s_step_in_float32_is_the_float64_step():
    _, values, _ = train(FUSED, "float32", steps=1)
    _, expected, _ = train(PLAIN, "float64", steps=1)
    for one, other in zip(values, expected, strict=True):
        assert np.abs(one - other).max() <= 1e-5 * np.abs(other).max()


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("fuse_conv", [FusedConv2d, FusedConv2dGrad]),
        ("fuse_dense", [FusedDense, FusedDenseGrad]),
        ("fuse_crossentropy", [SoftmaxLogLikelihood, SoftmaxLogLikelihoodGrad]),
    ],
)
def test_each_rewrite_can_be_switched_off(name, gone):
    _, inputs, loss = network("float64")
    found = ops(pytensor.function(inputs, loss, mode=FUSED.excluding(name)))
    assert not set(gone) & set(found)
    assert len({FusedConv2d, FusedDense, SoftmaxLogLikelihood} & set(found)) == 2
