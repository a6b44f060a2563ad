"""How long each Op took."""

from pytensor.compile.debug.profiling import ProfileStats

__all__ = ["ProfileStats"]
