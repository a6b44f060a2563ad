"""Layers that rearrange, pad or cut their input. Nothing is learned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from ..description import Shape, format_shape
from ..errors import HyperParameterError, ImpossibleSizeError
from ..formula import Formula, SizeFormula, product
from ..windows import Unknown, Window, Windows, follow, slide
from .hyperparameters import entries, whole_number
from .registry import Derivation, Incoming, rule


@rule("FlattenLayer")
def derive_flatten(incoming: Incoming, *, outdim: int = 2) -> Derivation:
    """The last axes become one, so that `outdim` are left: their sizes' product."""
    shape = incoming.shape
    axes = whole_number("outdim", outdim, 1)
    kept, rest = shape[: axes - 1], shape[axes - 1 :]
    length = product(rest)
    seen = _flattened(len(kept), len(shape))
    if isinstance(length, int):
        return Derivation((*kept, length), windows=seen)
    return Derivation(
        (*kept, length.value), size_formula=SizeFormula([length]), windows=seen
    )


def _flattened(kept: int, axes: int) -> Windows:
    """The first axes kept, the others made one."""
    return (*follow(range(kept)), tuple(Window(axis) for axis in range(kept, axes)))


@rule("ReshapeLayer")
def derive_reshape(incoming: Incoming, *, shape: Sequence[object]) -> Derivation:
    """The given shape: numbers, ``[i]`` for input axis `i`, -1 for the rest.

    What is neither (a symbolic size) is unknown.
    """
    before = incoming.shape
    shape = entries("shape", shape)
    wanted = [_read_size(size, before) for size in shape]
    copied = [size[0] if isinstance(size, (list, tuple)) else None for size in shape]
    seen: Windows | Unknown = Unknown("a reshape takes the input's axes apart")
    if copied == [*range(len(copied) - 1), None] and wanted[-1] == -1:
        seen = _flattened(len(copied) - 1, len(before))
    if sum(size == -1 for size in wanted) > 1:
        raise HyperParameterError(f"shape={shape!r} has several -1, one is the most")
    # An unknown size that is copied cancels out of the product, once for each axis.
    left: list[int | None] = list(before)
    right = list(wanted)
    for axis, size in enumerate(shape):
        if isinstance(size, (list, tuple)) and left[size[0]] is None:
            left[size[0]] = right[axis] = 1
    total = prod(left) if None not in left else None  # type: ignore[arg-type]
    others = [size for size in right if size != -1]
    given = prod(others) if None not in others else None  # type: ignore[arg-type]
    if -1 in wanted:
        place = wanted.index(-1)
        if total is None or given is None:
            wanted[place] = None
        elif given == 0 or total % given:
            _refuse(before, shape)
        else:
            wanted[place] = total // given
            formula = Formula("t//r" if total % given else "t/r", t=total, r=given)
            return Derivation(
                tuple(wanted), size_formula=SizeFormula([formula]), windows=seen
            )
    elif total is not None and given is not None and total != given:
        _refuse(before, shape)
    return Derivation(tuple(wanted), windows=seen)


def _read_size(size: object, before: Shape) -> int | None:
    if isinstance(size, (list, tuple)):
        if len(size) != 1:
            raise HyperParameterError(
                f"{size!r} in shape: a copied size is the number of one axis, [0]"
            )
        axis = whole_number("an axis of shape", size[0], 0)
        if axis >= len(before):
            raise HyperParameterError(
                f"[{axis}] in shape, where the input has the axes 0 to "
                f"{len(before) - 1}"
            )
        return before[axis]
    if not hasattr(size, "__index__"):
        return None
    number = whole_number("a size of shape", size, -1)
    if number == 0:
        raise HyperParameterError("0 in shape, where sizes of at least 1 are needed")
    return number


def _refuse(before: Shape, shape: Sequence[object]) -> None:
    raise ImpossibleSizeError(
        f"{format_shape(before)} cannot be reshaped to {tuple(shape)}: the numbers of "
        "elements differ"
    )


@rule("DimshuffleLayer")
def derive_dimshuffle(
    incoming: Incoming, *, pattern: Sequence[int | str]
) -> Derivation:
    """The axes in the order of `pattern`; 'x' is a new one of size 1."""
    shape = incoming.shape
    result: list[int | None] = []
    used: set[int] = set()
    for entry in entries("pattern", pattern):
        if entry == "x":
            result.append(1)
            continue
        axis = whole_number("an axis of pattern", entry)
        if not 0 <= axis < len(shape):
            raise HyperParameterError(
                f"pattern={tuple(pattern)!r} has the axis {axis}, where the input has "
                f"the axes 0 to {len(shape) - 1}"
            )
        if axis in used:
            raise HyperParameterError(
                f"pattern={tuple(pattern)!r} has the axis {axis} more than once"
            )
        used.add(axis)
        result.append(shape[axis])
    for axis, size in enumerate(shape):
        if axis not in used and size not in (1, None):
            raise ImpossibleSizeError(
                f"pattern={tuple(pattern)!r} leaves out axis {axis}, whose size is "
                f"{size}; only axes of size 1 can be left out"
            )
    return Derivation(
        tuple(result),
        windows=follow(None if entry == "x" else int(entry) for entry in pattern),
    )


@rule("PadLayer", ignores="val")
def derive_pad(incoming: Incoming, *, width: object, batch_ndim: int = 2) -> Derivation:
    """Each axis from `batch_ndim` on grows by its widths: ``i + a + b``."""
    shape = list(incoming.shape)
    first = whole_number("batch_ndim", batch_ndim, 0)
    widths = width if isinstance(width, Iterable) else [width] * (len(shape) - first)
    formulas = []
    windows = []
    for axis, one in enumerate(widths, start=first):
        if axis >= len(shape):
            raise HyperParameterError(
                f"width={width!r} has more entries than the {len(shape) - first} axes "
                f"after the first {first}"
            )
        pair = list(one) if isinstance(one, Iterable) else [one, one]
        if len(pair) != 2:
            raise HyperParameterError(
                f"{one!r} in width, where a number or a pair (before, after) is needed"
            )
        before, after = (whole_number("a number of width", number) for number in pair)
        formula = Formula("i + a + b", i=shape[axis], a=before, b=after)
        formulas.append(formula)
        windows.append(Window(axis, pad=before))
        shape[axis] = formula.value
    return Derivation(
        tuple(shape),
        size_formula=SizeFormula(formulas),
        windows=slide(len(shape), windows),
    )


@rule("SliceLayer", attributes={"indices": "slice"})
def derive_slice(
    incoming: Incoming, *, indices: int | slice, axis: int = -1
) -> Derivation:
    """A part of one axis; a single index removes the axis."""
    shape = list(incoming.shape)
    place = whole_number("axis", axis)
    if not -len(shape) <= place < len(shape):
        raise HyperParameterError(
            f"axis={place}, where the input has the axes 0 to {len(shape) - 1}"
        )
    size = shape[place]
    place %= len(shape)
    axes = list(range(len(shape)))
    seen: Windows | Unknown = Unknown("it picks positions of an axis of space")
    if not isinstance(indices, slice):
        whole_number("indices", indices)
        del shape[place], axes[place]
        if place < 2:
            seen = follow(axes)
    elif size is not None:
        try:
            start, stop, step = indices.indices(size)
        except (TypeError, ValueError) as error:
            raise HyperParameterError(f"indices={indices!r}: {error}") from None
        shape[place] = len(range(start, stop, step))
        if step > 0:
            seen = slide(len(shape), [Window(place, stride=step, pad=-start)])
    return Derivation(tuple(shape), windows=seen)


def _register_shuffle(type_: str, order: tuple[int, ...]) -> None:
    @rule(type_)
    def derive(incoming: Incoming) -> Derivation:
        shape = incoming.shape
        if len(shape) != 4:
            raise HyperParameterError(
                f"four axes are needed, got the shape {format_shape(shape)}"
            )
        return Derivation(tuple(shape[axis] for axis in order), windows=follow(order))


_register_shuffle("ShuffleBC01ToC01BLayer", (1, 2, 3, 0))
_register_shuffle("ShuffleC01BToBC01Layer", (3, 0, 1, 2))
