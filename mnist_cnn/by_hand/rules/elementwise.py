"""Layers that keep the shape of their input and learn nothing."""

from __future__ import annotations

from ..errors import HyperParameterError
from .hyperparameters import whole_number
from .registry import Derivation, Incoming, rule


@rule("NonlinearityLayer", ignores="nonlinearity")
@rule("DropoutLayer", ignores="p rescale shared_axes", newer="shared_axes")
@rule("GaussianNoiseLayer", ignores="sigma")
@rule(
    "RandomizedRectifierLayer",
    ignores="lower upper shared_axes",
    since="0.2",
)
@rule("StandardizationLayer", ignores="axes epsilon", since="0.2")
def derive_unchanged(incoming: Incoming) -> Derivation:
    """The input's shape."""
    return Derivation(incoming.shape)


@rule("LocalResponseNormalization2DLayer", ignores="alpha k beta")
def derive_local_response(incoming: Incoming, *, n: int = 5) -> Derivation:
    """The input's shape; `n` neighbouring feature maps, an odd number, take part."""
    if whole_number("n", n, 1) % 2 == 0:
        raise HyperParameterError(f"n={n}, where an odd number is needed")
    return Derivation(incoming.shape)
