"""``scan`` that keeps only some steps, and computes the others again."""

from pytensor.scan import scan_checkpoints as _scan_checkpoints

from theano.scan_module.scan import with_theanos_updates

__all__ = ["scan_checkpoints"]

scan_checkpoints = with_theanos_updates(_scan_checkpoints)
