"""Linear algebra."""

from pytensor.tensor.linalg import (
    det,
    eig,
    eigh,
    matrix_dot,
    matrix_inverse,
    matrix_power,
    norm,
    pinv,
    qr,
    svd,
    trace,
)

from theano.tensor.basic import diag

__all__ = [
    "det",
    "diag",
    "eig",
    "eigh",
    "matrix_dot",
    "matrix_inverse",
    "matrix_power",
    "norm",
    "pinv",
    "qr",
    "svd",
    "trace",
]
