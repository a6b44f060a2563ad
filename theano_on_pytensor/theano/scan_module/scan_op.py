"""The Op that runs a loop."""

from pytensor.scan.op import Scan

__all__ = ["Scan"]
