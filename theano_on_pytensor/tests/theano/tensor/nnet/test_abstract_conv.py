"""Convolution under Theano's signatures, against a sum over the taps."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import theano
import theano.tensor as T
from theano.tensor.nnet import abstract_conv
from theano.tensor.nnet.abstract_conv import (
    AbstractConv2d,
    AbstractConv2d_gradInputs,
    AbstractConv2d_gradWeights,
    get_conv_output_shape,
    get_conv_shape_1axis,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((2, 3, 6, 7))
FILTERS = RNG.standard_normal((4, 3, 3, 2))


def convolve(images, filters, pads=(0, 0), strides=(1, 1), flip=True):
    """Each output is the sum over a window, filter turned by 180 degrees."""
    if flip:
        filters = filters[:, :, ::-1, ::-1]
    images = np.pad(images, [(0, 0), (0, 0), (pads[0],) * 2, (pads[1],) * 2])
    down, across = filters.shape[2:]
    rows = (images.shape[2] - down) // strides[0] + 1
    columns = (images.shape[3] - across) // strides[1] + 1
    out = np.zeros((len(images), len(filters), rows, columns))
    for i in range(rows):
        for j in range(columns):
            top, left = i * strides[0], j * strides[1]
            window = images[:, :, top : top + down, left : left + across]
            out[:, :, i, j] = np.einsum("ncij,fcij->nf", window, filters)
    return out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {}),
        ({"border_mode": "full"}, {"pads": (2, 1)}),
        ({"border_mode": "half"}, {"pads": (1, 1)}),
        ({"border_mode": 1}, {"pads": (1, 1)}),
        ({"border_mode": (0, 2)}, {"pads": (0, 2)}),
        ({"subsample": (2, 3)}, {"strides": (2, 3)}),
        ({"filter_flip": False}, {"flip": False}),
        ({"image_shape": (2, 3, 6, 7), "filter_shape": (4, 3, 3, 2)}, {}),
        ({"input_shape": (None, 3, None, 7)}, {}),
    ],
)
def test_conv2d(options, expected):
    out = T.nnet.conv2d(T.constant(IMAGES), T.constant(FILTERS), **options)
    np.testing.assert_allclose(
        out.eval(), convolve(IMAGES, FILTERS, **expected), rtol=1e-10
    )


def test_conv2d_of_before_takes_its_own_order_of_arguments():
    out = T.nnet.conv.conv2d(
        T.constant(IMAGES), T.constant(FILTERS), (2, 3, 6, 7), (4, 3, 3, 2), "full"
    )
    np.testing.assert_allclose(
        out.eval(), convolve(IMAGES, FILTERS, pads=(2, 1)), rtol=1e-10
    )


def test_a_shape_is_given_once_and_hints_are_named():
    x, w = T.dtensor4(), T.dtensor4()
    with pytest.raises(ValueError, match="image_shape, not both"):
        T.nnet.conv2d(x, w, input_shape=(1, 1, 1, 1), image_shape=(1, 1, 1, 1))
    with pytest.warns(UserWarning, match="unroll_batch"):
        T.nnet.conv2d(x, w, unroll_batch=4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        T.nnet.conv2d(x, w)


@pytest.mark.parametrize("border_mode", ["valid", "full", "half", (1, 0)])
def test_the_three_ops_are_each_others_gradients(border_mode):
    x, w = T.dtensor4("x"), T.dtensor4("w")
    options = {"border_mode": border_mode, "subsample": (2, 1)}
    out = T.nnet.conv2d(x, w, **options)
    weights = RNG.standard_normal(out.eval({x: IMAGES, w: FILTERS}).shape)
    cost = (out * weights).sum()
    by_images, by_filters = theano.function([x, w], T.grad(cost, [x, w]))(
        IMAGES, FILTERS
    )
    to_images = AbstractConv2d_gradInputs(**options)(w, weights, [6, 7])
    to_filters = AbstractConv2d_gradWeights(**options)(x, weights, [3, 2])
    np.testing.assert_allclose(to_images.eval({w: FILTERS}), by_images, rtol=1e-10)
    np.testing.assert_allclose(to_filters.eval({x: IMAGES}), by_filters, rtol=1e-10)
    forward = AbstractConv2d(**options)(x, w)
    assert np.array_equal(
        forward.eval({x: IMAGES, w: FILTERS}), out.eval({x: IMAGES, w: FILTERS})
    )
    function = abstract_conv.conv2d_grad_wrt_inputs(
        weights, w, (None, None, 6, 7), (None, None, 3, 2), **options
    )
    np.testing.assert_allclose(function.eval({w: FILTERS}), by_images, rtol=1e-10)
    function = abstract_conv.conv2d_grad_wrt_weights(
        x, weights, (None, None, 3, 2), (None, None, 6, 7), **options
    )
    np.testing.assert_allclose(function.eval({x: IMAGES}), by_filters, rtol=1e-10)


sizes = st.integers(1, 8)


@settings(deadline=None)
@given(
    st.tuples(sizes, sizes),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from(["valid", "full", "half", 1, (0, 2)]),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 2), st.integers(1, 2)),
)
def test_the_shape_is_that_of_the_output(image, kernel, mode, strides, dilation):
    shape = get_conv_output_shape(
        (2, 1, *image), (3, 1, *kernel), mode, strides, dilation
    )
    if min(shape[2:]) < 1:
        return
    out = T.nnet.conv2d(
        np.zeros((2, 1, *image)),
        np.zeros((3, 1, *kernel)),
        border_mode=mode,
        subsample=strides,
        filter_dilation=dilation,
    )
    assert out.eval().shape == shape


def test_shapes_of_parts_that_are_unknown():
    assert get_conv_shape_1axis(28, 5, "valid", 1) == 28 - (5 - 1)
    assert get_conv_shape_1axis(28, 5, "full", 1) == 28 + (5 - 1)
    assert get_conv_shape_1axis(None, 5, "valid", 1) is None
    assert get_conv_output_shape(
        (None, 1, None, 28), (8, 1, 5, 5), "valid", (1, 2)
    ) == (None, 8, None, (28 - 5) // 2 + 1)
    assert T.nnet.conv.ConvOp.getOutputShape((28, 28), (5, 5)) == (24, 24)
    assert T.nnet.conv.ConvOp.getOutputShape((5, 5), (3, 3), (2, 2), "full") == (4, 4)
