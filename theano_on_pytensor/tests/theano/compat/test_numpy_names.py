"""The names that NumPy dropped, as NumPy 1.19 defined them."""

import numpy as np

from theano.compat import numpy_names

numpy_names.restore()


def test_cast_makes_arrays_of_a_dtype():
    cast = np.cast["float32"](0.03)
    assert (cast.dtype, cast.shape) == (np.float32, ())
    np.testing.assert_array_equal(np.cast["int32"]([1.7, -1.7]), [1, -1])
    assert np.cast[np.int8](np.ones((2, 3))).dtype == np.int8


def test_the_types_are_pythons():
    assert (np.float, np.int, np.object, np.complex) == (float, int, object, complex)
    assert np.zeros(2, np.float).dtype == np.float64


def test_functions_have_their_old_names():
    assert np.product([2, 3, 4]) == 24
    assert np.rank(np.zeros((1, 2, 3))) == 3
    assert np.asscalar(np.array([2.5])) == 2.5
    assert np.alltrue([1, 1])
    assert not np.sometrue([0, 0])
    assert np.trapz([1, 2, 3]) == 4
    np.testing.assert_array_equal(np.cumproduct([2, 3]), [2, 6])
    np.testing.assert_array_equal(
        np.in1d([[1, 2], [3, 1]], [1]), [True, False, False, True]
    )
    assert np.infty == np.Inf == float("inf")
    assert np.isnan(np.NaN)


def test_what_numpy_has_is_left_alone(monkeypatch):
    monkeypatch.setattr(np, "product", marker := object())
    numpy_names.restore()
    assert np.product is marker
    assert np.bool is np.bool_
