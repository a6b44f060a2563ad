"""Against the definition, and against differences."""

import numpy as np
import pytest

from pytensor_nnet.kernels.crossentropy import (
    softmax_log_likelihood,
    softmax_log_likelihood_gradient,
)


def example(rows=6, classes=4):
    rng = np.random.default_rng(0)
    return rng.standard_normal((rows, classes)), rng.integers(0, classes, rows)


def test_the_definition():
    scores, classes = example()
    likelihood, softmax = softmax_log_likelihood(scores, classes)
    for i, row in enumerate(scores):
        expected = np.exp(row) / np.exp(row).sum()
        assert np.allclose(softmax[i], expected, rtol=1e-14)
        assert np.isclose(likelihood[i], np.log(expected[classes[i]]), rtol=1e-14)


def test_nothing_underflows():
    scores = np.array([[0.0, -2000.0]])
    likelihood, softmax = softmax_log_likelihood(scores, np.array([1]))
    assert likelihood[0] == -2000
    assert softmax.tolist() == [[1, 0]]


def test_the_gradient_equals_differences():
    scores, classes = example()
    weights = np.arange(1.0, 7.0)
    _, softmax = softmax_log_likelihood(scores, classes)
    gradient = softmax_log_likelihood_gradient(softmax, classes, weights)
    for index in np.ndindex(scores.shape):
        step = np.zeros(scores.shape)
        step[index] = 1e-6
        up, down = (
            weights @ softmax_log_likelihood(scores + sign * step, classes)[0]
            for sign in (1, -1)
        )
        assert np.isclose(gradient[index], (up - down) / 2e-6, atol=1e-8)


def test_fewer_classes_than_rows():
    scores, classes = example()
    likelihood, softmax = softmax_log_likelihood(scores, classes[:4])
    assert likelihood.shape == (4,)
    assert softmax.shape == scores.shape
    gradient = softmax_log_likelihood_gradient(softmax, classes[:4], np.ones(4))
    assert gradient[:4].all()
    assert not gradient[4:].any()


@pytest.mark.parametrize("classes", [[4, 0], [0, -5], [0] * 7])
def test_a_class_or_a_row_that_there_is_not(classes):
    scores, _ = example()
    with pytest.raises(IndexError):
        softmax_log_likelihood(scores, np.array(classes))


def test_the_precision_and_the_scores_are_kept():
    scores, classes = example()
    scores = scores.astype("f4")
    before = scores.copy()
    likelihood, softmax = softmax_log_likelihood(scores, classes)
    gradient = softmax_log_likelihood_gradient(softmax, classes, likelihood)
    assert likelihood.dtype == softmax.dtype == gradient.dtype == np.float32
    assert np.array_equal(scores, before)
