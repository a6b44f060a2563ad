"""Linear algebra that SciPy computes."""

from pytensor.tensor.linalg import cholesky, eigvalsh, expm, kron, solve

__all__ = ["cholesky", "eigvalsh", "expm", "kron", "solve"]
