"""Pools, over space and over features, and their opposite, upscaling.

Nothing is learned here. Symbols: `i` input length, `n` pool size, `s` stride, `p` pad;
`c` feature maps, `f` features a pool.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..description import Shape, format_shape
from ..errors import HyperParameterError
from ..formula import Formula, SizeFormula
from ..windows import Unknown, Window, Windows, follow, slide
from . import lengths
from .hyperparameters import (
    check_axes,
    check_square,
    entries,
    known_sizes,
    per_axis,
    whole_number,
)
from .registry import Derivation, Incoming, rule


def _register(
    axes: int,
    *types: str,
    ignores: str = "",
    since: str = "0.1",
    at_end: bool = False,
) -> None:
    """Register the rule of a pool over so many axes, the third one on.

    `at_end` says that Lasagne 0.1's layer pools the last axes of any input.
    """

    @rule(*types, ignores=ignores, since=since)
    def derive(
        incoming: Incoming,
        *,
        pool_size: object,
        stride: object = None,
        pad: object = 0,
        ignore_border: bool = True,
    ) -> Derivation:
        shape = incoming.shape
        # Lasagne 0.1 does not ask how many axes there are: its MaxPool1DLayer pools
        # the last one, its two-dimensional pools the third and fourth.
        is_old = incoming.is_lasagne_0_1
        start = len(shape) - axes if at_end and is_old else 2
        fits = 1 <= start <= len(shape) - axes if is_old else len(shape) == axes + 2
        if not fits:
            raise HyperParameterError(
                f"a pool over {axes} axes takes (batch, feature maps, "
                f"{', '.join(['size'] * axes)}), got the shape {format_shape(shape)}"
            )
        size = per_axis("pool_size", pool_size, axes, 1)
        steps = size if stride is None else per_axis("stride", stride, axes, 1)
        pads = per_axis("pad", pad, axes, 0)
        if any(pads) and not ignore_border:
            raise HyperParameterError(
                f"pad={pad!r} needs ignore_border=True: with ignore_border=False the "
                "last regions may overhang, and nothing is padded"
            )
        before, after = shape[:start], shape[start + axes :]
        pooled = list(zip(shape[start : start + axes], size, steps, pads, strict=True))
        formulas = [lengths.pooled(*one, bool(ignore_border)) for one in pooled]
        obvious = all(lengths.divides_evenly(*one) for one in pooled)
        windows = [
            Window(axis, n, s, p)
            for axis, (_, n, s, p) in enumerate(pooled, start=start)
        ]
        return Derivation(
            (*before, *(formula.value for formula in formulas), *after),
            size_formula=SizeFormula(formulas, obvious=obvious),
            windows=slide(len(shape), windows),
        )


_register(1, "MaxPool1DLayer", at_end=True)
_register(1, "Pool1DLayer", ignores="mode", since="0.2")
_register(2, "MaxPool2DLayer", "MaxPool2DDNNLayer")
_register(2, "Pool2DLayer", "Pool2DDNNLayer", ignores="mode")
_register(3, "MaxPool3DLayer", "MaxPool3DDNNLayer", since="0.2")
_register(3, "Pool3DLayer", "Pool3DDNNLayer", ignores="mode", since="0.2")


@rule("MaxPool2DCCLayer", ignores="pad")
def derive_cuda_convnet_pool(
    incoming: Incoming,
    *,
    pool_size: object,
    stride: object = None,
    ignore_border: bool = False,
    dimshuffle: bool = True,
) -> Derivation:
    """A square pool whose last regions may overhang; `dimshuffle` as of its conv."""
    shape = incoming.shape
    check_axes("pool", shape, 2)
    first = 2 if dimshuffle else 1
    before, sizes, after = shape[:first], shape[first : first + 2], shape[first + 2 :]
    size = per_axis("pool_size", pool_size, 2, 1)
    steps = size if stride is None else per_axis("stride", stride, 2, 1)
    check_square("MaxPool2DCCLayer", pool_size=size, stride=steps)
    if steps > size:
        raise HyperParameterError(
            f"stride={stride!r}: a MaxPool2DCCLayer has no stride beyond its pool_size"
        )
    if ignore_border:
        raise HyperParameterError(
            "ignore_border=True: a MaxPool2DCCLayer has ignore_border=False only"
        )
    formulas = [
        lengths.pooled(i, n, s, 0, False)
        for i, n, s in zip(sizes, size, steps, strict=True)
    ]
    windows = [
        Window(axis, n, s)
        for axis, (n, s) in enumerate(zip(size, steps, strict=True), start=first)
    ]
    return Derivation(
        (*before, *(formula.value for formula in formulas), *after),
        size_formula=SizeFormula(formulas),
        windows=slide(len(shape), windows),
    )


def _register_upscale(axes: int, type_: str) -> None:
    @rule(type_, ignores="mode", since="0.2")
    def derive(incoming: Incoming, *, scale_factor: object) -> Derivation:
        shape = incoming.shape
        if len(shape) < axes + 2:
            raise HyperParameterError(
                f"upscaling {axes} axes takes (batch, feature maps, "
                f"{', '.join(['size'] * axes)}), got the shape {format_shape(shape)}"
            )
        factors = per_axis("scale_factor", scale_factor, axes, 1)
        formulas = [
            Formula("i*s", i=i, s=s)
            for i, s in zip(shape[2 : 2 + axes], factors, strict=True)
        ]
        windows = [
            Window(axis, factor, factor, transposed=factor > 1)
            for axis, factor in enumerate(factors, start=2)
        ]
        return Derivation(
            (*shape[:2], *(one.value for one in formulas), *shape[2 + axes :]),
            size_formula=SizeFormula(formulas),
            windows=slide(len(shape), windows),
        )


for _axes in (1, 2, 3):
    _register_upscale(_axes, f"Upscale{_axes}DLayer")


@rule("GlobalPoolLayer", ignores="pool_function")
def derive_global_pool(incoming: Incoming) -> Derivation:
    """One number is left of each feature map."""
    return Derivation(incoming.shape[:2], windows=follow(range(2)))


def _pool_features(
    incoming: Incoming, pool_size: object, axis: object
) -> tuple[Shape, int, Formula]:
    """The input's shape, the axis counted from the front, and ``c/f``."""
    shape = incoming.shape
    place = whole_number("axis", axis)
    if not -len(shape) <= place < len(shape):
        raise HyperParameterError(
            f"axis={place}, where the input has the axes 0 to {len(shape) - 1}"
        )
    size = whole_number("pool_size", pool_size, 1)
    (maps,) = known_sizes((shape[place],), "feature maps that are pooled")
    if maps % size:
        raise HyperParameterError(
            f"pool_size={size} does not divide the {maps} feature maps of the input "
            f"(axis {place})"
        )
    return shape, place % len(shape), Formula("c/f", c=maps, f=size)


@rule("FeaturePoolLayer", ignores="pool_function")
def derive_feature_pool(
    incoming: Incoming, *, pool_size: int, axis: int = 1
) -> Derivation:
    """Of every `pool_size` feature maps one is left: ``c/f``."""
    shape, place, left = _pool_features(incoming, pool_size, axis)
    return Derivation(
        (*shape[:place], left.value, *shape[place + 1 :]),
        size_formula=SizeFormula([left]),
        windows=slide(len(shape), [Window(place, pool_size, pool_size)]),
    )


@rule("FeatureWTALayer")
def derive_feature_wta(
    incoming: Incoming, *, pool_size: int, axis: int = 1
) -> Derivation:
    """Of `pool_size` feature maps all but the winner become zero; none is lost."""
    shape, place, _ = _pool_features(incoming, pool_size, axis)
    seen: Windows | Unknown = slide(len(shape), [], new=1)
    if place > 1:
        seen = Unknown("its pools lie apart along an axis of space")
    return Derivation(shape, windows=seen)


@rule("SpatialPyramidPoolingLayer", ignores="mode implementation", since="0.2")
@rule("SpatialPyramidPoolingDNNLayer", ignores="mode", since="0.2")
def derive_spatial_pyramid(
    incoming: Incoming, *, pool_dims: Iterable[int] = (4, 2, 1)
) -> Derivation:
    """Each feature map is pooled to ``p*p`` numbers for each `p` of `pool_dims`."""
    shape = incoming.shape
    if len(shape) != 4:
        raise HyperParameterError(
            "a spatial pyramid takes (batch, feature maps, rows, columns), got the "
            f"shape {format_shape(shape)}"
        )
    dims = [
        whole_number("a number of pool_dims", one, 1)
        for one in entries("pool_dims", pool_dims)
    ]
    count = Formula(" + ".join(f"{one}*{one}" for one in dims) or "0")
    return Derivation(
        (*shape[:2], count.value),
        size_formula=SizeFormula([count]),
        windows=Unknown("the regions of a pyramid differ in size"),
    )
