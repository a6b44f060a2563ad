"""The table as comma-separated values (RFC 4180, lines end in a line feed)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from .columns import Column
from .description import format_shape
from .formula import Formula, SizeFormula
from .rows import Row, Table

_RUNS_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs a cell that starts so; an apostrophe before it makes it text."""


def render_csv(
    table: Table, columns: Sequence[Column] = (), *, parameters: bool = False
) -> str:
    """A line for each layer under a line of titles; no totals.

    Sizes are set as ``32x24x24``, with ``?`` for one that is not fixed; what is not
    known is empty. A name that a spreadsheet would run gets an apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    titles = ["index", "name", "type", "inputs", "size", "size_formula", "parameters"]
    titles += ["formula", "formula_in_symbols", "not_trainable"]
    for column in columns:
        name = column.name.replace("-", "_")
        titles += [name, f"{name}_formula"]
    writer.writerow([*titles, *["tensors"] * parameters])
    for number, row in enumerate(table):
        cells = list(_describe(row))
        for column in columns:
            cell = column.cells[number]
            cells += [_show(cell.value), str(cell.formula or "")]
        if parameters:
            cells.append("; ".join(f"{one.name} {one}" for one in row.tensors))
        writer.writerow(map(_harmless, cells))
    return out.getvalue().removesuffix("\n")


def _describe(row: Row) -> Iterator[str]:
    yield str(row.index)
    yield row.name
    yield row.type
    yield "; ".join(row.inputs)
    yield _show(row.size)
    yield _formula(row.size_formula)
    yield _show(row.parameters)
    yield _formula(row.parameter_formula)
    yield row.parameter_formula.symbolic
    yield str(row.non_trainable)


def _formula(formula: Formula | SizeFormula) -> str:
    return str(formula)


def _show(value: object) -> str:
    if value is None:
        return ""
    return format_shape(value) if isinstance(value, tuple) else str(value)


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_RUNS_AS_FORMULA) else cell
