"""Layers with several inputs: concatenation and element-wise merges."""

from __future__ import annotations

from collections.abc import Sequence

from ..description import Shape, format_shape
from ..errors import HyperParameterError, ImpossibleSizeError
from ..formula import Formula, SizeFormula
from ..windows import Unknown, Windows, follow
from .hyperparameters import entries, whole_number
from .registry import Derivation, Incoming, rule

_CROPPINGS = ("lower", "center", "upper")


def _cropped(
    shapes: Sequence[Shape], cropping: Sequence[str | None] | None
) -> list[Shape]:
    """The shapes after cropping each axis that says so to its smallest size."""
    if cropping is None:
        return list(shapes)
    if len({len(shape) for shape in shapes}) > 1:
        raise ImpossibleSizeError(
            f"inputs of different numbers of axes cannot be cropped: {_list(shapes)}"
        )
    cropping = entries("cropping", cropping)
    wrong = [one for one in cropping if one not in (None, *_CROPPINGS)]
    if wrong:
        raise HyperParameterError(
            f"cropping={list(cropping)!r}: {wrong[0]!r} is none of None, "
            f"{', '.join(map(repr, _CROPPINGS))}"
        )
    columns = []
    for axis, sizes in enumerate(zip(*shapes, strict=True)):
        if axis < len(cropping) and cropping[axis] is not None:
            known = [size for size in sizes if size is not None]
            least = min(known) if len(known) == len(sizes) else None
            sizes = (least,) * len(sizes)
        columns.append(sizes)
    return list(zip(*columns, strict=True))


def _list(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(format_shape, shapes))


def _agreed(
    shapes: Sequence[Shape], except_axis: int | None = None
) -> list[int | None]:
    """The shape that all have but for one axis, None where nobody knows."""
    if len({len(shape) for shape in shapes}) > 1:
        raise ImpossibleSizeError(
            f"the inputs have different numbers of axes: {_list(shapes)}"
        )
    result = []
    for axis, sizes in enumerate(zip(*shapes, strict=True)):
        known = {size for size in sizes if size is not None}
        if len(known) > 1 and axis != except_axis:
            raise ImpossibleSizeError(
                f"the inputs differ in axis {axis}: {_list(shapes)}, the batch first"
            )
        result.append(next((size for size in sizes if size is not None), None))
    return result


def _seen(
    shapes: Sequence[Shape], cropped: Sequence[Shape], joined: int = 1
) -> Windows | Unknown:
    """What a position of the output sees, the inputs being joined along an axis."""
    if joined > 1:
        return Unknown("it puts its inputs side by side along an axis of space")
    if list(shapes) != list(cropped):
        return Unknown("it crops its inputs")
    return follow(range(len(shapes[0])))


@rule("ConcatLayer", newer="cropping")
def derive_concat(
    incoming: Incoming,
    *,
    axis: int = 1,
    cropping: Sequence[str | None] | None = None,
) -> Derivation:
    """The inputs behind one another: the sum of their sizes along `axis`."""
    shapes = incoming.shapes
    place = whole_number("axis", axis)
    if not shapes or not -len(shapes[0]) <= place < len(shapes[0]):
        raise HyperParameterError(
            f"axis={place}, where the inputs have the shapes {_list(shapes)}"
        )
    if cropping is not None:
        cropping = entries("cropping", cropping)
        if -len(cropping) <= place < len(cropping):
            cropping[place] = None
    cropped = _cropped(shapes, cropping)
    place %= len(shapes[0])
    # Lasagne 0.1 looks at the first input only.
    merged = list(cropped[0]) if incoming.is_lasagne_0_1 else _agreed(cropped, place)
    if any(len(shape) <= place for shape in cropped):
        raise ImpossibleSizeError(f"no axis {place} in all of {_list(cropped)}")
    sizes = [shape[place] for shape in cropped]
    names = [f"a{number}" for number in range(1, len(sizes) + 1)]
    total = Formula(" + ".join(names), **dict(zip(names, sizes, strict=True)))
    merged[place] = total.value
    return Derivation(
        tuple(merged),
        size_formula=SizeFormula([total]),
        windows=_seen(shapes, cropped, place),
    )


@rule("ElemwiseMergeLayer", ignores="merge_function", newer="cropping")
@rule("ElemwiseSumLayer", ignores="coeffs", newer="cropping")
def derive_elementwise_merge(
    incoming: Incoming, *, cropping: Sequence[str | None] | None = None
) -> Derivation:
    """The shape that all the inputs have."""
    shapes = incoming.shapes
    if incoming.is_lasagne_0_1 and len(set(shapes)) > 1:
        raise ImpossibleSizeError(
            f"the inputs differ: {_list(shapes)}, the batch first"
        )
    cropped = _cropped(shapes, cropping)
    return Derivation(tuple(_agreed(cropped)), windows=_seen(shapes, cropped))
