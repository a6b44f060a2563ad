"""Shared tensors."""

import warnings

import numpy as np
import pytest

import theano
import theano.tensor as T


@pytest.mark.parametrize(
    ("value", "dtype", "ndim"),
    [
        # Asked of the genuine Theano 1.0.5, floatX=float32.
        (3, "int64", 0),
        (3.0, "float64", 0),
        (np.float32(3), "float32", 0),
        (np.zeros((1, 2)), "float64", 2),
        (np.zeros(0, "uint8"), "uint8", 1),
        (np.array([True]), "bool", 1),
        (1j, "complex128", 0),
    ],
)
def test_dtypes_are_those_of_the_value(value, dtype, ndim):
    with theano.config.change_flags(floatX="float32"):
        shared = theano.shared(value, "name")
    assert (shared.dtype, shared.ndim, shared.name) == (dtype, ndim, "name")
    assert shared.type.shape == (None,) * ndim
    assert np.array_equal(shared.get_value(), value)


def test_the_size_may_change_and_the_pattern_may_not():
    free = theano.shared(np.zeros((1, 2)))
    free.set_value(np.zeros((4, 3)))
    row = theano.shared(np.zeros((1, 2)), broadcastable=(True, False))
    assert row.broadcastable == (True, False)
    row.set_value(np.zeros((1, 5)))
    with pytest.raises((TypeError, ValueError)):
        row.set_value(np.zeros((2, 5)))


def test_values_are_copied_unless_borrowed():
    value = np.zeros(2)
    copied, borrowed = theano.shared(value), theano.shared(value, borrow=True)
    value[0] = 1
    assert copied.get_value().tolist() == [0, 0]
    assert borrowed.get_value().tolist() == [1, 0]
    inner = borrowed.get_value(borrow=True)
    assert inner is value
    copied.get_value()[:] = 7
    assert copied.get_value().tolist() == [0, 0]


def test_float64_does_not_fit_a_float32_variable():
    shared = theano.shared(np.zeros(2, "float32"), name="w")
    with pytest.raises(TypeError, match="float32.*float64|precision"):
        shared.set_value(np.array([0.1, 0.2]))
    loose = theano.shared(np.zeros(2, "float32"), allow_downcast=True)
    loose.set_value(np.array([0.1, 0.2]))
    assert loose.get_value().dtype == "float32"
    strict = theano.shared(np.zeros(2, "float32"), strict=True)
    with pytest.raises(TypeError):
        strict.set_value([1, 2])


def test_other_values():
    with pytest.raises(TypeError, match="symbolic"):
        theano.shared(T.matrix())
    with pytest.raises(NotImplementedError, match="MaskedArray"):
        theano.shared(np.ma.masked_array([1.0], [True]))
    rng = theano.shared(np.random.default_rng(0))
    assert isinstance(rng.get_value(), np.random.Generator)


def test_a_target_is_ignored():
    assert theano.shared(np.zeros(2), target="dev0").ndim == 1


def test_container_and_clone():
    shared = theano.shared(np.arange(2.0), name="w")
    other = shared.clone()
    assert other.container is shared.container
    assert other.name == "w"


def test_a_default_update_may_know_more_of_the_shape():
    mean = theano.shared(np.zeros(3), name="mean")
    twin = theano.clone(mean, share_inputs=False)
    assert twin is not mean
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        twin.default_update = twin + T.constant(np.ones(3))
    f = theano.function([], twin * 2)
    assert f().tolist() == [0, 0, 0]
    # The clone shares its value with the original.
    assert mean.get_value().tolist() == [1, 1, 1]
    twin.default_update = None
    assert theano.function([], twin)().tolist() == [1, 1, 1]
    assert mean.get_value().tolist() == [1, 1, 1]
