"""Recognizes rectifiers, and their gradients, by what they compute.

A rectifier is ``x`` above zero and ``slope * x`` below. It has many spellings:
``0.5*(x + abs(x))``, ``maximum(x, 0)``, ``switch(x > 0, x, 0)``, and as many for
its gradient. They are told by their values at a few points.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from pytensor.graph.basic import Constant, Variable
from pytensor.tensor.elemwise import DimShuffle, Elemwise

__all__ = [
    "Rectifier",
    "elementwise_inputs",
    "recognize_rectified_gradient",
    "recognize_rectifier",
]

# Exact in binary, and so are their differences from _SHIFT.
_POINTS = (-(2.0**80), -1024.0, -3.0, -1.0, -0.375, 0.0, 0.375, 1.0, 5.0, 2.0**80)
_SHIFT = 0.5
_TOLERANCE = 1e-6


class Rectifier(NamedTuple):
    """``x`` above zero, ``slope * x`` below; ``at_zero`` is its derivative at 0."""

    slope: float
    at_zero: float = float("nan")


def elementwise_inputs(
    variable: Variable, stop: Sequence[Variable]
) -> Iterator[Variable]:
    """What an elementwise expression is computed from, constants left out.

    The expression ends at the variables of ``stop``, too.
    """
    seen, todo = set(), [variable]
    while todo:
        current = todo.pop()
        if current in seen or _constant(current) is not None:
            continue
        seen.add(current)
        inner = current not in stop and current.owner is not None
        if inner and isinstance(current.owner.op, Elemwise):
            todo.extend(current.owner.inputs)
        else:
            yield current


def _constant(variable: Variable) -> float | None:
    """The number that the variable is everywhere, if it is one."""
    while variable.owner is not None and isinstance(variable.owner.op, DimShuffle):
        variable = variable.owner.inputs[0]
    if isinstance(variable, Constant) and np.size(variable.data) == 1:
        return np.asarray(variable.data).item()
    return None


def _evaluate(variable: Variable, values: Mapping[Variable, float]) -> float:
    """An elementwise expression at a point. ``KeyError`` where it has no value."""
    known = dict(values)

    def value(current: Variable) -> float:
        if current in known:
            return known[current]
        constant = _constant(current)
        if constant is not None:
            return constant
        node = current.owner
        if node is None or not isinstance(node.op, Elemwise) or len(node.outputs) > 1:
            raise KeyError(current)
        arguments = [value(argument) for argument in node.inputs]
        known[current] = node.op.scalar_op.impl(*arguments)
        return known[current]

    with np.errstate(all="ignore"):
        return float(value(variable))


def _points(terms: Sequence[Variable]) -> Iterator[tuple[float, dict[Variable, float]]]:
    """Values of a sum, and of its one or two terms."""
    for point in _POINTS:
        for shift in (0.0, _SHIFT)[: len(terms)]:
            yield point, dict(zip(terms, (point - shift, shift), strict=False))


def _agree(one: float, other: float) -> bool:
    return abs(one - other) <= _TOLERANCE * max(abs(one), abs(other))


def recognize_rectifier(
    variable: Variable, terms: Sequence[Variable]
) -> Rectifier | None:
    """The rectifier of the sum of one or two terms that ``variable`` is, if any.

    A slope of 1 is none at all: the sum itself. One below zero, as the absolute value
    has, is no rectifier's here: gradients tell by the output's sign where the sum was
    below zero.
    """
    try:
        below = _evaluate(variable, dict(zip(terms, (-1.0, 0.0), strict=False)))
        slope = 0.0 - below
        if slope < 0:
            return None
        for point, values in _points(terms):
            expected = point if point > 0 else slope * point
            if not _agree(_evaluate(variable, values), expected):
                return None
    except (KeyError, TypeError, ValueError, NotImplementedError):
        return None
    return Rectifier(slope)


def recognize_rectified_gradient(
    variable: Variable, gradient: Variable, terms: Sequence[Variable]
) -> Rectifier | None:
    """The rectifier of the sum of ``terms`` whose gradient ``variable`` is, if any.

    ``gradient`` is that of the rectifier's output.
    """

    def at(point: float) -> float:
        values = dict(zip(terms, (point, 0.0), strict=False))
        return _evaluate(variable, {gradient: 1.0, **values})

    try:
        found = Rectifier(at(-1.0), at(0.0))
        for factor in (1.0, -2.0):
            for point, values in _points(terms):
                if point > 0:
                    derivative = 1.0
                else:
                    derivative = found.slope if point < 0 else found.at_zero
                value = _evaluate(variable, {gradient: factor, **values})
                if not _agree(value, factor * derivative):
                    return None
    except (KeyError, TypeError, ValueError, NotImplementedError):
        return None
    return found
