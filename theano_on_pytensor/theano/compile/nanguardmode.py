"""``NanGuardMode``: complains as soon as a value is NaN, infinite or huge."""

from pytensor.compile.debug.nanguardmode import NanGuardMode

__all__ = ["NanGuardMode"]
