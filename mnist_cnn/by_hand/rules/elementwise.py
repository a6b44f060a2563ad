"""Layers that keep the shape of their input and learn nothing."""

from __future__ import annotations

from ..errors import HyperParameterError
from ..windows import Unknown, Window, follow, slide
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
def derive_unchanged(incoming: Incoming) -> Derivation:
    """The input's shape."""
    shape = incoming.shape
    return Derivation(shape, windows=follow(range(len(shape))))


@rule("StandardizationLayer", ignores="axes epsilon", since="0.2")
def derive_standardization(incoming: Incoming) -> Derivation:
    """The input's shape; each number is measured by the mean of many."""
    return Derivation(
        incoming.shape,
        windows=Unknown("a standardisation takes in the mean of whole feature maps"),
    )


@rule("LocalResponseNormalization2DLayer", ignores="alpha k beta")
def derive_local_response(incoming: Incoming, *, n: int = 5) -> Derivation:
    """The input's shape; `n` neighbouring feature maps, an odd number, take part."""
    maps = whole_number("n", n, 1)
    if maps % 2 == 0:
        raise HyperParameterError(f"n={n}, where an odd number is needed")
    shape = incoming.shape
    seen = Window(1, maps, pad=maps // 2)
    return Derivation(shape, windows=slide(len(shape), [seen]))
