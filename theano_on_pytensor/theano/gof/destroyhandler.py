"""Which values may be overwritten, and when."""

from pytensor.graph.destroyhandler import DestroyHandler

__all__ = ["DestroyHandler"]
