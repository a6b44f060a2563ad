"""The input layer: reads the data, learns nothing."""

from __future__ import annotations

from ..errors import HyperParameterError
from ..windows import follow
from .hyperparameters import whole_number
from .registry import Derivation, Incoming, rule


@rule("InputLayer", ignores="input_var")
def derive_input(incoming: Incoming, *, shape: object) -> Derivation:
    """The shape as given, the batch first; None for a size that is not fixed."""
    if not isinstance(shape, (tuple, list)):
        raise HyperParameterError(
            f"shape={shape!r}, where sizes are needed, the batch first: "
            "(None, 1, 28, 28)"
        )
    return Derivation(
        tuple(
            None if size is None else whole_number("a size of shape", size, 1)
            for size in shape
        ),
        windows=follow(range(len(shape))),
    )
