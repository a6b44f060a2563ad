"""Linear algebra that SciPy computes."""

from pytensor.tensor.linalg import (
    Eigvalsh,
    Expm,
    eigvalsh,
    expm,
    kron,
    solve_triangular,
)
from pytensor.tensor.linalg import cholesky as _cholesky
from pytensor.tensor.linalg import solve as _solve

__all__ = [
    "Cholesky",
    "Eigvalsh",
    "Expm",
    "MATRIX_STRUCTURES",
    "Solve",
    "cholesky",
    "eigvalsh",
    "expm",
    "kron",
    "solve",
    "solve_lower_triangular",
    "solve_symmetric",
    "solve_upper_triangular",
]

_ASSUMED = {
    "general": "gen",
    "symmetric": "sym",
}
MATRIX_STRUCTURES = ("general", "symmetric", "lower_triangular", "upper_triangular")


class Cholesky:
    """Called with a matrix ``x``: the triangular ``l`` with ``dot(l, l.T) == x``.

    Parameters
    ----------
    lower : bool
        Whether ``l`` is a lower triangle; else it is an upper one, and
        ``dot(l.T, l) == x``.
    on_error : {'raise', 'nan'}
        For an ``x`` that is not positive definite: ``numpy.linalg.LinAlgError``
        when it is computed, or not-a-numbers.
    """

    def __init__(self, lower=True, on_error="raise"):
        if on_error not in ("raise", "nan"):
            raise ValueError(f"on_error must be 'raise' or 'nan', got {on_error!r}")
        self.lower, self.on_error = lower, on_error

    def __call__(self, x):
        return _cholesky(x, lower=self.lower, on_error=self.on_error)


cholesky = Cholesky()


class Solve:
    """Called with ``A`` and ``b``: the ``x`` for which ``dot(A, x) == b``.

    Parameters
    ----------
    A_structure : {'general', 'symmetric', 'lower_triangular', 'upper_triangular'}
    lower : bool
        Which triangle of a symmetric ``A`` is read.
    overwrite_A, overwrite_b : bool
        Ignored.
    """

    def __init__(
        self, A_structure="general", lower=False, overwrite_A=False, overwrite_b=False
    ):
        if A_structure not in MATRIX_STRUCTURES:
            raise ValueError(
                f"A_structure must be one of {', '.join(MATRIX_STRUCTURES)}, got "
                f"{A_structure!r}"
            )
        self.A_structure, self.lower = A_structure, lower

    def __call__(self, A, b):
        if self.A_structure in _ASSUMED:
            return _solve(A, b, lower=self.lower, assume_a=_ASSUMED[self.A_structure])
        lower = self.A_structure == "lower_triangular"
        return solve_triangular(A, b, lower=lower)


solve = Solve()
solve_symmetric = Solve("symmetric")
solve_lower_triangular = Solve("lower_triangular")
solve_upper_triangular = Solve("upper_triangular")
