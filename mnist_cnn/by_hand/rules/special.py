"""Biases, scales and slopes; transformers; inverses; expressions.

Symbols: `c` numbers learned; `i` input length, `f` downsampling factor; `q` numbers of
the input.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isqrt

from ..description import Shape, format_shape
from ..errors import HyperParameterError
from ..formula import Formula, SizeFormula, product
from ..rows import Tensor
from ..windows import Unknown, follow
from .hyperparameters import per_axis, unshared_sizes, whole_number
from .registry import Derivation, Incoming, rule


def _learn(incoming: Incoming, name: str, axes: object, everywhere: bool) -> Derivation:
    shape = incoming.shape
    sizes = unshared_sizes(shape, "shared_axes", axes, everywhere)
    return Derivation(
        shape,
        [Tensor(name, sizes)],
        Formula("c", c=product(sizes)),
        # A bias is added alone, the others multiply.
        connections=Formula("0" if name == "b" else "q", q=product(shape[1:])),
        windows=follow(range(len(shape))),
    )


@rule("BiasLayer", since="0.2")
def derive_bias(
    incoming: Incoming, *, b: object = True, shared_axes: object = "auto"
) -> Derivation:
    """A bias is added, one a feature map unless `shared_axes` says otherwise."""
    if b is None:
        return Derivation(incoming.shape, windows=follow(range(len(incoming.shape))))
    return _learn(incoming, "b", shared_axes, False)


@rule("ScaleLayer", ignores="scales", since="0.2")
def derive_scale(incoming: Incoming, *, shared_axes: object = "auto") -> Derivation:
    """A factor, one a feature map unless `shared_axes` says otherwise."""
    return _learn(incoming, "scales", shared_axes, False)


@rule("ParametricRectifierLayer", ignores="alpha", since="0.2")
def derive_prelu(incoming: Incoming, *, shared_axes: object = "auto") -> Derivation:
    """A slope below zero, one a feature map unless `shared_axes` says otherwise."""
    return _learn(incoming, "alpha", shared_axes, True)


_SAMPLED = Unknown("which pixels a transformer samples, the image itself decides")


def _transform(shape: Shape, downsample_factor: object) -> tuple[Shape, SizeFormula]:
    if len(shape) != 4:
        raise HyperParameterError(
            "a transformer takes (batch, feature maps, rows, columns), got the shape "
            f"{format_shape(shape)}"
        )
    given = (
        downsample_factor
        if isinstance(downsample_factor, Iterable)
        else (downsample_factor,) * 2
    )
    factors = list(given)
    if all(isinstance(factor, int) for factor in factors):
        whole = per_axis("downsample_factor", factors, 2, 1)
        formulas = [
            Formula("i//f" if f > 1 else "i", i=i, f=f)
            for i, f in zip(shape[2:], whole, strict=True)
        ]
        sizes = tuple(one.value for one in formulas)
        return (*shape[:2], *sizes), SizeFormula(formulas, obvious=set(whole) == {1})
    if len(factors) != 2 or not all(isinstance(f, (int, float)) for f in factors):
        raise HyperParameterError(
            f"downsample_factor={downsample_factor!r}, where one number or two are "
            "needed"
        )
    sizes = tuple(
        None if i is None else int(i // f)
        for i, f in zip(shape[2:], factors, strict=True)
    )
    return (*shape[:2], *sizes), SizeFormula()


def _check_localization(incoming: Incoming, outputs: int) -> None:
    localization = incoming.shape_of(1, "localization_network")
    if len(localization) != 2 or localization[1] != outputs:
        raise HyperParameterError(
            f"the localization network must end in {outputs} outputs, got the shape "
            f"{format_shape(localization)}"
        )


@rule(
    "TransformerLayer",
    ignores="border_mode",
    inputs=("localization_network",),
    since="0.2",
)
def derive_transformer(
    incoming: Incoming, *, downsample_factor: object = 1
) -> Derivation:
    """The image, resampled as six numbers of another network say: ``i//f``."""
    _check_localization(incoming, 6)
    shape, formula = _transform(incoming.shapes[0], downsample_factor)
    return Derivation(shape, size_formula=formula, windows=_SAMPLED)


@rule(
    "TPSTransformerLayer",
    ignores="border_mode precompute_grid",
    inputs=("localization_network",),
    since="0.2",
)
def derive_tps_transformer(
    incoming: Incoming, *, downsample_factor: object = 1, control_points: int = 16
) -> Derivation:
    """The same with a thin plate spline through `control_points`, a square number."""
    points = whole_number("control_points", control_points, 1)
    if isqrt(points) ** 2 != points:
        raise HyperParameterError(
            f"control_points={points}, where a square number is needed"
        )
    _check_localization(incoming, 2 * points)
    shape, formula = _transform(incoming.shapes[0], downsample_factor)
    return Derivation(shape, size_formula=formula, windows=_SAMPLED)


@rule("InverseLayer", inputs=("layer", "layer.input_layer"), since="0.2")
def derive_inverse(incoming: Incoming) -> Derivation:
    """The shape that the inverted layer takes; its weights are that layer's."""
    reversed_ = Unknown("it runs another layer backwards")
    shape = incoming.shape_of(2, "layer")
    return Derivation(shape, connections=reversed_, windows=reversed_)


def _read_output_shape(layer: object) -> object:
    """As given: a function in the place of the method, or what is kept of the rest."""
    own = (one for name, one in vars(layer).items() if name.endswith("_shape_for"))
    return next(own, getattr(layer, "_output_shape", None))


@rule(
    "ExpressionLayer",
    ignores="function",
    attributes={"output_shape": _read_output_shape},
    since="0.2",
)
def derive_expression(incoming: Incoming, *, output_shape: object = None) -> Derivation:
    """The shape it is said to have: by default the input's.

    With ``output_shape='auto'`` or a function only running code could tell.
    """
    shape = incoming.shape
    untold = Unknown("only running the expression tells")
    if output_shape is None:
        return Derivation(shape, connections=untold, windows=untold)
    if isinstance(output_shape, str) or not isinstance(output_shape, Iterable):
        said = repr(output_shape) if isinstance(output_shape, str) else "a function"
        return Derivation(
            None,
            unknown_because=f"output_shape is {said}: only running the expression "
            "tells; give the shape as a tuple",
            connections=untold,
            windows=untold,
        )
    return Derivation(
        tuple(
            None if size is None else whole_number("a size of output_shape", size)
            for size in output_shape
        ),
        connections=untold,
        windows=untold,
    )
