"""Sizes, against counting the positions one by one."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytensor_nnet.kernels import geometry
from pytensor_nnet.kernels.geometry import (
    convolution_output_size,
    dilated_size,
    pads_of_border_mode,
    pool_output_size,
)

sizes = st.integers(1, 12)


def test_docstrings():
    assert doctest.testmod(geometry).failed == 0


@given(sizes, sizes, st.tuples(st.integers(0, 4), st.integers(0, 4)), sizes, sizes)
def test_a_filter_fits_wherever_its_last_tap_does(size, taps, pads, stride, dilation):
    padded = size + sum(pads)
    last_taps = [start + (taps - 1) * dilation for start in range(0, padded, stride)]
    expected = sum(last < padded for last in last_taps)
    got = convolution_output_size(size, taps, pads, stride, dilation)
    assert max(got, 0) == expected


@given(sizes, sizes, sizes, st.data())
def test_whole_windows_with_ignore_border(size, window, stride, data):
    pad = data.draw(st.integers(0, window - 1))
    padded = size + 2 * pad
    expected = sum(start + window <= padded for start in range(0, padded, stride))
    assert pool_output_size(size, window, stride, pad) == expected


@given(sizes, sizes, sizes)
def test_every_position_a_window_can_reach_is_pooled_without_ignore_border(
    size, window, stride
):
    windows = pool_output_size(size, window, stride, ignore_border=False)
    covered = {
        position
        for start in range(0, windows * stride, stride)
        for position in range(start, min(start + window, size))
    }
    reachable = {p for p in range(size) if p % stride < window}
    assert covered == reachable
    assert (windows - 1) * stride < size


@pytest.mark.parametrize(
    ("border_mode", "pads"),
    [("valid", (0, 0)), ("full", (8, 8)), ("half", (4, 4)), ((1, 2), (1, 2))],
)
def test_pads_of_a_filter_of_5_with_dilation_2(border_mode, pads):
    assert dilated_size(5, 2) == 5 + (5 - 1)
    assert pads_of_border_mode(border_mode, 5, 2) == pads


def test_the_unknown_stays_unknown():
    assert dilated_size(None, 2) is None
    assert pads_of_border_mode("full", None) is None
    assert pads_of_border_mode("valid", None) == (0, 0)
    assert convolution_output_size(None, 3, (0, 0)) is None
    assert convolution_output_size(5, None, (0, 0)) is None
    assert convolution_output_size(5, 3, None) is None
    assert pool_output_size(None, 2, 2) is None
