"""Linear algebra."""

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.scalar import upcast
from pytensor.tensor import linalg as _linalg
from pytensor.tensor.linalg import (
    SVD,
    Det,
    Eig,
    Eigh,
    MatrixInverse,
    MatrixPinv,
    TensorInv,
    TensorSolve,
    det,
    eig,
    matrix_dot,
    matrix_inverse,
    matrix_power,
    pinv,
    svd,
    tensorinv,
    tensorsolve,
    trace,
)

from theano.gof.op import Op
from theano.tensor.basic import AllocDiag, ExtractDiag, diag

__all__ = [
    "AllocDiag",
    "Det",
    "Eig",
    "Eigh",
    "ExtractDiag",
    "MatrixInverse",
    "MatrixPinv",
    "SVD",
    "TensorInv",
    "TensorSolve",
    "alloc_diag",
    "det",
    "diag",
    "eig",
    "eigh",
    "extract_diag",
    "lstsq",
    "matrix_dot",
    "matrix_inverse",
    "matrix_power",
    "norm",
    "pinv",
    "qr",
    "svd",
    "tensorinv",
    "tensorsolve",
    "trace",
]


def alloc_diag(x):
    """The matrix with the vector ``x`` as its diagonal."""
    return pt.diag(x)


def extract_diag(x):
    """The diagonal of the matrix ``x``."""
    return pt.diagonal(pt.as_tensor_variable(x))


def eigh(a, UPLO="L"):
    """Eigenvalues, ascending, and eigenvectors of a symmetric matrix.

    ``UPLO`` says which of its triangles is read, ``'L'`` or ``'U'``.
    """
    return _linalg.eigh(a, lower=UPLO == "L")


def qr(a, mode="reduced"):
    """``q``, orthonormal, and ``r``, upper triangular, with ``dot(q, r) == a``.

    Parameters
    ----------
    a : matrix of shape (rows, columns)
    mode : {'reduced', 'complete', 'r', 'raw'}
        How many columns ``q`` has, ``min(rows, columns)`` or ``rows``; only ``r``;
        LAPACK's ``h`` and ``tau``.
    """
    if mode == "raw":
        (h, tau), _ = _linalg.qr(a, mode="raw")
        return h.T, tau
    if mode == "r":
        return _linalg.qr(a, mode="economic")[1]
    return _linalg.qr(a, mode={"reduced": "economic", "complete": "full"}[mode])


class lstsq(Op):
    """Called with ``x``, ``y`` and ``rcond``: the least squares solution of
    ``dot(x, b) == y``, its residuals, the rank and the singular values of ``x``.
    """

    __props__ = ()

    def make_node(self, x, y, rcond):
        x, y, rcond = (pt.as_tensor_variable(v) for v in (x, y, rcond))
        dtype = upcast(x.type.dtype, y.type.dtype, "float32")
        solution = pt.TensorType(dtype, (None,) * y.type.ndim)()
        residuals, singular_values = (pt.vector(dtype=dtype) for _ in range(2))
        return Apply(
            self, [x, y, rcond], [solution, residuals, pt.lscalar(), singular_values]
        )

    def perform(self, node, inputs, output_storage):
        results = np.linalg.lstsq(inputs[0], inputs[1], rcond=float(inputs[2]))
        for variable, storage, result in zip(
            node.outputs, output_storage, results, strict=True
        ):
            storage[0] = np.asarray(result, variable.type.dtype)


def norm(x, ord):
    """The norm of a vector or a matrix.

    Parameters
    ----------
    x : vector or matrix
    ord : number, 'fro', 'inf', '-inf' or None
        For a vector ``None`` means 2 and 0 counts what is not zero; for a matrix
        ``None`` means ``'fro'``, 1 the largest sum of a column's absolute values,
        ``'inf'`` that of a row's, -1 and ``'-inf'`` the smallest ones.

    Raises
    ------
    ValueError
        For a scalar, or an ``ord`` of another kind.
    NotImplementedError
        For more than two dimensions.
    """
    x = pt.as_tensor_variable(x)
    if x.type.ndim > 2:
        raise NotImplementedError(f"norm takes a vector or a matrix, got {x.type}")
    if x.type.ndim == 0:
        raise ValueError(f"norm takes a vector or a matrix, got {x.type}")
    largest = {
        "inf": pt.max,
        float("inf"): pt.max,
        "-inf": pt.min,
        float("-inf"): pt.min,
    }
    if x.type.ndim == 1:
        if ord in largest:
            return largest[ord](abs(x))
        if ord == 0:
            return x[x.nonzero()].shape[0]
        if ord is None or ord == 2:
            return pt.sum(pt.sqr(x)) ** 0.5
        if not isinstance(ord, int | float):
            raise ValueError(f"a vector has no norm of order {ord!r}")
        return pt.sum(abs(x**ord)) ** (1.0 / ord)
    if ord is None or ord == "fro":
        return pt.sum(pt.sqr(abs(x))) ** 0.5
    if ord in largest:
        return largest[ord](pt.sum(abs(x), 1))
    if ord in (1, -1):
        return (pt.max if ord == 1 else pt.min)(pt.sum(abs(x), 0))
    raise ValueError(f"a matrix has no norm of order {ord!r}")
