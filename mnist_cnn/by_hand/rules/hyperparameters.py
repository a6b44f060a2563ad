"""Reading hyper-parameters: whole numbers, one or one for each axis."""

from __future__ import annotations

from collections.abc import Iterable
from operator import index
from typing import Any

from ..description import Shape, format_shape
from ..errors import HyperParameterError, ImpossibleSizeError

LARGEST = 2**63 - 1
"""The largest size that an array can have: it is counted in 64 bits."""


def unbounded_number(name: str, value: object) -> int:
    """`value` as an int; NumPy's integers serve, floats and strings do not.

    Raises
    ------
    HyperParameterError
        If it is no whole number.
    """
    try:
        return index(value)  # type: ignore[arg-type]
    except TypeError:
        raise HyperParameterError(
            f"{name}={value!r}, where a whole number is needed"
        ) from None


def whole_number(name: str, value: object, least: int | None = None) -> int:
    """`value` as an int that the size of an array can be.

    Raises
    ------
    HyperParameterError
        If it is no whole number, less than `least`, or beyond `LARGEST`.
    """
    number = unbounded_number(name, value)
    if abs(number) > LARGEST:
        raise HyperParameterError(
            f"{name} is beyond {LARGEST}, the largest size that an array can have"
        )
    if least is not None and number < least:
        raise HyperParameterError(
            f"{name}={number}, where a number of at least {least} is needed"
        )
    return number


def per_axis(
    name: str, value: object, axes: int, least: int | None = None
) -> tuple[int, ...]:
    """One number for each axis: ``5`` stands for ``(5, 5)`` on two axes.

    Raises
    ------
    HyperParameterError
        If there are more or fewer than `axes` numbers, or one is unfit.
    """
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return (whole_number(name, value, least),) * axes
    numbers = tuple(whole_number(name, number, least) for number in value)
    if len(numbers) != axes:
        raise HyperParameterError(
            f"{name}={value!r} has {len(numbers)} numbers, where {axes} are needed "
            "(or one for all axes)"
        )
    return numbers


def entries(name: str, value: object) -> list[Any]:
    """The entries of a list.

    Raises
    ------
    HyperParameterError
        If it is none: a number, a text.
    """
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise HyperParameterError(f"{name}={value!r}, where a list is needed")
    return list(value)


def check_axes(layer: str, shape: Shape, axes: int) -> None:
    """Refuse a shape without batch, feature maps and so many axes of space."""
    if len(shape) != axes + 2:
        raise HyperParameterError(
            f"a {layer} over {axes} axes takes (batch, feature maps, "
            f"{', '.join(['size'] * axes)}), got the shape {format_shape(shape)}"
        )


def check_square(layer: str, **sizes: tuple[int, ...]) -> None:
    """Refuse numbers that are not the same for both axes."""
    for name, numbers in sizes.items():
        if len(set(numbers)) > 1:
            raise HyperParameterError(
                f"{name}={numbers}: a {layer} has the same on both axes only"
            )


def known_sizes(sizes: Iterable[int | None], what: str) -> tuple[int, ...]:
    """`sizes`, all of which must be fixed, for parameters depend on them.

    Raises
    ------
    HyperParameterError
        If one is None.
    ImpossibleSizeError
        If one is below 1.
    """
    known = tuple(sizes)
    if None in known:
        raise HyperParameterError(
            f"the number of {what} is not fixed ({format_shape(known)}), but the "
            "number of parameters depends on it: give every size but the batch's"
        )
    fixed = tuple(size for size in known if size is not None)
    if min(fixed, default=1) < 1:
        raise ImpossibleSizeError(
            f"the number of {what} is {format_shape(fixed)}, where every size must be "
            "at least 1"
        )
    return fixed


def unshared_sizes(
    shape: Shape, name: str, axes: object, everywhere: bool = False
) -> tuple[int, ...]:
    """Sizes of the axes along which a layer's numbers differ.

    Parameters
    ----------
    name : str
        The keyword that `axes` was given as: the axes along which they are the same.
        'auto' stands for the batch and all axes of space.
    everywhere : bool
        Whether 'all' is allowed, too.
    """
    count = len(shape)
    if axes == "auto":
        shared = {0, *range(2, count)}
    elif axes == "all" and everywhere:
        shared = set(range(count))
    elif isinstance(axes, str):
        raise HyperParameterError(
            f"{name}={axes!r}, where 'auto' or the numbers of axes are needed"
        )
    else:
        given = axes if isinstance(axes, Iterable) else (axes,)
        # A negative axis is compared with positions from 0 on, so it shares nothing.
        shared = {whole_number(f"an axis of {name}", axis) for axis in given}
    return known_sizes(
        (size for axis, size in enumerate(shape) if axis not in shared),
        f"positions that {name}={axes!r} leaves apart",
    )
