"""Where pooling was until Theano 0.8; :mod:`theano.tensor.signal.pool` since."""

from theano.tensor.signal import pool
from theano.tensor.signal.pool import Pool as DownsampleFactorMax
from theano.tensor.signal.pool import max_pool_2d_same_size

__all__ = ["DownsampleFactorMax", "max_pool_2d", "max_pool_2d_same_size"]


def max_pool_2d(input, ds, ignore_border=None, st=None, padding=(0, 0), mode="max"):
    """Pool the last two axes of ``input``: :func:`pool.pool_2d`, older names."""
    return pool.pool_2d(input, ds, ignore_border, st, padding, mode)
