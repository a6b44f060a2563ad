"""More columns for the table, on request: what a layer costs, and what it sees.

Each is data; the renderers set it. A cell whose number comes from a formula has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .description import format_count, format_shape, has_impossible_size
from .errors import OptionError
from .formula import Formula, SizeFormula, product
from .receptive_field import nolearn_fields, receptive_fields
from .rows import Row, Table
from .windows import Unknown

__all__ = ["COLUMNS", "DTYPES", "Cell", "Column", "choose_columns", "measure"]

DTYPES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, "int8": 1}
"""Bytes of a number."""

_NOT_FIXED = "a size is not fixed"
_F = TypeVar("_F", Formula, SizeFormula)


@dataclass(frozen=True, slots=True)
class Cell:
    """One layer's entry in a column.

    Attributes
    ----------
    value : int, float, tuple or None
        A tuple has one number for each axis; None where there is nothing to say.
    text : str
        The value as people read it: ``460'800``, ``12x12``, ``0.4 %``; ``?`` where it
        is not known.
    formula : Formula, SizeFormula or None
        Comes to `value`; None where the number is not computed from others.
    unknown_because : str
        Why it is not known; empty if it is.
    """

    value: int | float | tuple[int | None, ...] | None = None
    text: str = ""
    formula: Formula | SizeFormula | None = None
    unknown_because: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes
    ----------
    name : str
        As it is asked for.
    title : str
        As it is headed.
    unit : str
        What its numbers count, a clause.
    cells : tuple of Cell
        One for each row.
    total : Cell or None
        Their sum, where a sum means something.
    notes : tuple of str
        Sentences that belong under the table.
    """

    name: str
    title: str
    unit: str
    cells: tuple[Cell, ...]
    total: Cell | None = None
    notes: tuple[str, ...] = ()


def measure(
    table: Table,
    names: Iterable[str],
    *,
    batch: int = 1,
    dtype: str = "float32",
) -> tuple[Column, ...]:
    """The columns of these names.

    Parameters
    ----------
    names : iterable of str
        Of :data:`COLUMNS`. "field" gives a second one, with nolearn's own figures,
        where they differ.
    batch : int
        Images at a time, which the activations are counted for.
    dtype : str
        Type of each number, one of :data:`DTYPES`.

    Raises
    ------
    OptionError
        If there is no such column or type, or the batch is no number of images.

    Examples
    --------
    >>> from mnist_cnn.by_hand import NETWORKS, table
    >>> [connections] = measure(table(NETWORKS["question"]), ["connections"])
    >>> str(connections.cells[1].formula), connections.cells[1].value
    ('5*5*1*32*24*24', 460800)
    """
    if dtype not in DTYPES:
        raise OptionError(
            f"no size is known for the type {dtype!r}; known are {', '.join(DTYPES)}"
        )
    if batch < 1:
        raise OptionError(f"a batch of {batch}, where at least 1 image is needed")
    settings = _Settings(batch, DTYPES[dtype], dtype)
    return tuple(
        column
        for name in choose_columns(names)
        for column in _MEASURES[name](table, settings)
    )


def choose_columns(names: Iterable[str]) -> tuple[str, ...]:
    """Names of columns, in the order given, each once; "all" stands for all.

    Raises
    ------
    OptionError
        If there is no column of a name.
    """
    given = [name for name in names if name]
    unknown = [name for name in given if name != "all" and name not in _MEASURES]
    if unknown:
        raise OptionError(
            f"there is no column {', '.join(map(repr, unknown))}; there are "
            f"{', '.join(_MEASURES)}, and all"
        )
    chosen: dict[str, None] = {}
    for name in given:
        chosen |= dict.fromkeys(COLUMNS if name == "all" else [name])
    return tuple(chosen)


@dataclass(frozen=True, slots=True)
class _Settings:
    batch: int
    bytes_each: int
    dtype: str


def _connections(table: Table, settings: _Settings) -> list[Column]:
    cells = [_of_positions(row, row.connections) for row in table]
    unit = (
        "multiply-adds of a forward pass for one image, one for each weight and place "
        "where it serves; adding a bias is not counted"
    )
    return [_summed("connections", "connections", unit, table, cells)]


def _activations(table: Table, settings: _Settings) -> list[Column]:
    cells = [
        _of_positions(
            row,
            Unknown(row.unknown_because)
            if row.size is None
            else Formula(
                "b*q*t",
                b=settings.batch,
                q=product(row.size),
                t=settings.bytes_each,
            ),
        )
        for row in table
    ]
    images = f"{settings.batch} image{'s' if settings.batch > 1 else ''}"
    unit = f"bytes of the layer's output for {images}, {settings.dtype}"
    return [_summed("activations", "activations, bytes", unit, table, cells)]


def _parameter_bytes(table: Table, settings: _Settings) -> list[Column]:
    cells = []
    for row in table:
        if row.parameters is None:
            cells.append(_unknown(Unknown(row.unknown_because)))
            continue
        text = "(p + f)*t" if row.non_trainable else "p*t"
        numbers = {"p": row.parameters, "f": row.non_trainable}
        formula = Formula(text, **numbers, t=settings.bytes_each)
        cells.append(_count(formula if formula.value else Formula("0")))
    unit = f"bytes of the layer's parameters, trainable or not, {settings.dtype}"
    return [_summed("bytes", "parameters, bytes", unit, table, cells)]


def _field(table: Table, settings: _Settings) -> list[Column]:
    fields = receptive_fields(table)
    cells = tuple(
        _unknown(one) if isinstance(one, Unknown) else _sizes(one) for one in fields
    )
    unit = (
        "receptive field, the pixels of the image that one number depends on; it grows "
        "by (n-1)*j, n being the window's size and j the step in pixels, which each "
        "stride multiplies; pad counts as image"
    )
    true = Column("field", "field", unit, cells, notes=_reasons("field", table, cells))
    theirs = tuple(
        Cell()
        if one is None or isinstance(own, Unknown) or _spread(own) == _spread(one)
        else _sizes(one)
        for own, one in zip(fields, nolearn_fields(table), strict=True)
    )
    if not any(cell.text for cell in theirs):
        return [true]
    why = (
        'the field as nolearn 0.6.1 has it (its "coverage", in pixels), where it '
        "differs: it leaves out what a pool itself adds, and all strides but a pool's, "
        "for which it takes the pool's size; its input layer sees the whole image"
    )
    return [true, Column("nolearn-field", "nolearn's", why, theirs)]


def _share(table: Table, settings: _Settings) -> list[Column]:
    total = table.total
    cells = []
    for row in table:
        if row.parameters is None or total is None:
            reason = row.unknown_because or "the total is not known"
            cells.append(_unknown(Unknown(reason)))
        elif not total:
            cells.append(_unknown(Unknown("there are no parameters")))
        else:
            share = row.parameters / total
            text = "< 0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"
            text = text if share else "0 %"
            cells.append(Cell(share, text))
    unit = "of all learnable parameters"
    notes = _reasons("share", table, cells)
    return [Column("share", "share", unit, tuple(cells), notes=notes)]


def _lost(table: Table, settings: _Settings) -> list[Column]:
    cells = tuple(_lost_by(row) for row in table)
    unit = (
        "rows and columns at the far end of the layer's input that rounding down loses"
    )
    notes = _reasons("lost", table, cells)
    return [Column("lost", "lost", unit, cells, notes=notes)]


def _lost_by(row: Row) -> Cell:
    """Of each axis that windows slide over, what lies behind the last window."""
    if not row.size_formula or not row.input_shapes or row.output_shape is None:
        return Cell()
    if isinstance(row.windows, Unknown) or has_impossible_size(row.output_shape):
        return Cell()
    before = row.input_shapes[0]
    formulas = []
    for axis, windows in enumerate(row.windows):
        for window in windows:
            if window.is_identity or len(windows) > 1 or window.axis < 2:
                continue
            if window.transposed or before is None:
                return Cell()
            i, o = before[window.axis], row.output_shape[axis]
            n, p, s = window.size, window.pad, window.stride
            text = "i - (o - 1)*s - n" if p == 0 else "i + p - (o - 1)*s - n"
            if window.dilation > 1:
                text = "i + p - (o - 1)*s - (n - 1)*d - 1"
            formula = Formula(text, i=i, o=o, n=n, p=p, s=s, d=window.dilation)
            nothing = formula.value is not None and formula.value <= 0
            formulas.append(Formula("0") if nothing else formula)
    if not formulas:
        return Cell()
    values = tuple(formula.value for formula in formulas)
    if None in values:
        return _unknown(Unknown(_NOT_FIXED))
    text = ", ".join(map(str, values)) if any(values) else "0"
    return Cell(values, text, SizeFormula(formulas) if any(values) else None)


_MEASURES: dict[str, Callable[[Table, _Settings], list[Column]]] = {
    "connections": _connections,
    "activations": _activations,
    "bytes": _parameter_bytes,
    "field": _field,
    "share": _share,
    "lost": _lost,
}

COLUMNS = tuple(_MEASURES)
"""Names of the columns, in the order of "all"."""


def _of_positions(row: Row, formula: Formula | Unknown) -> Cell:
    """A count of what the positions of a layer's output take."""
    if isinstance(formula, Unknown):
        return _unknown(formula)
    if has_impossible_size(row.output_shape or ()):
        return _unknown(Unknown("a size is below 1"))
    return _count(formula)


def _count(formula: Formula) -> Cell:
    if formula.value is None:
        return Cell(None, "?", formula, _NOT_FIXED)
    return Cell(formula.value, format_count(formula.value), _if_computed(formula))


def _sizes(formula: SizeFormula) -> Cell:
    values = tuple(axis.value for axis in formula.axes)
    return Cell(values, format_shape(values), _if_computed(formula))


def _spread(formula: SizeFormula) -> tuple[int | None, ...]:
    return tuple(axis.value for axis in formula.axes)


def _if_computed(formula: _F) -> _F | None:
    """The formula, unless it is a number alone."""
    return None if re.fullmatch(r"[\d x]*", formula) else formula


def _unknown(unknown: Unknown) -> Cell:
    return Cell(None, "?", None, unknown.because)


def _summed(
    name: str, title: str, unit: str, table: Table, cells: Sequence[Cell]
) -> Column:
    values = [cell.value for cell in cells]
    total = Cell(None, "?", None, "not all layers' are known")
    if None not in values:
        count = sum(value for value in values if isinstance(value, int))
        total = Cell(count, format_count(count))
    notes = _reasons(title, table, cells)
    return Column(name, title, unit, tuple(cells), total, notes)


def _reasons(title: str, table: Table, cells: Sequence[Cell]) -> tuple[str, ...]:
    """Why cells are unknown, each reason once."""
    layers: dict[str, list[str]] = {}
    for row, cell in zip(table, cells, strict=True):
        if cell.unknown_because:
            layers.setdefault(cell.unknown_because, []).append(row.name)
    return tuple(
        f"{title} of {few(names)}: unknown, because {reason}"
        for reason, names in layers.items()
    )


def few(names: Sequence[str], most: int = 3) -> str:
    """Names behind one another, and how many are left out: ``a, b, c and 2 more``."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
