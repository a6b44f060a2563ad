"""The compiled pooling against NumPy's, whose own tests visit every window."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytensor_nnet.kernels import pooling as reference
from pytensor_nnet.kernels.llvm import pooling, threads
from pytensor_nnet.kernels.llvm.pooling import (
    Pooling,
    generate_pooling,
    pool,
    pool_max_gather,
    pool_max_scatter,
    pool_sum_scatter,
)
from pytensor_nnet.kernels.pooling import MODES, Pool

from .conftest import NEON

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
# The fixture that chooses a CPU does so once for all of a test's examples.
FEW = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
MANY = settings(FEW, max_examples=150)

HALVING = Pool((2, 2), (2, 2))
OVERLAPPING = Pool((3, 3), (2, 2))


@pytest.fixture(autouse=True)
def kernels_for_small_sizes(monkeypatch):
    """And for everything: NumPy is not to be asked."""
    monkeypatch.setattr(pooling, "_SMALL", 0)
    monkeypatch.setattr(pooling, "_SMALL_TASK", 1)
    monkeypatch.setattr(pooling, "reference", None)


def assert_close(result, expected):
    """To the precision of the type; NaN and infinities are where they should be."""
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    tolerance = TOLERANCE[result.dtype.name]
    np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)


def channels_last(images):
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


@st.composite
def problems(draw, windows=(1, 4), channels=40):
    """A geometry, images, their maxima, and values of either's shape."""
    window = draw(st.tuples(*[st.integers(*windows)] * 2))
    stride = draw(st.one_of(st.just(window), st.tuples(*[st.integers(1, 3)] * 2)))
    ignore_border = draw(st.booleans())
    pad = (0, 0)
    if ignore_border:
        pad = tuple(draw(st.integers(0, w - 1)) for w in window)
    geometry = Pool(window, stride, pad, ignore_border)
    least = (max(1, w - 2 * p) for w, p in zip(window, pad, strict=True))
    size = (draw(st.integers(n, 13)) for n in least)
    shape = (draw(st.integers(1, 4)), draw(st.integers(1, channels)), *size)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    special = draw(st.sampled_from([0, 0, 0.05, 0.5]))
    lies_last = draw(st.lists(st.booleans(), min_size=4, max_size=4))

    def drawn(shape, specials, last):
        # Small integers, of which many tie.
        array = rng.integers(-2, 3, shape).astype(dtype)
        where = rng.random(shape) < special
        array[where] = rng.choice(specials, where.sum())
        return channels_last(array) if last else array

    images = drawn(shape, [np.nan, -np.inf, 0], lies_last[0])
    maxima = reference.pool(images, geometry)
    if lies_last[1]:
        maxima = channels_last(maxima)
    gradient = drawn(maxima.shape, [np.nan, np.inf, 0], lies_last[2])
    values = drawn(shape, [np.nan, np.inf, 0], lies_last[3])
    return geometry, images, maxima, gradient, values


def check(problem):
    geometry, images, maxima, gradient, values = problem
    size = images.shape[2:]
    for mode in MODES:
        assert_close(
            pool(images, geometry, mode), reference.pool(images, geometry, mode)
        )
    for mode in MODES[1:]:
        arguments = gradient, size, geometry, mode
        assert_close(
            pool_sum_scatter(*arguments), reference.pool_sum_scatter(*arguments)
        )
    arguments = images, maxima, gradient, geometry
    assert_close(pool_max_scatter(*arguments), reference.pool_max_scatter(*arguments))
    arguments = images, maxima, values, geometry
    assert_close(pool_max_gather(*arguments), reference.pool_max_gather(*arguments))


@FEW
@given(problems())
def test_all_equal_numpys(cpu, problem):
    check(problem)


@pytest.mark.slow
@MANY
@given(problems())
def test_many_equal_numpys(cpu, problem):
    check(problem)


@FEW
@given(problems(channels=4))
def test_few_channels(cpu, problem):
    check(problem)


@FEW
@given(problems(windows=(5, 9), channels=20))
def test_windows_that_are_not_written_out(cpu, problem):
    check(problem)


def example(shape=(19, 20, 12, 11), dtype=np.float32, geometry=OVERLAPPING):
    rng = np.random.default_rng(0)
    images, values = rng.standard_normal((2, *shape)).astype(dtype)
    maxima = reference.pool(images, geometry)
    gradient = rng.standard_normal(maxima.shape).astype(dtype)
    return geometry, images, maxima, gradient, values


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_that_are_rounded(cpu, dtype):
    check(example(dtype=dtype))


@pytest.mark.parametrize("geometry", [HALVING, OVERLAPPING])
def test_images_that_are_equal_everywhere_tie_everywhere(cpu, geometry):
    images = np.zeros((2, 10, 12, 12), np.float32)
    maxima = pool(images, geometry)
    assert not maxima.any()
    gradient = np.ones(maxima.shape, np.float32)
    result = pool_max_scatter(images, maxima, gradient, geometry)
    # As many windows as a position is in get through to it.
    assert np.array_equal(result, pool_sum_scatter(gradient, (12, 12), geometry, "sum"))
    assert result.sum() == maxima.size * geometry.window[0] * geometry.window[1]


@pytest.mark.parametrize("stride", [(2, 2), (1, 1)])
def test_nan_wins_its_windows_and_gets_no_gradient(cpu, stride):
    geometry = Pool((2, 2), stride)
    images = np.tile(np.arange(16.0).reshape(4, 4), (1, 9, 1, 1))
    images[0, 5, 0, 1] = np.nan
    maxima = pool(images, geometry)
    windows = 1 if stride == (2, 2) else 2
    assert np.isnan(maxima).sum((0, 2, 3)).tolist() == [*[0] * 5, windows, *[0] * 3]
    gradient = np.full(maxima.shape, np.inf)
    result = pool_max_scatter(images, maxima, gradient, geometry)
    assert set(result.ravel()) == {0, np.inf}
    assert not result[0, 5, 0].any()
    gathered = pool_max_gather(images, maxima, np.ones_like(images), geometry)
    assert np.array_equal(gathered, ~np.isnan(maxima))


def test_minus_infinity_is_a_maximum_where_there_is_nothing_else(cpu):
    images = np.full((1, 5, 4, 4), -np.inf, np.float32)
    assert (pool(images, Pool((3, 3), (2, 2), (1, 1))) == -np.inf).all()


def test_the_same_bits_for_any_number_of_threads(cpu):
    geometry, images, maxima, gradient, values = example()
    results = []
    for count in (1, 2, 4):
        before = threads.set_threads(count)
        try:
            results.append(
                [
                    *(pool(images, geometry, mode) for mode in MODES),
                    pool_max_scatter(images, maxima, gradient, geometry),
                    pool_max_gather(images, maxima, values, geometry),
                    pool_sum_scatter(gradient, (12, 11), geometry, MODES[2]),
                ]
            )
        finally:
            threads.set_threads(before)
    for others in results[1:]:
        for one, other in zip(results[0], others, strict=True):
            assert one.tobytes() == other.tobytes()


def test_what_lies_channels_last_is_not_copied(cpu, monkeypatch):
    geometry, *arrays = example()
    images, maxima, gradient, values = map(channels_last, arrays)

    def refuse(*arguments):
        raise AssertionError("a copy was made")

    monkeypatch.setattr("pytensor_nnet.kernels.llvm.transposition.transpose", refuse)
    check((geometry, images, maxima, gradient, values))
    with pytest.raises(AssertionError, match="a copy was made"):
        pool(arrays[0], geometry)


def test_other_types_axes_shapes_and_small_sizes_are_numpys(monkeypatch):
    geometry, images, maxima, gradient, values = example()
    monkeypatch.setattr(pooling, "reference", reference)
    monkeypatch.setattr(pooling, "_SMALL", 1 << 14)

    def refuse(*arguments):
        raise AssertionError("a kernel was asked for")

    monkeypatch.setattr(pooling, "_kernel", refuse)
    for others in (images[:1], images[:0], images[0], images.astype(int)):
        assert np.array_equal(pool(others, geometry), reference.pool(others, geometry))
    double = gradient.astype(np.float64)
    mixed = pool_max_scatter(images, maxima, double, geometry)
    assert mixed.dtype == np.float64
    with pytest.raises(ValueError, match="broadcast"):
        pool_max_scatter(images, maxima[:, :3], gradient, geometry)
    with pytest.raises(ValueError, match="broadcast"):
        pool_max_gather(images, maxima, values[..., :-1], geometry)
    with pytest.raises(ValueError, match="broadcast"):
        pool_sum_scatter(gradient[..., :-1], (12, 11), geometry, "sum")
    with pytest.raises(AssertionError, match="a kernel was asked for"):
        pool(images, geometry)


def test_text_for_neon_is_llvms():
    """It is verified, not run."""
    import llvmlite.binding as llvm

    for geometry in (HALVING, OVERLAPPING, Pool((9, 9), (4, 4), (1, 1))):
        for mode, backward in [
            *((mode, False) for mode in (*MODES, "maxima")),
            *((mode, True) for mode in (*MODES[1:], "maxima")),
        ]:
            layer = Pooling("float", 10, (12, 13), geometry, mode, backward)
            text = generate_pooling(layer, NEON).text()
            assert "<4 x float>" in text
            llvm.parse_assembly(text).verify()
