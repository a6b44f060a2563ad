"""The fast pooling against one that visits every window.

Numbers are small integers: ties abound, and all sums are exact.
"""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytensor_nnet.kernels import pooling
from pytensor_nnet.kernels.pooling import (
    MODES,
    Pool,
    pool,
    pool_max_gather,
    pool_max_scatter,
    pool_sum_scatter,
)


def visit_windows(geometry, image_size):
    """Every window: its index, its part of the image, and how many positions of
    the padded image it covers.
    """
    rows, columns = geometry.output_size(image_size)
    for y, x in np.ndindex(rows, columns):
        padded, inside = [], []
        for at, size, window, stride, pad in zip(
            (y, x), image_size, geometry.window, geometry.stride, geometry.pad,
            strict=True,
        ):  # fmt: skip
            covered = range(at * stride, min(at * stride + window, size + 2 * pad))
            padded.append(len(covered))
            seen = [p - pad for p in covered if 0 <= p - pad < size]
            inside.append(slice(seen[0], seen[-1] + 1))
        yield (y, x), tuple(inside), padded[0] * padded[1]


def count(window):
    return (window[0].stop - window[0].start) * (window[1].stop - window[1].start)


pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))


@st.composite
def pools(draw):
    """A geometry, and images of two to four axes."""
    window = draw(pairs)
    ignore_border = draw(st.booleans())
    pad = (0, 0)
    if ignore_border:
        pad = tuple(draw(st.integers(0, w - 1)) for w in window)
    geometry = Pool(window, draw(st.one_of(st.just(window), pairs)), pad, ignore_border)
    leading = draw(st.lists(st.integers(0, 3), max_size=2))
    size = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    images = rng.integers(-2, 3, (*leading, *size)).astype(dtype)
    if draw(st.booleans()):
        images = np.asfortranarray(images)
    images.flags.writeable = False
    gradient = rng.integers(-4, 5, (*leading, *geometry.output_size(size)))
    return geometry, images, gradient.astype(dtype)


@settings(max_examples=150, deadline=None)
@given(pools())
def test_every_mode_equals_the_windows_one_by_one(problem):
    geometry, images, gradient = problem
    expected = {mode: np.zeros(gradient.shape) for mode in MODES}
    for at, window, padded in visit_windows(geometry, images.shape[-2:]):
        part = images[(..., *window)]
        total = part.sum((-2, -1))
        expected["max"][(..., *at)] = part.max((-2, -1))
        expected["sum"][(..., *at)] = total
        expected["average_inc_pad"][(..., *at)] = total / padded
        expected["average_exc_pad"][(..., *at)] = total / count(window)
    for mode in MODES:
        result = pool(images, geometry, mode)
        assert result.dtype == images.dtype
        assert np.array_equal(result, expected[mode].astype(images.dtype))


@settings(max_examples=150, deadline=None)
@given(pools(), st.sampled_from([1, pooling._BLOCK_BYTES]))
def test_the_gradient_reaches_every_maximum(problem, block_bytes):
    geometry, images, gradient = problem
    maxima = pool(images, geometry, "max")
    values = (images * 3 + 1).astype(images.dtype)
    scattered = np.zeros(images.shape)
    gathered = np.zeros(maxima.shape)
    for at, window, _ in visit_windows(geometry, images.shape[-2:]):
        place = (..., *window)
        part = images[place]
        chosen = part == part.max((-2, -1), keepdims=True)
        scattered[place] += chosen * gradient[(..., *at)][..., None, None]
        gathered[(..., *at)] = (chosen * values[place]).sum((-2, -1))
    with mock.patch.object(pooling, "_BLOCK_BYTES", block_bytes):
        result = pool_max_scatter(images, maxima, gradient, geometry)
        adjoint = pool_max_gather(images, maxima, values, geometry)
    assert result.dtype == adjoint.dtype == images.dtype
    assert np.array_equal(result, scattered)
    assert np.array_equal(adjoint, gathered)


@settings(max_examples=100, deadline=None)
@given(pools(), st.sampled_from(MODES[1:]))
def test_the_gradient_of_sums_and_averages(problem, mode):
    geometry, images, gradient = problem
    expected = np.zeros(images.shape)
    for at, window, padded in visit_windows(geometry, images.shape[-2:]):
        divisor = {"sum": 1, "average_inc_pad": padded}.get(mode, count(window))
        expected[(..., *window)] += gradient[(..., *at)][..., None, None] / divisor
    result = pool_sum_scatter(gradient, images.shape[-2:], geometry, mode)
    assert result.dtype == images.dtype
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("stride", [(2, 2), (1, 1)])
def test_nan_wins_its_window_and_gets_no_gradient(stride):
    geometry = Pool((2, 2), stride)
    images = np.arange(16.0).reshape(4, 4)
    images[0, 1] = np.nan
    maxima = pool(images, geometry, "max")
    assert np.isnan(maxima).sum() == (1 if stride == (2, 2) else 2)
    gradient = np.full(maxima.shape, np.inf)
    scattered = pool_max_scatter(images, maxima, gradient, geometry)
    assert set(scattered.ravel()) == {0, np.inf}
    assert not scattered[0].any()


def test_minus_infinity_is_a_maximum_where_there_is_nothing_else():
    images = np.full((2, 2), -np.inf)
    assert pool(images, Pool((2, 2), (2, 2)), "max").tolist() == [[-np.inf]]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "bool"])
def test_the_maximum_of_integers(dtype):
    images = np.array([[0, 1, 0], [1, 1, 0]], dtype)
    result = pool(images, Pool((2, 1), (2, 1)), "max")
    assert result.dtype == dtype
    assert result.tolist() == [[1, 1, 0]]


def test_averages_of_integers_are_rounded_towards_zero():
    images = np.array([[100, 127], [127, 125]], "int8")
    result = pool(images, Pool((2, 2), (2, 2)), "average_inc_pad")
    assert (result.dtype, result.item()) == (np.int8, (100 + 127 + 127 + 125) // 4)
    negative = pool(-images, Pool((2, 2), (2, 2)), "average_exc_pad")
    assert negative.item() == -((100 + 127 + 127 + 125) // 4)


def test_images_without_rows_cannot_fill_a_window():
    with pytest.raises(ValueError, match=r"shape \(2, 0, 4\).*no rows"):
        pool(np.zeros((2, 0, 4)), Pool((2, 2), (1, 1), ignore_border=False))
    assert pool(np.zeros((2, 0, 4)), Pool((2, 2), (2, 2))).shape == (2, 0, 2)
