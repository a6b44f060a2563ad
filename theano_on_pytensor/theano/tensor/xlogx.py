"""``x*log(x)`` and ``x*log(y)``, zero where ``x`` is."""

from pytensor.tensor.xlogx import xlogx, xlogy0

__all__ = ["xlogx", "xlogy0"]
