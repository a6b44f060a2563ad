"""A cropped full convolution becomes one with pads, and computes the same."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from pytensor_nnet import conv2d
from pytensor_nnet.linker import NumpyLinker
from pytensor_nnet.ops.conv import Conv2d, Conv2dGradFilters, Conv2dGradInputs
from pytensor_nnet.rewrites import cropping  # noqa: F401  (registers it)

CROPPED = Mode(NumpyLinker(), "fast_run").excluding("fuse_conv")
PLAIN = CROPPED.excluding("crop_conv")


def same(images, filters, size, shape=None, shift=None):
    """A ``'same'`` convolution as Lasagne 0.1 makes it."""
    full = conv2d(
        images,
        filters,
        input_shape=shape,
        filter_shape=(None, None, *size),
        border_mode="full",
    )
    down, across = shift or [(length - 1) // 2 for length in size]
    return full[
        :,
        :,
        down : images.shape[2] + down,
        across : images.shape[3] + across,
    ]


def conv_ops(function):
    return [
        node.op
        for node in function.maker.fgraph.toposort()
        if isinstance(node.op, Conv2d | Conv2dGradFilters | Conv2dGradInputs)
    ]


@pytest.mark.parametrize("size", [(5, 5), (3, 5), (4, 4), (2, 3), (1, 1)])
@pytest.mark.parametrize("known", [True, False])
def test_forward_and_both_gradients(size, known):
    shape = (None, 2, 9, 8)
    images = pt.tensor("x", shape=shape if known else (None,) * 4, dtype="float64")
    filters = pt.tensor4("W", dtype="float64")
    out = same(images, filters, size, shape)
    outputs = [out, *pytensor.grad((out**3).sum(), [images, filters])]
    rng = np.random.default_rng(0)
    values = rng.standard_normal((3, 2, 9, 8)), rng.standard_normal((4, 2, *size))
    cropped = pytensor.function([images, filters], outputs, mode=CROPPED)
    plain = pytensor.function([images, filters], outputs, mode=PLAIN)
    if size != (1, 1):
        assert all(op.border_mode == "full" for op in conv_ops(plain))
    pads = tuple((n - 1 - (n - 1) // 2, (n - 1) // 2) for n in size)
    assert [op.border_mode for op in conv_ops(cropped)] == [pads] * 3
    for one, other in zip(cropped(*values), plain(*values), strict=True):
        assert one.shape == other.shape
        assert np.allclose(one, other, rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize(
    "crop",
    [
        lambda full, x: full[:, :, 1 : x.shape[2] + 2, 1 : x.shape[3] + 1],
        lambda full, x: full[:, :, 1 : x.shape[2] + 1, 1 : x.shape[2] + 1],
        lambda full, x: full[:, :, 1 : x.shape[2] + 1 : 2, 1 : x.shape[3] + 1],
        lambda full, x: full[:, 1:, 1 : x.shape[2] + 1, 1 : x.shape[3] + 1],
        lambda full, x: full[:, :, 3 : x.shape[2] + 3, 1 : x.shape[3] + 1],
        lambda full, x: full[:, :, 1:, 1:],
    ],
)
def test_other_slices_are_left_alone(crop):
    images, filters = pt.dtensor4("x"), pt.dtensor4("W")
    full = conv2d(images, filters, filter_shape=(1, 1, 3, 3), border_mode="full")
    out = crop(full, images)
    function = pytensor.function([images, filters], out, mode=CROPPED)
    assert [op.border_mode for op in conv_ops(function)] == ["full"]
    rng = np.random.default_rng(0)
    values = rng.standard_normal((2, 1, 6, 5)), rng.standard_normal((1, 1, 3, 3))
    plain = pytensor.function([images, filters], out, mode=PLAIN)
    assert np.array_equal(function(*values), plain(*values))


def test_a_full_convolution_used_as_a_whole_stays_beside_its_crop():
    images, filters = pt.dtensor4("x"), pt.dtensor4("W")
    full = conv2d(images, filters, filter_shape=(1, 1, 3, 3), border_mode="full")
    outputs = [full, full[:, :, 1 : images.shape[2] + 1, 1 : images.shape[3] + 1]]
    function = pytensor.function([images, filters], outputs, mode=CROPPED)
    rng = np.random.default_rng(0)
    values = rng.standard_normal((2, 1, 6, 5)), rng.standard_normal((1, 1, 3, 3))
    whole, part = function(*values)
    assert np.allclose(whole[:, :, 1:-1, 1:-1], part)


@pytest.mark.parametrize("known", [True, False])
def test_filters_of_two_sizes_on_the_same_images_are_told_apart(known):
    """An inception block: ``'same'`` convolutions of 1x1 and 3x3 side by side."""
    images = pt.dtensor4("x")
    filters = [
        pt.tensor(
            f"W{n}", dtype="float64", shape=(2, 2, n, n) if known else (None,) * 4
        )
        for n in (1, 3)
    ]
    outputs = [same(images, W, (n, n)) for W, n in zip(filters, (1, 3), strict=True)]
    loss = (pt.concatenate(outputs, axis=1) ** 2).sum()
    gradients = pytensor.grad(loss, [*filters, images])
    rng = np.random.default_rng(0)
    values = [
        rng.standard_normal(s) for s in ((6, 2, 7, 6), (2, 2, 1, 1), (2, 2, 3, 3))
    ]
    inputs = [images, *filters]
    cropped = pytensor.function(inputs, gradients, mode=CROPPED)(*values)
    plain = pytensor.function(inputs, gradients, mode=PLAIN)(*values)
    for one, other in zip(cropped, plain, strict=True):
        assert np.allclose(one, other, rtol=1e-12, atol=1e-12)
