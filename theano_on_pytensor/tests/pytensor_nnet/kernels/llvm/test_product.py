"""Products of matrices against NumPy's, in float64."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytensor_nnet.kernels.llvm import product, threads
from pytensor_nnet.kernels.llvm.product import differentiate, multiply

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
FEW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "reversed": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "strided": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
}


def assert_close(result, expected):
    assert result.shape == expected.shape
    error = np.abs(result - expected).max(initial=0)
    largest = np.abs(expected).max(initial=1e-30)
    assert error <= TOLERANCE[result.dtype.name] * largest


@FEW
@given(
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(1, 70),
    st.sampled_from(["float32", "float64"]),
    st.tuples(st.sampled_from(sorted(LAYOUTS)), st.sampled_from(sorted(LAYOUTS))),
    st.sampled_from([None, 0.0, 0.3]),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_a_layer_equals_the_slow_one(
    cpu, rows, taps, columns, dtype, layouts, slope, has_bias, seed
):
    rng = np.random.default_rng(seed)
    a = rng.integers(-3, 4, (rows, taps)).astype(dtype)
    b = rng.integers(-3, 4, (taps, columns)).astype(dtype)
    bias = rng.integers(-3, 4, columns).astype(dtype) if has_bias else None
    before = a.astype(float) @ b.astype(float) + (bias if has_bias else 0)
    a, b = (LAYOUTS[k](x) for k, x in zip(layouts, (a, b), strict=True))
    out, mask = multiply(a, b, bias, slope, True)
    below = before if slope is None else slope * before
    assert out.dtype == dtype
    assert_close(out, np.where(before > 0, before, below))
    assert np.array_equal(mask, before >= 0)
    if slope is not None:
        given_ = rng.integers(-3, 4, out.shape).astype(dtype)
        derivative = np.where(before > 0, 1, np.where(before == 0, 0.5, slope))
        result, total = differentiate(given_, out, mask, slope, 0.5)
        assert_close(result, given_ * derivative)
        assert_close(total, (given_ * derivative).sum(axis=0))


def test_the_same_bits_for_any_number_of_threads(cpu, monkeypatch):
    monkeypatch.setattr(product, "_SMALL_TASK", 1)
    rng = np.random.default_rng(0)
    a = rng.standard_normal((50, 300)).astype("f4")
    b = rng.standard_normal((300, 70)).astype("f4")
    results = []
    for count in (1, 2, 4):
        before = threads.set_threads(count)
        try:
            results.append([multiply(a, b)[0], multiply(a.T, b[:50])[0]])
        finally:
            threads.set_threads(before)
    assert_close(results[0][0], a.astype(float) @ b.astype(float))
    for others in results[1:]:
        for one, other in zip(results[0], others, strict=True):
            assert one.tobytes() == other.tobytes()


def test_nan_stays_nan(cpu):
    a = np.zeros((20, 5), "f4")
    a[3, 2] = np.nan
    out, mask = multiply(a, np.ones((5, 7), "f4"), np.ones(7, "f4"), 0.0, True)
    assert np.array_equal(np.isnan(out).all(axis=1), np.arange(20) == 3)
    assert not np.isnan(np.delete(out, 3, axis=0)).any()
    assert mask.all()


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_the_derivative_where_nothing_was_given_is_zero(slope):
    out, mask = multiply(np.ones((3, 2)), np.ones((2, 2)), None, slope, True)
    result, total = differentiate(np.zeros((3, 2)), out, mask, slope, 0.5)
    assert not result.any()
    assert not total.any()
