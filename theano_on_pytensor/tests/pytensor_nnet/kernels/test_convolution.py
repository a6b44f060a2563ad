"""The fast convolution against one that visits every tap of every window.

Numbers are small integers, so that all sums are exact and must be equal.
"""

from unittest import mock

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytensor_nnet.kernels import convolution
from pytensor_nnet.kernels.convolution import (
    Convolution,
    convolve,
    convolve_filter_gradient,
    convolve_input_gradient,
)


def visit_taps(geometry, image_shape, filter_shape):
    """Every product of a convolution, as (output, image, filter) indices."""
    n_filters, group_channels, filter_rows, filter_columns = filter_shape
    _, _, image_rows, image_columns = image_shape
    (top, _), (left, _) = geometry.pads
    _, _, out_rows, out_columns = geometry.output_shape(image_shape, filter_shape)
    for b, f, y, x, c, i, j in np.ndindex(
        image_shape[0],
        n_filters,
        out_rows,
        out_columns,
        group_channels,
        filter_rows,
        filter_columns,
    ):
        row = y * geometry.strides[0] + i * geometry.dilations[0] - top
        column = x * geometry.strides[1] + j * geometry.dilations[1] - left
        if not (0 <= row < image_rows and 0 <= column < image_columns):
            continue
        channel = f // (n_filters // geometry.groups) * group_channels + c
        tap = (filter_rows - 1 - i, filter_columns - 1 - j) if geometry.flip else (i, j)
        yield (b, f, y, x), (b, channel, row, column), (f, c, *tap)


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
pads = st.tuples(st.integers(0, 3), st.integers(0, 3))


@st.composite
def convolutions(draw):
    """A geometry, images, filters and a gradient of the output."""
    groups = draw(st.integers(1, 2))
    geometry = Convolution(
        draw(st.tuples(pads, pads)),
        draw(pairs),
        draw(pairs),
        groups,
        draw(st.booleans()),
    )
    channels = draw(st.integers(0, 3))
    image_shape = (
        draw(st.integers(0, 3)),
        channels * groups,
        *draw(st.tuples(st.integers(1, 6), st.integers(1, 6))),
    )
    filter_shape = (draw(st.integers(0, 2)) * groups, channels, *draw(pairs))
    try:
        out_shape = geometry.output_shape(image_shape, filter_shape)
    except ValueError:
        assume(False)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    layout = draw(st.sampled_from(["C", "F", "reversed"]))
    arrays = []
    for shape in (image_shape, filter_shape, out_shape):
        array = rng.integers(-4, 5, shape).astype(dtype)
        if layout == "F":
            array = np.asfortranarray(array)
        elif layout == "reversed":
            array = np.ascontiguousarray(array[..., ::-1])[..., ::-1]
        array.flags.writeable = False
        arrays.append(array)
    return geometry, *arrays


block_bytes = st.sampled_from([1, 300, convolution._BLOCK_BYTES])


@settings(max_examples=150, deadline=None)
@given(convolutions(), block_bytes)
def test_all_three_equal_the_sum_over_every_tap(problem, size):
    geometry, images, filters, gradient = problem
    out = np.zeros(gradient.shape)
    to_images = np.zeros(images.shape)
    to_filters = np.zeros(filters.shape)
    for o, i, f in visit_taps(geometry, images.shape, filters.shape):
        out[o] += images[i] * filters[f]
        to_images[i] += gradient[o] * filters[f]
        to_filters[f] += gradient[o] * images[i]
    with mock.patch.object(convolution, "_BLOCK_BYTES", size):
        results = [
            convolve(images, filters, geometry),
            convolve_input_gradient(filters, gradient, images.shape[2:], geometry),
            convolve_filter_gradient(images, gradient, filters.shape[2:], geometry),
        ]
    for result, expected in zip(results, (out, to_images, to_filters), strict=True):
        assert result.dtype == images.dtype
        assert np.array_equal(result, expected)


def test_integers_and_mixed_precisions_are_upcast():
    images = np.arange(9, dtype="int8").reshape(1, 1, 3, 3)
    filters = np.ones((1, 1, 2, 2), dtype="float32")
    assert convolve(images, filters).dtype == np.result_type("int8", "float32")
    assert convolve(images, images[..., :2, :2]).dtype == np.int8
    assert convolve(images.astype("float64"), filters).dtype == np.float64
    assert convolve(images, filters)[0, 0, 0, 0] == 0 + 1 + 3 + 4


def test_nan_reaches_only_the_windows_that_see_it():
    images = np.zeros((2, 3, 6, 7))
    images[1, 2, 3, 4] = np.nan
    out = convolve(images, np.ones((4, 3, 3, 3)), Convolution(((1, 1), (1, 1))))
    expected = np.zeros((2, 4, 6, 7), bool)
    expected[1, :, 2:5, 3:6] = True
    assert np.array_equal(np.isnan(out), expected)


def test_nan_in_a_gradient_stays_with_its_filter_and_its_window():
    gradient = np.zeros((2, 4, 4, 5))
    gradient[1, 2, 3, 0] = np.inf
    to_filters = convolve_filter_gradient(np.ones((2, 3, 6, 7)), gradient, (3, 3))
    assert np.array_equal(
        np.isinf(to_filters).all((1, 2, 3)), [False, False, True, False]
    )
    assert np.isfinite(to_filters[[0, 1, 3]]).all()
    to_images = convolve_input_gradient(np.ones((4, 3, 3, 3)), gradient, (6, 7))
    assert np.isinf(to_images[1, :, 3:6, 0:3]).all()
    assert np.isfinite(to_images).sum() == to_images.size - 3 * 3 * 3


def test_the_same_bits_whatever_the_batch():
    rng = np.random.default_rng(0)
    images = rng.standard_normal((20, 3, 9, 9)).astype("float32")
    filters = rng.standard_normal((4, 3, 3, 3)).astype("float32")
    together = convolve(images, filters)
    alone = np.concatenate([convolve(image[None], filters) for image in images])
    assert np.array_equal(together, alone)


@pytest.mark.parametrize(
    ("image_shape", "filter_shape", "groups", "told"),
    [
        ((2, 3, 5, 5), (4, 2, 3, 3), 1, "2 \\* 1 = 2 channels"),
        ((2, 4, 5, 5), (4, 3, 3, 3), 2, "3 \\* 2 = 6 channels"),
        ((2, 4, 5, 5), (3, 2, 3, 3), 2, "3, must be a multiple of 2"),
        ((2, 3, 2, 5), (4, 3, 3, 3), 1, "its size would be 0 x 3"),
        ((2, 3, 5, 5), (4, 3, 0, 3), 1, "has no output"),
    ],
)
def test_shapes_that_do_not_fit_are_named(image_shape, filter_shape, groups, told):
    with pytest.raises(ValueError, match=told) as error:
        convolve(
            np.zeros(image_shape), np.zeros(filter_shape), Convolution(groups=groups)
        )
    assert str(image_shape) in str(error.value)
    assert str(filter_shape) in str(error.value)


def test_a_gradient_of_another_shape_is_refused():
    images, filters = np.zeros((2, 3, 5, 5)), np.zeros((4, 3, 3, 3))
    gradient = np.zeros((2, 4, 3, 2))
    told = r"shape \(2, 4, 3, 2\).*need \(2, 4, 3, 3\)"
    with pytest.raises(ValueError, match=told):
        convolve_filter_gradient(images, gradient, (3, 3))
    with pytest.raises(ValueError, match=told):
        convolve_input_gradient(filters, gradient, (5, 5))
