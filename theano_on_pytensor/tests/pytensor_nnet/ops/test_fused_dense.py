"""A dense layer and its gradients, for inputs in any order in memory."""

from itertools import permutations

import numpy as np
import pytest
from pytensor import config, function
from pytensor.tensor.type import TensorType

from pytensor_nnet.ops.fused_dense import FusedDense, FusedDenseGrad


def in_memory_order(array, order):
    """The same numbers, with the axes in another order in memory."""
    return np.ascontiguousarray(array.transpose(order)).transpose(np.argsort(order))


def variable(array):
    return TensorType(array.dtype, shape=(None,) * array.ndim)()


def layer(inputs, weights, bias, given, slope, at_zero=0.5):
    """Output, and the gradients of weights, bias and inputs: of the Ops."""
    values = [inputs, weights, bias, given]
    variables = [variable(value) for value in values]
    op = FusedDense(slope, keeps_mask=slope is not None)
    outputs = op(*variables[:3], return_list=True)
    arguments = outputs if slope is not None else []
    gradients = FusedDenseGrad(slope, at_zero)(
        *variables[:2], variables[3], *arguments, return_list=True
    )
    with config.change_flags(mode="FAST_COMPILE", cxx=""):
        compiled = function(variables, [outputs[0], *gradients])
    return compiled(*values)


def expected_layer(inputs, weights, bias, given, slope, at_zero=0.5):
    flat = inputs.reshape(len(inputs), -1)
    before = flat @ weights + bias
    if slope is not None:
        given = given * np.where(
            before > 0, 1, np.where(before == 0, at_zero, slope)
        ).astype(given.dtype)
        before = np.where(before > 0, before, slope * before)
    to_inputs = (given @ weights.T).reshape(inputs.shape)
    return before, flat.T @ given, given.sum(axis=0), to_inputs


SHAPES = [(6, 7), (6, 7, 5), (5, 4, 3, 6), (4, 1, 3, 5), (3, 70, 5, 5), (1, 4, 2, 2)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("slope", [None, 0.0, 0.25])
@pytest.mark.parametrize("shape", SHAPES)
def test_any_order_in_memory(shape, slope, dtype):
    rng = np.random.default_rng(0)
    inputs = rng.integers(-2, 3, shape).astype(dtype)
    units = 11
    weights = rng.integers(-2, 3, (np.prod(shape[1:]), units)).astype(dtype)
    bias = rng.integers(-2, 3, units).astype(dtype)
    given = rng.integers(-2, 3, (shape[0], units)).astype(dtype)
    expected = expected_layer(inputs, weights, bias, given, slope)
    orders = list(permutations(range(inputs.ndim)))[:8]
    for order in orders:
        values = [in_memory_order(inputs, order), weights, bias, given]
        for turned in (False, True):
            if turned:
                values[1] = np.asfortranarray(weights)
            results = layer(*values, slope)
            for result, right in zip(results, expected, strict=True):
                assert result.dtype == dtype
                assert np.array_equal(result, right)


def test_inputs_with_gaps():
    rng = np.random.default_rng(0)
    inputs = rng.integers(-2, 3, (4, 6, 5, 8)).astype("f4")[:, ::2, :, 1:]
    weights = rng.integers(-2, 3, (3 * 5 * 7, 1)).astype("f4")
    bias, given = np.ones(1, "f4"), rng.integers(-2, 3, (4, 1)).astype("f4")
    results = layer(inputs, weights, bias, given, 0.0)
    expected = expected_layer(inputs, weights, bias, given, 0.0)
    for result, right in zip(results, expected, strict=True):
        assert np.array_equal(result, right)


def test_the_gradient_lies_as_the_inputs_do():
    """Then the layer before need not copy it."""
    inputs = in_memory_order(np.ones((4, 3, 5, 5), "f4"), (0, 2, 3, 1))
    weights, bias = np.ones((75, 6), "f4"), np.ones(6, "f4")
    *_, to_inputs = layer(inputs, weights, bias, np.ones((4, 6), "f4"), None)
    assert to_inputs.strides == inputs.strides


def test_no_examples():
    weights, bias = np.ones((75, 6), "f4"), np.ones(6, "f4")
    results = layer(
        np.ones((0, 3, 5, 5), "f4"), weights, bias, np.ones((0, 6), "f4"), 0
    )
    assert [r.shape for r in results] == [(0, 6), (75, 6), (6,), (0, 3, 5, 5)]
    assert not results[1].any()


def test_sizes_that_do_not_fit():
    inputs, bias = np.ones((4, 3, 5), "f4"), np.ones(6, "f4")
    for weights, message in (
        (np.ones((14, 6), "f4"), "rows of 15 numbers.*columns of 14"),
        (np.ones((15, 7), "f4"), "bias of shape .6,..*needs 7 numbers"),
    ):
        values = [inputs, weights, bias]
        variables = [variable(value) for value in values]
        compiled = function(variables, FusedDense()(*variables), mode="FAST_COMPILE")
        with pytest.raises(ValueError, match=message):
            compiled(*values)
