"""Against NumPy's transposition."""

from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytensor_nnet.kernels.llvm import transposition
from pytensor_nnet.kernels.llvm.launch import run_at_once

FEW = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


transpose = partial(run_at_once, transposition.transpose)


@FEW
@given(
    st.tuples(st.integers(0, 3), st.integers(0, 50), st.integers(0, 50)),
    st.sampled_from(["f4", "f8", "u1", "u2", "i4"]),
)
def test_it_is_numpys(cpu, shape, dtype):
    array = np.arange(np.prod(shape)).astype(dtype).reshape(shape)
    result = transpose(array)
    assert result.flags.c_contiguous
    assert result.dtype == array.dtype
    assert np.array_equal(result, array.swapaxes(1, 2))


def test_nan_and_signs_of_zeros_are_kept(cpu):
    array = np.tile(np.array([np.nan, -0.0, 0.0], "f4"), (1, 20, 10))
    expected = np.ascontiguousarray(array.swapaxes(1, 2))
    assert transpose(array).tobytes() == expected.tobytes()


@pytest.mark.parametrize("batch", [1, 37])
def test_large_arrays_are_shared_among_threads(batch):
    array = np.arange(batch * 300 * 200, dtype="f4").reshape(batch, 300, 200)
    assert np.array_equal(transpose(array), array.swapaxes(1, 2))
