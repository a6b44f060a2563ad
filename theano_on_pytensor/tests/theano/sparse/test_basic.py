"""Sparse matrices."""

import numpy as np

import theano
import theano.sparse as S
import theano.tensor as T


def test_a_matrix_whose_shape_is_of_int64_is_differentiated(capfd):
    data, shape = T.dvector("data"), T.lvector("shape")
    indices, starts = T.ivector("indices"), T.ivector("starts")
    dense = S.dense_from_sparse(S.CSC(data, indices, starts, shape))
    gradient = theano.function(
        [data, indices, starts, shape], T.grad((dense**2).sum(), data)
    )
    np.testing.assert_array_equal(
        gradient([1.0, 2.0, 3.0], [0, 1, 2], [0, 1, 2, 3], [3, 3]), [2.0, 4.0, 6.0]
    )
    assert capfd.readouterr().err == ""
