"""Batch normalization, against its formulas in NumPy."""

import numpy as np
import pytest

import theano.tensor as T
from theano.tensor.nnet.bn import (
    batch_normalization,
    batch_normalization_test,
    batch_normalization_train,
)

RNG = np.random.default_rng(0)
INPUTS = RNG.standard_normal((4, 3, 2, 5))


@pytest.mark.parametrize(
    ("axes", "numbers"),
    [("per-activation", (0,)), ("spatial", (0, 2, 3)), ((1,), (1,))],
)
@pytest.mark.parametrize("keepdims", [True, False])
def test_training_and_testing(axes, numbers, keepdims):
    kept = INPUTS.mean(numbers, keepdims=True).shape
    gamma, beta, mean0, var0 = (RNG.uniform(0.5, 2, kept) for _ in range(4))
    mean, var = (f(INPUTS, numbers, keepdims=True) for f in (np.mean, np.var))
    count = INPUTS.size / mean.size
    given = [
        T.constant(v if keepdims else v.squeeze(numbers))
        for v in (gamma, beta, mean0, var0)
    ]
    out = batch_normalization_train(
        T.constant(INPUTS), *given[:2], axes, 1e-3, 0.2, *given[2:]
    )
    expected = (
        (INPUTS - mean) * gamma / np.sqrt(var + 1e-3) + beta,
        mean,
        1 / np.sqrt(var + 1e-3),
        0.8 * mean0 + 0.2 * mean,
        0.8 * var0 + 0.2 * var * count / (count - 1),
    )
    # All but the first have the dimensions that gamma has.
    expected = (expected[0], *(e.reshape(given[0].data.shape) for e in expected[1:]))
    for ours, theirs in zip(out, expected, strict=True):
        np.testing.assert_allclose(ours.eval(), theirs, rtol=1e-10)
    tested = batch_normalization_test(T.constant(INPUTS), *given, axes, 1e-3)
    np.testing.assert_allclose(
        tested.eval(),
        (INPUTS - mean0) * gamma / np.sqrt(var0 + 1e-3) + beta,
        rtol=1e-10,
    )


def test_with_a_given_mean_and_deviation():
    out = batch_normalization(T.constant(INPUTS), 2.0, 1.0, 0.5, 4.0)
    np.testing.assert_allclose(out.eval(), (INPUTS - 0.5) * 2 / 4 + 1, rtol=1e-12)


def test_what_does_not_fit_is_named():
    x = T.dtensor4()
    with pytest.raises(ValueError, match="axes is"):
        batch_normalization_train(x, x, x, axes=(7,))
    with pytest.raises(ValueError, match="gamma has 1 dimensions.*needs 3, or 4"):
        batch_normalization_train(x, T.dvector(), x)
    with pytest.raises(ValueError, match="running_mean and running_var"):
        batch_normalization_train(x, x, x, running_mean=x)
    with pytest.raises(ValueError, match="epsilon is 1e-07"):
        batch_normalization_train(x, x, x, epsilon=1e-7)
