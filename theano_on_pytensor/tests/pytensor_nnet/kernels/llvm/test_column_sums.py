"""Against NumPy's sums."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.column_sums import add_column_sums
from pytensor_nnet.kernels.llvm.launch import Launch


def column_sums(matrix):
    launch = Launch()
    out = add_column_sums(launch, matrix)
    for _ in range(2):
        launch.run()
    return out


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(1, 300), st.integers(1, 90), st.sampled_from(["f4", "f8"]))
def test_it_is_numpys(cpu, rows, columns, dtype):
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((rows, columns)).astype(dtype)
    result = column_sums(matrix)
    assert result.dtype == dtype
    size = np.abs(matrix).sum(axis=0, dtype="f8")
    error = np.abs(result - matrix.sum(axis=0, dtype="f8"))
    assert (error <= {"f4": 6e-8, "f8": 1e-15}[dtype] * size).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_stays_in_its_column(cpu, bad):
    matrix = np.ones((100, 7), np.float32)
    matrix[37, 3] = bad
    assert [str(x) for x in column_sums(matrix)] == ["100.0"] * 3 + [str(bad)] + [
        "100.0"
    ] * 3


def test_any_number_of_threads_gives_the_same_bits(cpu):
    matrix = np.random.default_rng(0).standard_normal((5001, 6)).astype("f4")
    results = []
    for count in (1, 2, 4):
        before = threads.set_threads(count)
        try:
            results.append(column_sums(matrix).tobytes())
        finally:
            threads.set_threads(before)
    assert len(set(results)) == 1
