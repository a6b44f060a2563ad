"""Ops that raise an exception when they are computed."""

from pytensor.raise_op import Assert, CheckAndRaise, assert_op

__all__ = ["Assert", "CheckAndRaise", "assert_op"]
