"""The compiled functions against those in NumPy."""

from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytensor_nnet.kernels import crossentropy as reference
from pytensor_nnet.kernels.llvm.crossentropy import (
    add_softmax_log_likelihood,
    add_softmax_log_likelihood_gradient,
    is_served,
)
from pytensor_nnet.kernels.llvm.launch import Launch, run_at_once

TOLERANCE = {"float32": 1e-6, "float64": 1e-14}


softmax_log_likelihood = partial(run_at_once, add_softmax_log_likelihood)
softmax_log_likelihood_gradient = partial(
    run_at_once, add_softmax_log_likelihood_gradient
)


def assert_close(result, expected):
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    tolerance = TOLERANCE[expected.dtype.name]
    assert np.allclose(result, expected, rtol=4 * tolerance, atol=tolerance)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.integers(1, 20),
    st.integers(1, 70),
    st.integers(0, 3),
    st.sampled_from(["float32", "float64"]),
    st.sampled_from(["int8", "uint8", "int32", "int64"]),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_as_in_numpy(cpu, rows, columns, fewer, dtype, index_dtype, single, seed):
    rng = np.random.default_rng(seed)
    scores = (10 * rng.standard_normal((rows, columns))).astype(dtype)
    low = 0 if index_dtype == "uint8" else -columns
    classes = rng.integers(low, columns, max(0, rows - fewer)).astype(index_dtype)
    likelihood, softmax, total = softmax_log_likelihood(scores, classes)
    expected, expected_softmax = reference.softmax_log_likelihood(scores, classes)
    assert_close(likelihood, expected)
    assert_close(softmax, expected_softmax)
    assert total.shape == ()
    assert_close(total, np.asarray(expected.sum(dtype=float), dtype))
    given_ = rng.standard_normal(len(classes)).astype(dtype)
    if single:
        given_[:] = number = np.asarray(-0.125, dtype)
    gradient = softmax_log_likelihood_gradient(
        expected_softmax, classes, number if single else given_
    )
    assert_close(
        gradient,
        reference.softmax_log_likelihood_gradient(expected_softmax, classes, given_),
    )


def test_nothing_underflows(cpu):
    scores = np.array([[0.0, -2000.0], [3e38, 0]], np.float32)
    likelihood, softmax, _ = softmax_log_likelihood(scores, np.array([1, 0]))
    assert likelihood.tolist() == [-2000, 0]
    assert softmax.tolist() == [[1, 0], [1, 0]]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_stays_nan(cpu, bad):
    scores = np.zeros((3, 11))
    scores[1, 10] = bad
    likelihood, softmax, total = softmax_log_likelihood(scores, np.zeros(3, int))
    assert np.isnan(likelihood).tolist() == [False, True, False]
    assert np.isnan(softmax).all(axis=1).tolist() == [False, True, False]
    assert np.isnan(total)


@pytest.mark.parametrize("classes", [[4, 0], [0, -5]])
def test_a_class_that_there_is_not(cpu, classes):
    launch = Launch()
    numbers = np.array(classes)
    scores = np.zeros((6, 4))
    add_softmax_log_likelihood(launch, scores, numbers)
    for _ in range(2):
        with pytest.raises(IndexError, match="not one of the 4"):
            launch.run()
    numbers[:] = 0
    launch.run()


def test_what_is_not_served():
    scores, classes = np.zeros((6, 4)), np.zeros(6, int)
    assert is_served(scores, classes)
    assert not is_served(scores, np.zeros(7, int))
    assert not is_served(scores[:0], classes[:0])
    assert not is_served(scores, np.zeros(6))
    assert not is_served(scores.astype(np.float16), classes)


def test_arrays_in_any_order_in_memory(cpu):
    rng = np.random.default_rng(0)
    scores = np.asfortranarray(rng.standard_normal((6, 5)))
    classes = np.arange(10)[::-2] % 5
    likelihood, softmax, _ = softmax_log_likelihood(scores, classes)
    expected, expected_softmax = reference.softmax_log_likelihood(scores, classes)
    assert_close(likelihood, expected)
    assert_close(softmax, expected_softmax)
