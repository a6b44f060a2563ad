"""The base of every Op."""

from pytensor.graph.op import Op
from pytensor.graph.utils import MethodNotDefined

__all__ = ["MethodNotDefined", "Op"]
