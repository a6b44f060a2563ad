"""Products of matrices against NumPy's, in float64."""

from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytensor_nnet.kernels.llvm import product, threads
from pytensor_nnet.kernels.llvm.launch import run_at_once
from pytensor_nnet.kernels.llvm.panels import Panels, generate_product
from pytensor_nnet.kernels.llvm.product import add_derivative, add_product

from .conftest import NEON

multiply = partial(run_at_once, add_product)
differentiate = partial(run_at_once, add_derivative)
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


def sparse(rng, shape, density, dtype):
    """Small integers, so that sums are exact; of which so many are not zero."""
    numbers = rng.integers(1, 4, shape) * rng.choice([-1, 1], shape)
    return (numbers * (rng.random(shape) < density)).astype(dtype)


@FEW
@given(
    st.integers(0, 40),
    st.integers(0, 300),
    st.integers(1, 150),
    st.sampled_from(["float32", "float64"]),
    st.tuples(st.sampled_from(sorted(LAYOUTS)), st.sampled_from(sorted(LAYOUTS))),
    st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    st.sampled_from([None, 0.0, 0.25]),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_a_layer_equals_the_slow_one(
    cpu, rows, taps, columns, dtype, layouts, density, slope, has_bias, seed
):
    rng = np.random.default_rng(seed)
    a = sparse(rng, (rows, taps), density, dtype)
    b = sparse(rng, (taps, columns), 0.9, dtype)
    bias = sparse(rng, columns, 1, dtype) if has_bias else None
    before = a.astype(float) @ b.astype(float) + (bias if has_bias else 0)
    a, b = (LAYOUTS[k](x) for k, x in zip(layouts, (a, b), strict=True))
    out, mask = multiply(a, b, bias, slope, True)
    below = before if slope is None else slope * before
    assert out.dtype == dtype
    assert np.array_equal(out, np.where(before > 0, before, below))
    if slope is None:
        assert mask is None
        return
    assert np.array_equal(mask, before >= 0)
    given_ = sparse(rng, out.shape, 0.9, dtype)
    derivative = np.where(before > 0, 1, np.where(before == 0, 0.5, slope))
    result, total = differentiate(given_, out, mask, slope, 0.5)
    assert np.array_equal(result, given_ * derivative)
    assert np.array_equal(total, (given_ * derivative).sum(axis=0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("density", [0.1, 0.5, 1])
def test_real_numbers(cpu, dtype, density):
    """Several blocks of rows and taps, and panels that are not alike."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((300, 270)) * (rng.random((300, 270)) < density)
    b = rng.standard_normal((270, 210))
    a, b = a.astype(dtype), b.astype(dtype)
    expected = a.astype(float) @ b.astype(float)
    for one in (a, np.asfortranarray(a)):
        for other in (b, np.asfortranarray(b)):
            assert_close(multiply(one, other)[0], expected)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("ordered", ["taps", "columns", "rows"])
def test_rows_are_looked_up(cpu, ordered, turned):
    """The rows of ``b`` in memory, or those of the output, in another order."""
    rng = np.random.default_rng(0)
    a, b = sparse(rng, (50, 70), 0.5, "f4"), sparse(rng, (70, 90), 1, "f4")
    expected = a @ b
    length = {"taps": 70, "columns": 90, "rows": 50}[ordered]
    order = rng.permutation(length).astype(np.int32)
    if ordered == "taps":
        b = b[np.argsort(order)]
    elif ordered == "columns":
        b = b.T[np.argsort(order)].T
    out, _ = multiply(
        np.asfortranarray(a) if turned else a, b, order=order, ordered=ordered
    )
    assert np.array_equal(out[order] if ordered == "rows" else out, expected)


def test_the_same_bits_for_any_number_of_threads(cpu, monkeypatch):
    monkeypatch.setattr(product, "_SMALL_TASK", 1)
    rng = np.random.default_rng(0)
    a = rng.standard_normal((150, 300)).astype("f4")
    a[:, :150] *= rng.random((150, 150)) < 0.3
    b = rng.standard_normal((300, 170)).astype("f4")
    results = []
    for count in (1, 2, 3, 4, 9):
        before = threads.set_threads(count)
        try:
            results.append([multiply(a, b)[0], multiply(a.T, b[:150])[0]])
        finally:
            threads.set_threads(before)
    assert_close(results[0][0], a.astype(float) @ b.astype(float))
    for others in results[1:]:
        for one, other in zip(results[0], others, strict=True):
            assert one.tobytes() == other.tobytes()


@given(
    st.integers(1, 1000), st.integers(1, 1000), st.integers(1, 20), st.integers(0, 40)
)
def test_every_part_of_a_product_is_computed_once(rows, columns, panels, parts):
    times = np.zeros((rows, panels), int)
    spans = product._split(rows, columns, panels, parts)
    for first, last, first_panel, last_panel in spans:
        times[first:last, first_panel:last_panel] += 1
    assert (times == 1).all()
    assert len(spans) <= max(1, 2 * parts)


@pytest.mark.parametrize("density", [0.3, 1])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_stays_nan(cpu, bad, density):
    """``0 * NaN`` and ``0 * inf`` are NaN, wherever they stand."""
    rng = np.random.default_rng(0)
    a = sparse(rng, (20, 100), density, "f4")
    b = sparse(rng, (100, 70), 1, "f4")
    with np.errstate(invalid="ignore"):
        for place in ((0, 0), (99, 69), (50, 3)):
            worse = b.copy()
            worse[place] = bad
            for matrix in (worse, np.asfortranarray(worse)):
                assert np.array_equal(multiply(a, matrix)[0], a @ worse, equal_nan=True)
    a[3, 2] = np.nan
    out, mask = multiply(a, b, np.ones(70, "f4"), 0.0, True)
    assert np.array_equal(np.isnan(out).all(axis=1), np.arange(20) == 3)
    assert not np.isnan(np.delete(out, 3, axis=0)).any()
    assert mask[3].all()


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_the_derivative_where_nothing_was_given_is_zero(slope):
    out, mask = multiply(np.ones((3, 2)), np.ones((2, 2)), None, slope, True)
    result, total = differentiate(np.zeros((3, 2)), out, mask, slope, 0.5)
    assert not result.any()
    assert not total.any()


def test_text_for_neon_is_llvms():
    """It is verified, not run."""
    import llvmlite.binding as llvm

    for panels in (
        Panels("float", 70, slope=0.0),
        Panels("double", 10, a_turned=True, ordered="rows"),
        Panels("float", 70, b_turned=True, ordered="columns"),
    ):
        function = generate_product(panels, NEON)
        assert "<2 x double>" in function.text() or "<4 x float>" in function.text()
        llvm.parse_assembly(function.text()).verify()
