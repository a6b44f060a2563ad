"""Pooling under Theano's signatures, against a loop over the windows."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor.signal import downsample, pool
from theano.tensor.signal.pool import Pool, max_pool_2d_same_size, pool_2d

IMAGES = np.random.default_rng(0).standard_normal((2, 3, 7, 8))


def pool_by_windows(images, ws, stride, pad, reduce):
    """Whole windows only; ``reduce`` takes the values of each, a vector."""
    padded = np.pad(
        images,
        [(0, 0), (0, 0), (pad[0],) * 2, (pad[1],) * 2],
        constant_values=np.nan,
    )
    rows = (padded.shape[2] - ws[0]) // stride[0] + 1
    columns = (padded.shape[3] - ws[1]) // stride[1] + 1
    out = np.zeros((*images.shape[:2], rows, columns))
    for place in np.ndindex(*out.shape):
        top, left = place[2] * stride[0], place[3] * stride[1]
        window = padded[place[:2]][top : top + ws[0], left : left + ws[1]].ravel()
        out[place] = reduce(window)
    return out


REDUCE = {
    "max": np.nanmax,
    "sum": np.nansum,
    "average_exc_pad": np.nanmean,
    "average_inc_pad": lambda window: np.nan_to_num(window).mean(),
}


@pytest.mark.parametrize("mode", REDUCE)
@pytest.mark.parametrize(
    ("ws", "stride", "pad"),
    [((2, 2), None, (0, 0)), ((3, 2), (1, 2), (0, 0)), ((3, 3), (2, 2), (1, 2))],
)
def test_modes_windows_strides_and_pads_under_all_their_names(mode, ws, stride, pad):
    expected = pool_by_windows(IMAGES, ws, stride or ws, pad, REDUCE[mode])
    x = T.constant(IMAGES)
    for out in (
        pool_2d(x, ws, True, stride, pad, mode),
        pool_2d(x, ds=ws, ignore_border=True, st=stride, padding=pad, mode=mode),
        downsample.max_pool_2d(x, ws, True, stride, pad, mode),
        downsample.max_pool_2d(
            x, ds=ws, ignore_border=True, st=stride, padding=pad, mode=mode
        ),
        Pool(ignore_border=True, mode=mode)(x, ws, stride, pad),
    ):
        np.testing.assert_allclose(out.eval(), expected, rtol=1e-12)


def test_without_ignore_border_the_last_windows_are_cut():
    x = np.arange(25.0).reshape(5, 5)
    out = pool_2d(T.constant(x), (2, 2), ignore_border=False)
    assert out.eval().tolist() == [[6, 8, 9], [16, 18, 19], [21, 23, 24]]


def test_ignore_border_should_be_given():
    with pytest.warns(UserWarning, match="ignore_border"):
        out = pool_2d(T.constant(np.zeros((5, 5))), (2, 2))
    assert out.eval().shape == (3, 3)


def test_arguments_that_do_not_fit():
    x = T.dtensor4()
    with pytest.raises(ValueError, match="needs ws"):
        pool_2d(x, ignore_border=True)
    for twice in (
        {"ws": (2, 2), "ds": (2, 2)},
        {"ws": (2, 2), "stride": (1, 1), "st": (1, 1)},
        {"ws": (2, 2), "pad": (1, 1), "padding": (1, 1)},
    ):
        with pytest.raises(ValueError, match="not both"):
            pool_2d(x, ignore_border=True, **twice)
    with pytest.raises(NotImplementedError, match="at least 2 dimensions"):
        pool_2d(T.dvector(), (2, 2), ignore_border=True)
    with pytest.raises(NotImplementedError, match="ignore_border=True"):
        pool_2d(x, (2, 2), ignore_border=False, pad=(1, 1))


def test_the_gradient_goes_to_every_tied_maximum():
    x = T.dmatrix("x")
    gradient = T.grad(pool_2d(x, (2, 2), ignore_border=True).sum(), x)
    out = gradient.eval({x: [[1.0, 1, 0, 2], [0, 1, 2, 2]]})
    assert out.tolist() == [[1, 1, 0, 1], [0, 1, 1, 1]]


def test_same_size_keeps_the_maxima():
    x = np.array([[1.0, 5, 2], [3, 4, 9], [7, 0, 1]])
    out = max_pool_2d_same_size(T.constant(x), (2, 2))
    assert out.eval().tolist() == [[0, 5, 0], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((2, 3, 7, 8), {"ws": (2, 2), "ignore_border": True}),
        ((2, 3, 7, 8), {"ws": (2, 2), "ignore_border": False}),
        (
            (7, 8),
            {"ws": (3, 2), "ignore_border": True, "stride": (2, 1), "pad": (1, 1)},
        ),
        ((3, 5, 5), {"ds": (3, 3), "ignore_border": False, "st": (2, 2)}),
    ],
)
def test_out_shape_is_that_of_the_output(shape, options):
    out = pool_2d(T.constant(np.zeros(shape)), **options)
    assert Pool.out_shape(shape, **options) == list(out.eval().shape)
    assert downsample.DownsampleFactorMax is Pool


def test_float32_stays_and_nothing_is_made_of_nothing():
    x = T.ftensor4()
    out = theano.function([x], pool_2d(x, (2, 2), ignore_border=True))(
        np.zeros((0, 3, 4, 4), "float32")
    )
    assert out.shape == (0, 3, 2, 2)
    assert out.dtype == "float32"
    assert pool.__all__
