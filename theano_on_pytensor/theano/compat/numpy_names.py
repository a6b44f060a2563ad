"""Names that NumPy dropped in 1.23, 1.24 and 2.x, as programs of the time use them."""

import warnings

import numpy as np

__all__ = ["restore"]


class _Casts:
    """``numpy.cast``: ``cast["float32"](x)`` is ``x`` as an array of that dtype."""

    def __getitem__(self, dtype):
        dtype = np.dtype(dtype)
        return lambda x: np.asarray(x).astype(dtype)


def _in1d(ar1, ar2, assume_unique=False, invert=False):
    return np.isin(np.ravel(ar1), ar2, assume_unique=assume_unique, invert=invert)


def _asscalar(a):
    return np.asarray(a).item()


_NAMES = {
    "Inf": np.inf,
    "NaN": np.nan,
    "alltrue": np.all,
    "asscalar": _asscalar,
    "cast": _Casts(),
    "complex": complex,
    "complex_": np.complex128,
    "cumproduct": np.cumprod,
    "float": float,
    "float_": np.float64,
    "in1d": _in1d,
    "infty": np.inf,
    "int": int,
    "object": object,
    "product": np.prod,
    "rank": np.ndim,
    "row_stack": np.vstack,
    "sometrue": np.any,
    "str": str,
    "trapz": getattr(np, "trapezoid", None),
    "unicode_": np.str_,
}


def _lacks(name):
    with warnings.catch_warnings():
        # NumPy warns of some names before it drops them.
        warnings.simplefilter("ignore")
        return not hasattr(np, name)


def restore() -> None:
    """Put back what this NumPy lacks, and leave alone what it has."""
    for name, value in _NAMES.items():
        if _lacks(name):
            setattr(np, name, value)
