"""Convolutions: ordinary, grouped, transposed, dilated, locally connected.

Symbols of answer 1: a filter of size `n` x `m` (x `o`), `l` feature maps at the
input, `k` at the output; `g` groups; `h`, `w`, `d` the output's size.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..description import format_shape
from ..errors import HyperParameterError
from ..formula import Formula, SizeFormula
from ..rows import Tensor
from ..windows import Window, slide
from . import lengths
from .hyperparameters import (
    check_axes,
    check_square,
    known_sizes,
    per_axis,
    whole_number,
)
from .registry import Derivation, Incoming, rule

Length = Callable[[int | None, int, int], Formula]
Values = dict[str, int | Formula | None]

_WITHOUT_EFFECT = "W nonlinearity convolution flip_filters"


def _lengths(
    pad: object, filter_size: tuple[int, ...], same: Length | None = None
) -> list[Length]:
    """For each axis, how its output length follows from length, filter and stride.

    `same` says how with ``pad='same'``, if it is allowed for an even filter size.
    """
    axes = len(filter_size)
    if pad == "valid":
        pad = 0
    if pad == "full":
        return [lengths.full] * axes
    if pad == "same":
        if same is None:
            _check_odd(filter_size)
        return [same or lengths.same] * axes
    if isinstance(pad, str):
        raise HyperParameterError(
            f"pad={pad!r}, where a number, one for each axis, 'valid', 'full' or "
            "'same' is needed"
        )
    return [partial(lengths.convolved, p=p) for p in per_axis("pad", pad, axes)]


def _pads(
    pad: object, filter_size: tuple[int, ...], same: Length | None = None
) -> tuple[int, ...]:
    """For each axis, the pad before its first position, as :func:`_lengths` has it."""
    if pad == "valid":
        pad = 0
    if pad == "full":
        return tuple(n - 1 for n in filter_size)
    if pad == "same":
        # An even filter has one position more before its middle than behind it.
        more = 1 if same is lengths.same else 0
        return tuple((n - 1 + more) // 2 for n in filter_size)
    return per_axis("pad", pad, len(filter_size))


def _check_odd(filter_size: tuple[int, ...]) -> None:
    if any(size % 2 == 0 for size in filter_size):
        raise HyperParameterError(
            f"pad='same' needs an odd filter size, got {format_shape(filter_size)}: an "
            "even one has no middle to centre on each position"
        )


def _product(symbols: str) -> str:
    return "*".join(symbols)


def _weights_and_biases(
    weights: tuple[int, ...],
    text: str,
    values: Values,
    output: tuple[int | None, ...],
    b: object,
    untie_biases: bool,
) -> tuple[list[Tensor], Formula]:
    """Tensors and formula, `text` being the number of weights of one filter."""
    tensors = [Tensor("W", weights)]
    filters = values["k"]
    assert isinstance(filters, int)
    if b is None:
        return tensors, Formula(f"{text}*k", **values)
    if not untie_biases:
        tensors.append(Tensor("b", (filters,)))
        return tensors, Formula(f"({text} + 1)*k", **values)
    sizes = known_sizes(output, "positions, for each has a bias of its own,")
    tensors.append(Tensor("b", (filters, *sizes)))
    names = "hwd"[: len(sizes)]
    values |= dict(zip(names, sizes, strict=True))
    return tensors, Formula(f"{text}*k + k*{_product(names)}", **values)


def _connections(
    text: str, values: Values, positions: tuple[int | None, ...]
) -> Formula:
    """One multiply-add for each weight of a filter, each filter and each position."""
    names = "hwd"[: len(positions)]
    placed = values | dict(zip(names, positions, strict=True))
    return Formula(f"{text}*k*{_product(names)}", **placed)


def _register(
    axes: int,
    *types: str,
    ignores: str,
    newer: str = "",
    since: str = "0.1",
    same: Length | None = None,
) -> None:
    """Register the rule of a convolution over so many axes of space.

    `same` is how Lasagne 0.1's layer pads with ``pad='same'``, any filter size.
    """

    @rule(*types, ignores=ignores, newer=newer, since=since)
    def derive(
        incoming: Incoming,
        *,
        num_filters: int,
        filter_size: object,
        stride: object = 1,
        pad: object = 0,
        untie_biases: bool = False,
        b: object = True,
        num_groups: int = 1,
    ) -> Derivation:
        shape = incoming.shape
        check_axes("convolution", shape, axes)
        filters = whole_number("num_filters", num_filters, 1)
        size = per_axis("filter_size", filter_size, axes, 1)
        steps = per_axis("stride", stride, axes, 1)
        groups = whole_number("num_groups", num_groups, 1)
        (maps,) = known_sizes(shape[1:2], "feature maps of the input")
        if maps % groups or filters % groups:
            raise HyperParameterError(
                f"num_groups={groups} must divide the {maps} feature maps of the "
                f"input and the {filters} filters"
            )
        padded_as = same if incoming.is_lasagne_0_1 else None
        length = _lengths(pad, size, padded_as)
        formulas = [
            one(i, n, s)
            for one, i, n, s in zip(length, shape[2:], size, steps, strict=True)
        ]
        output = tuple(formula.value for formula in formulas)
        names = "nmo"[:axes]
        values: Values = dict(zip(names, size, strict=True))
        values |= {"l": maps, "k": filters, "g": groups}
        text = f"{_product(names)}*l" if groups == 1 else f"{_product(names)}*(l/g)"
        tensors, formula = _weights_and_biases(
            (filters, maps // groups, *size), text, values, output, b, untie_biases
        )
        pads = _pads(pad, size, padded_as)
        windows = [
            Window(axis, n, s, p)
            for axis, (n, s, p) in enumerate(zip(size, steps, pads, strict=True), 2)
        ]
        return Derivation(
            (shape[0], filters, *output),
            tensors,
            formula,
            SizeFormula(formulas),
            connections=_connections(text, values, output),
            windows=slide(axes + 2, windows, new=1),
        )


_register(
    1,
    "Conv1DLayer",
    ignores=_WITHOUT_EFFECT,
    newer="num_groups flip_filters",
    same=lengths.same,
)
_register(
    2,
    "Conv2DLayer",
    ignores=_WITHOUT_EFFECT,
    newer="num_groups flip_filters",
    same=lengths.same,
)
_register(
    2,
    "Conv2DMMLayer",
    "Conv2DDNNLayer",
    ignores="W nonlinearity flip_filters",
    newer="num_groups",
    same=lengths.same_rounded_down,
)
_register(3, "Conv3DLayer", ignores=_WITHOUT_EFFECT, since="0.2")
_register(3, "Conv3DDNNLayer", ignores="W nonlinearity flip_filters", since="0.2")


def _register_transposed(axes: int, *types: str) -> None:
    @rule(*types, ignores="W nonlinearity flip_filters", since="0.2")
    def derive(
        incoming: Incoming,
        *,
        num_filters: int,
        filter_size: object,
        stride: object = 1,
        crop: object = 0,
        untie_biases: bool = False,
        b: object = True,
        output_size: object = None,
    ) -> Derivation:
        shape = incoming.shape
        check_axes("convolution", shape, axes)
        filters = whole_number("num_filters", num_filters, 1)
        size = per_axis("filter_size", filter_size, axes, 1)
        steps = per_axis("stride", stride, axes, 1)
        (maps,) = known_sizes(shape[1:2], "feature maps of the input")
        crops = _crops(crop, size)
        formulas = [
            lengths.transposed(i, n, s, p)
            for i, n, s, p in zip(shape[2:], size, steps, crops, strict=True)
        ]
        output = tuple(formula.value for formula in formulas)
        if output_size is not None:
            formulas = []
            output = per_axis("output_size", output_size, axes, 1)
        names = "nmo"[:axes]
        values: Values = dict(zip(names, size, strict=True))
        values |= {"l": maps, "k": filters}
        text = f"{_product(names)}*l"
        tensors, formula = _weights_and_biases(
            (maps, filters, *size), text, values, output, b, untie_biases
        )
        windows = [
            Window(axis, n, s, p, transposed=True)
            for axis, (n, s, p) in enumerate(zip(size, steps, crops, strict=True), 2)
        ]
        return Derivation(
            (shape[0], filters, *output),
            tensors,
            formula,
            SizeFormula(formulas),
            # Each filter is laid over each position of the input.
            connections=_connections(text, values, shape[2:]),
            windows=slide(axes + 2, windows, new=1),
        )


def _crops(crop: object, filter_size: tuple[int, ...]) -> tuple[int, ...]:
    """What is cut from either side of each axis."""
    if crop == "valid":
        crop = 0
    if crop == "full":
        return tuple(n - 1 for n in filter_size)
    if crop == "same":
        _check_odd(filter_size)
        return tuple(n // 2 for n in filter_size)
    if isinstance(crop, str):
        raise HyperParameterError(
            f"crop={crop!r}, where a number, one for each axis, 'valid', 'full' or "
            "'same' is needed"
        )
    return per_axis("crop", crop, len(filter_size))


_register_transposed(2, "TransposedConv2DLayer", "Deconv2DLayer")
_register_transposed(3, "TransposedConv3DLayer", "Deconv3DLayer")


@rule("Conv2DCCLayer", ignores="W nonlinearity flip_filters partial_sum")
def derive_cuda_convnet(
    incoming: Incoming,
    *,
    num_filters: int,
    filter_size: object,
    stride: object = 1,
    pad: object = 0,
    untie_biases: bool = False,
    b: object = True,
    dimshuffle: bool = True,
) -> Derivation:
    """A convolution by square filters; without `dimshuffle` the batch is last."""
    shape = incoming.shape
    check_axes("convolution", shape, 2)
    batch, maps, *sizes = shape if dimshuffle else (shape[3], *shape[:3])
    filters = whole_number("num_filters", num_filters, 1)
    size = per_axis("filter_size", filter_size, 2, 1)
    steps = per_axis("stride", stride, 2, 1)
    check_square("Conv2DCCLayer", filter_size=size, stride=steps)
    (maps,) = known_sizes((maps,), "feature maps of the input")
    if filters % 16:
        raise HyperParameterError(
            f"num_filters={filters}: a Conv2DCCLayer needs a multiple of 16"
        )
    if maps > 3 and maps % 4:
        raise HyperParameterError(
            f"the input has {maps} feature maps: a Conv2DCCLayer takes 1, 2, 3 or a "
            "multiple of 4"
        )
    same = lengths.same_rounded_down if incoming.is_lasagne_0_1 else None
    length = _lengths(pad, size, same)
    formulas = [
        one(i, n, s) for one, i, n, s in zip(length, sizes, size, steps, strict=True)
    ]
    output = tuple(formula.value for formula in formulas)
    n, m = size
    values: Values = {"n": n, "m": m, "l": maps, "k": filters}
    tensors, formula = _weights_and_biases(
        (filters, maps, *size) if dimshuffle else (maps, *size, filters),
        "n*m*l",
        dict(values),
        output,
        b,
        untie_biases,
    )
    first = 2 if dimshuffle else 1
    windows = [
        Window(axis, n, s, p)
        for axis, (n, s, p) in enumerate(
            zip(size, steps, _pads(pad, size, same), strict=True), first
        )
    ]
    return Derivation(
        (batch, filters, *output) if dimshuffle else (filters, *output, batch),
        tensors,
        formula,
        SizeFormula(formulas),
        connections=_connections("n*m*l", values, output),
        windows=slide(4, windows, new=first - 1),
    )


@rule("DilatedConv2DLayer", ignores="W nonlinearity flip_filters", since="0.2")
def derive_dilated(
    incoming: Incoming,
    *,
    num_filters: int,
    filter_size: object,
    dilation: object = 1,
    pad: object = 0,
    untie_biases: bool = False,
    b: object = True,
) -> Derivation:
    """As an undilated one, the filter spread over ``(n - 1)*d + 1`` positions."""
    shape = incoming.shape
    check_axes("convolution", shape, 2)
    filters = whole_number("num_filters", num_filters, 1)
    size = per_axis("filter_size", filter_size, 2, 1)
    dilations = per_axis("dilation", dilation, 2, 1)
    if pad not in (0, "valid") and tuple(per_axis("pad", pad, 2)) != (0, 0):
        raise HyperParameterError(
            f"pad={pad!r}: a DilatedConv2DLayer pads nothing; put a PadLayer before it"
        )
    (maps,) = known_sizes(shape[1:2], "feature maps of the input")
    formulas = [
        Formula("(i - (n - 1)*d)", i=i, n=n, d=d)
        for i, n, d in zip(shape[2:], size, dilations, strict=True)
    ]
    output = tuple(formula.value for formula in formulas)
    n, m = size
    values: Values = {"n": n, "m": m, "l": maps, "k": filters}
    tensors, formula = _weights_and_biases(
        (maps, filters, *size), "n*m*l", dict(values), output, b, untie_biases
    )
    windows = [
        Window(axis, one, dilation=d)
        for axis, (one, d) in enumerate(zip(size, dilations, strict=True), 2)
    ]
    return Derivation(
        (shape[0], filters, *output),
        tensors,
        formula,
        SizeFormula(formulas),
        connections=_connections("n*m*l", values, output),
        windows=slide(4, windows, new=1),
    )


@rule(
    "LocallyConnected2DLayer",
    ignores="W nonlinearity flip_filters convolution",
    since="0.2",
)
def derive_locally_connected(
    incoming: Incoming,
    *,
    num_filters: int,
    filter_size: object,
    stride: object = 1,
    pad: object = "same",
    untie_biases: bool = False,
    b: object = True,
    channelwise: bool = False,
) -> Derivation:
    """A convolution whose every position has filters of its own."""
    shape = incoming.shape
    check_axes("convolution", shape, 2)
    filters = whole_number("num_filters", num_filters, 1)
    size = per_axis("filter_size", filter_size, 2, 1)
    if per_axis("stride", stride, 2, 1) != (1, 1):
        raise HyperParameterError(
            f"stride={stride!r}: a LocallyConnected2DLayer has stride 1 only"
        )
    if pad != "same":
        raise HyperParameterError(
            f"pad={pad!r}: a LocallyConnected2DLayer has pad='same' only"
        )
    _check_odd(size)
    maps, rows, columns = known_sizes(shape[1:], "feature maps and positions")
    if channelwise and filters != maps:
        raise HyperParameterError(
            f"channelwise=True needs as many filters as feature maps of the input, "
            f"got num_filters={filters} and {maps} feature maps"
        )
    formulas = [lengths.same(i, n) for i, n in zip((rows, columns), size, strict=True)]
    n, m = size
    values: Values = {"n": n, "m": m, "l": maps, "k": filters, "h": rows, "w": columns}
    weights = (filters,) if channelwise else (filters, maps)
    text = "n*m*h*w" if channelwise else "n*m*l*h*w"
    tensors, formula = _weights_and_biases(
        (*weights, *size, rows, columns),
        text,
        values,
        (rows, columns),
        b,
        untie_biases,
    )
    windows = [
        Window(axis, one, pad=one // 2) for axis, one in enumerate(size, start=2)
    ]
    return Derivation(
        (shape[0], filters, rows, columns),
        tensors,
        formula,
        SizeFormula(formulas),
        # Each weight serves at one position.
        connections=Formula(f"{text}*k", **values),
        windows=slide(4, windows, new=1),
    )
