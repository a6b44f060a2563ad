"""Three-dimensional convolution and pooling against loops over the windows."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.gradient import verify_grad

from pytensor_nnet.linker import NumpyLinker
from pytensor_nnet.ops.conv3d import (
    conv3d,
    conv3d_grad_wrt_inputs,
    conv3d_grad_wrt_weights,
    pool_3d,
)

MODE = Mode(NumpyLinker(), "fast_run")
RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((2, 4, 5, 6, 7))
FILTERS = RNG.standard_normal((6, 2, 2, 3, 2))


def convolve(images, filters, pads, strides, dilations, flip, groups):
    """Each output is the sum over a window, filter turned about where it is."""
    if flip:
        filters = filters[:, :, ::-1, ::-1, ::-1]
    images = np.pad(images, [(0, 0), (0, 0), *((pad, pad) for pad in pads)])
    n_filters, channels, *size = filters.shape
    counts = [
        (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip(images.shape[2:], size, strides, dilations, strict=True)
    ]
    out = np.zeros((len(images), n_filters, *counts))
    for f, *place in np.ndindex(n_filters, *counts):
        window = tuple(
            slice(p * s, p * s + (k - 1) * d + 1, d)
            for p, s, k, d in zip(place, strides, size, dilations, strict=True)
        )
        first = f // (n_filters // groups) * channels
        values = images[(slice(None), slice(first, first + channels), *window)]
        out[(slice(None), f, *place)] = (values * filters[f]).sum(axis=(1, 2, 3, 4))
    return out


MODES = [
    ("valid", (0, 0, 0)),
    ("full", (2 - 1, (3 - 1) * 2, 2 - 1)),
    ("half", (2 // 2, 5 // 2, 2 // 2)),
    (1, (1, 1, 1)),
    ((0, 1, 2), (0, 1, 2)),
]


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize(("border_mode", "pads"), MODES)
@pytest.mark.parametrize("shapes", [{}, {"input_shape": IMAGES.shape}])
def test_convolution_and_its_gradients(border_mode, pads, flip, shapes):
    x, w = pt.dtensor5("x"), pt.dtensor5("w")
    options = {
        "border_mode": border_mode,
        "subsample": (2, 1, 2),
        "filter_flip": flip,
        "filter_dilation": (1, 2, 1),
        "num_groups": 2,
    }
    y = conv3d(x, w, **shapes, **options)
    by_x, by_w = pytensor.grad((y**2).sum(), [x, w])
    f = pytensor.function([x, w], [y, by_x, by_w], mode=MODE)
    out, by_images, by_filters = f(IMAGES, FILTERS)
    expected = convolve(IMAGES, FILTERS, pads, (2, 1, 2), (1, 2, 1), flip, 2)
    np.testing.assert_allclose(out, expected, rtol=1e-10, atol=1e-12)

    to_images = conv3d_grad_wrt_inputs(2 * expected, w, IMAGES.shape, **options)
    to_filters = conv3d_grad_wrt_weights(x, 2 * expected, FILTERS.shape, **options)
    np.testing.assert_allclose(
        to_images.eval({w: FILTERS}, mode=MODE), by_images, rtol=1e-10, atol=1e-12
    )
    np.testing.assert_allclose(
        to_filters.eval({x: IMAGES}, mode=MODE), by_filters, rtol=1e-10, atol=1e-12
    )


def test_gradients_against_finite_differences():
    verify_grad(
        lambda x, w: conv3d(x, w, border_mode="half", subsample=(1, 2, 1)),
        [IMAGES[:1, :2, :3, :4, :3], FILTERS[:2]],
        rng=np.random.default_rng(1),
        mode=MODE,
    )


def test_static_shapes_follow_from_what_is_known():
    x = pt.tensor("x", dtype="float32", shape=(None, 4, 5, 6, 7))
    w = pt.tensor("w", dtype="float32", shape=(6, 4, 2, 3, 2))
    out = conv3d(x, w)
    assert out.type.dtype == "float32"
    assert out.type.shape[1:] == (6, 5 - 1, 6 - 2, 7 - 1)


REDUCE = {
    "max": np.nanmax,
    "sum": np.nansum,
    "average_exc_pad": np.nanmean,
    "average_inc_pad": lambda window: np.nan_to_num(window).mean(),
}


@pytest.mark.parametrize("mode", REDUCE)
@pytest.mark.parametrize(
    ("ws", "stride", "pad"),
    [((2, 2, 2), None, (0, 0, 0)), ((3, 2, 3), (2, 1, 2), (1, 0, 2))],
)
def test_pools_against_their_windows(mode, ws, stride, pad):
    steps = stride or ws
    padded = np.pad(
        IMAGES,
        [(0, 0), (0, 0), *((p, p) for p in pad)],
        constant_values=np.nan,
    )
    counts = [
        (n - k) // s + 1 for n, k, s in zip(padded.shape[2:], ws, steps, strict=True)
    ]
    expected = np.zeros((*IMAGES.shape[:2], *counts))
    for place in np.ndindex(*expected.shape):
        window = tuple(
            slice(p * s, p * s + k)
            for p, s, k in zip(place[2:], steps, ws, strict=True)
        )
        expected[place] = REDUCE[mode](padded[(*place[:2], *window)].ravel())
    out = pool_3d(pt.constant(IMAGES), ws, True, stride, pad, mode).eval(mode=MODE)
    np.testing.assert_allclose(out, expected, rtol=1e-10)


def test_windows_that_are_cut_by_the_edge():
    x = np.arange(27.0).reshape(3, 3, 3)
    for mode, first, last in [
        ("max", 9 + 3 + 1, 26),
        ("average_inc_pad", np.mean([0, 1, 3, 4, 9, 10, 12, 13]), 26),
    ]:
        out = pool_3d(pt.constant(x), (2, 2, 2), False, mode=mode).eval(mode=MODE)
        assert out.shape == (2, 2, 2)
        assert out[0, 0, 0] == pytest.approx(first)
        assert out[1, 1, 1] == pytest.approx(last)


def test_every_tied_maximum_gets_the_gradient_once():
    x = pt.dtensor3("x")
    gradient = pytensor.grad(pool_3d(x, (2, 2, 2)).sum(), x)
    value = np.zeros((2, 2, 2))
    value[0, 0, 0] = value[1, 0, 1] = value[1, 1, 1] = 5
    assert np.array_equal(gradient.eval({x: value}, mode=MODE), value == 5)


def test_what_does_not_fit_three_axes_is_named():
    x, w = pt.dtensor5(), pt.dtensor5()
    for options in (
        {"subsample": (1, 1)},
        {"filter_dilation": (1, 0, 1)},
        {"border_mode": (1, 1)},
    ):
        with pytest.raises(ValueError, match=next(iter(options))):
            conv3d(x, w, **options)
    with pytest.raises(TypeError, match="filters must be a real tensor of 5 axes"):
        conv3d(x, pt.dtensor4())
    with pytest.raises(ValueError, match="last three not None"):
        conv3d_grad_wrt_inputs(x, w, (1, 1, None, 1, 1))
    with pytest.raises(ValueError, match="ws"):
        pool_3d(x, (2, 2))
