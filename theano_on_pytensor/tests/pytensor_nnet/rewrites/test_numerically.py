"""Rewritten graphs against what needs none: finite differences, and plain Ops.

Plain is a graph of which nothing is rewritten.
"""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from pytensor_nnet import (
    conv2d,
    pool_2d,
    rewrites,  # noqa: F401  (registers them)
)
from pytensor_nnet.linker import NumpyLinker

REWRITTEN = Mode(NumpyLinker(), "fast_run")
PLAIN = Mode(NumpyLinker(), None)


def rectify(z):
    return 0.5 * (z + abs(z))


def leaky(z):
    return 0.625 * z + 0.375 * abs(z)


def dropped(z):
    """Some of it left out, as a dropout layer does."""
    kept = np.random.default_rng(0).random(5) < 0.6
    return z * kept.astype(z.dtype)[:, None, None] / np.array(0.6, z.dtype)


FORMS = {
    "rectifier and pool": ({}, lambda z: pool_2d(rectify(z), (2, 2))),
    "padded, strided": (
        {"border_mode": "half", "subsample": (2, 1)},
        lambda z: pool_2d(rectify(z), (2, 2)),
    ),
    "cropped full": (
        {"border_mode": "full"},
        lambda z: pool_2d(rectify(z[:, :, 1:14, 1:14]), (2, 2)),
    ),
    "leaky": ({}, lambda z: pool_2d(leaky(z), (3, 2))),
    "absolute": ({}, lambda z: pool_2d(abs(z), (2, 2))),
    "no pool": ({}, rectify),
    "no nonlinearity": ({"filter_flip": False}, lambda z: pool_2d(z, (2, 2))),
    "overlapping": ({}, lambda z: pool_2d(rectify(z), (3, 3), stride=(2, 2))),
    "average": ({}, lambda z: pool_2d(pt.tanh(z), (2, 2), mode="average_exc_pad")),
    "sigmoid": ({"subsample": (3, 3)}, pt.sigmoid),
    "dropout": ({}, lambda z: dropped(pool_2d(rectify(z), (2, 2)))),
}


def make_network(form, dtype):
    """A convolutional layer of this form, a dense one, a softmax: inputs, and loss."""
    conv, layer = FORMS[form]
    images, w1 = (pt.TensorType(dtype, shape=(None,) * 4)() for _ in range(2))
    b1, b2 = pt.TensorType(dtype, shape=(None,))(), pt.TensorType(dtype, (None,))()
    w2 = pt.TensorType(dtype, shape=(None, None))()
    classes = pt.as_tensor(np.arange(6, dtype="int32") % 4)
    before = conv2d(images, w1, **conv) + b1.dimshuffle("x", 0, "x", "x")
    hidden = layer(before).flatten(2)
    out = pt.special.softmax(pt.dot(rectify(hidden[:, :40]), w2) + b2, axis=1)
    loss = -pt.log(out)[pt.arange(classes.shape[0]), classes].mean()
    return [images, w1, b1, w2, b2], loss


def make_values(dtype):
    rng = np.random.default_rng(0)
    shapes = [(6, 3, 13, 13), (5, 3, 3, 3), (5,), (40, 4), (4,)]
    values = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    values[3] *= 0.1  # so that no class is all but certain
    return values


@pytest.mark.parametrize("form", FORMS)
def test_gradients_are_finite_differences(form):
    inputs, loss = make_network(form, "float64")
    gradients = pytensor.function(inputs, pytensor.grad(loss, inputs), mode=REWRITTEN)
    compute_loss = pytensor.function(inputs, loss, mode=REWRITTEN)
    values = make_values("float64")
    rng = np.random.default_rng(1)
    step = 1e-6
    for index, gradient in enumerate(gradients(*values)):
        direction = rng.standard_normal(gradient.shape)
        direction /= np.sqrt((direction**2).sum())
        losses = []
        for sign in (1, -1):
            moved = list(values)
            moved[index] = values[index] + sign * step * direction
            losses.append(compute_loss(*moved))
        expected = (losses[0] - losses[1]) / (2 * step)
        size = np.sqrt((gradient**2).sum())
        assert size > 0
        assert abs((gradient * direction).sum() - expected) <= 1e-8 * max(size, 0.1)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)]
)
def test_gradients_are_those_of_the_plain_graph(form, dtype, tolerance):
    inputs, loss = make_network(form, dtype)
    outputs = [loss, *pytensor.grad(loss, inputs)]
    rewritten = pytensor.function(inputs, outputs, mode=REWRITTEN)
    inputs, loss = make_network(form, "float64")
    outputs = [loss, *pytensor.grad(loss, inputs)]
    plain = pytensor.function(inputs, outputs, mode=PLAIN)
    values = make_values(dtype)
    expected = plain(*(value.astype("float64") for value in values))
    for one, other in zip(rewritten(*values), expected, strict=True):
        assert one.dtype == dtype
        assert np.abs(one - other).max() <= tolerance * np.abs(other).max()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_stays_nan(form, dtype):
    """Where the plain graph has one, and nowhere else."""
    conv, layer = FORMS[form]
    images, filters = (pt.TensorType(dtype, shape=(None,) * 4)() for _ in range(2))
    bias = pt.TensorType(dtype, shape=(None,))()
    out = layer(conv2d(images, filters, **conv) + bias.dimshuffle("x", 0, "x", "x"))
    values = make_values(dtype)[:3]
    values[0][2, 1, 6, 7] = np.nan
    inputs = [images, filters, bias]
    found = pytensor.function(inputs, out, mode=REWRITTEN)(*values)
    expected = pytensor.function(inputs, out, mode=PLAIN)(*values)
    assert np.isnan(expected[2]).any()
    assert np.isfinite(np.delete(expected, 2, axis=0)).all()
    assert np.array_equal(np.isnan(found), np.isnan(expected))
