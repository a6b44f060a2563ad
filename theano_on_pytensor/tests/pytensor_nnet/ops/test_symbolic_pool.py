"""Pools whose windows the graph computes, against those that are known before."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytensor.compile.mode import Mode

from pytensor_nnet.kernels.pooling import MODES
from pytensor_nnet.ops.pool import pool_2d

FAST = Mode("py", "fast_compile")
sizes = st.tuples(st.integers(1, 4), st.integers(1, 4))
images, weights = pt.dtensor4("images"), pt.dtensor4("weights")
window, stride, pad = (pt.lvector(name) for name in ("window", "stride", "pad"))
FUNCTIONS = {}


def symbolic(mode, ignore_border):
    """Compile once: the pooled images, and the gradient of their weighted sum."""
    key = mode, ignore_border
    if key not in FUNCTIONS:
        out = pool_2d(images, window, ignore_border, stride, pad, mode)
        gradient = pytensor.grad((out * weights).sum(), images)
        inputs = [images, weights, window, stride, pad]
        FUNCTIONS[key] = pytensor.function(inputs, [out, gradient], mode=FAST)
    return FUNCTIONS[key]


@settings(deadline=None)
@given(st.sampled_from(MODES), st.booleans(), sizes, sizes, st.data())
def test_it_pools_as_if_the_window_were_known(mode, ignore_border, ws, steps, data):
    pads = (0, 0)
    if ignore_border:
        pads = tuple(data.draw(st.integers(0, size - 1)) for size in ws)
    rng = np.random.default_rng(0)
    value = rng.integers(-2, 3, (2, 2, 7, 6)).astype("float64")
    out = pool_2d(images, ws, ignore_border, steps, pads, mode)
    shape = out.eval({images: value}, mode=FAST).shape
    factors = rng.normal(size=shape)
    gradient = pytensor.grad((out * weights).sum(), images)
    expected = pytensor.function([images, weights], [out, gradient], mode=FAST)
    found = symbolic(mode, ignore_border)(value, factors, ws, steps, pads)
    for ours, theirs in zip(found, expected(value, factors), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_window_may_be_of_scalars_and_is_its_own_stride():
    side = pt.lscalar("side")
    out = pool_2d(images, (side, 2), True)
    value = np.arange(36.0).reshape(1, 1, 6, 6)
    assert out.eval({images: value, side: 3}, mode=FAST).shape == (1, 1, 2, 3)


@pytest.mark.parametrize(
    ("ws", "steps", "pads", "told"),
    [
        ((0, 2), (1, 1), (0, 0), "window of a pool is"),
        ((2, 2), (1, 0), (0, 0), "stride of a pool is"),
        ((2, 2, 2), (1, 1), (0, 0), "window of a pool is"),
        ((2, 2), (1, 1), (2, 0), "pad of a pool is"),
    ],
)
def test_windows_that_cannot_be_are_told(ws, steps, pads, told):
    value = np.zeros((1, 1, 4, 4))
    with pytest.raises(ValueError, match=told):
        symbolic("max", True)(value, value, ws, steps, pads)


def test_another_mode_is_refused():
    with pytest.raises(ValueError, match="mode is 'median'"):
        pool_2d(images, window, mode="median")
