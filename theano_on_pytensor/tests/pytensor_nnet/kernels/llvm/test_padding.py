"""Padded images are NumPy's, wherever they lie."""

from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytensor_nnet.kernels.llvm import padding
from pytensor_nnet.kernels.llvm.launch import run_at_once

pad_images = partial(run_at_once, padding.pad_images)


pad = st.tuples(st.integers(-1, 3), st.integers(-1, 3))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.tuples(*(st.integers(1, n) for n in (4, 20, 9, 9))),
    st.tuples(pad, pad),
    st.sampled_from([np.float32, np.float64]),
    st.permutations(range(4)),
)
def test_pads_of_any_images(cpu, shape, pads, dtype, order):
    whole = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    # The same numbers, laid in memory in another order.
    images = np.ascontiguousarray(whole.transpose(order)).transpose(np.argsort(order))
    for axis, (before, after) in zip((2, 3), pads, strict=True):
        if shape[axis] + min(0, before) + min(0, after) < 1:
            return
    (top, bottom), (left, right) = pads
    cut = whole[
        :,
        :,
        max(0, -top) : shape[2] - max(0, -bottom),
        max(0, -left) : shape[3] - max(0, -right),
    ]
    around = [(max(0, before), max(0, after)) for before, after in pads]
    expected = np.pad(cut, [(0, 0), (0, 0), *around]).transpose(0, 2, 3, 1)
    result = pad_images(images, pads)
    assert result.dtype == dtype
    assert result.flags.c_contiguous
    assert np.array_equal(result, expected)


@pytest.mark.parametrize("channels", [3, 16])
def test_in_many_tasks(monkeypatch, channels):
    monkeypatch.setattr(padding, "_SMALL_TASK", 1)
    images = np.random.default_rng(0).standard_normal((13, channels, 6, 5))
    expected = np.pad(images, [(0, 0), (0, 0), (1, 2), (2, 1)]).transpose(0, 2, 3, 1)
    assert np.array_equal(pad_images(images, ((1, 2), (2, 1))), expected)
