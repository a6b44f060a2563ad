"""The table in Markdown, as GitHub and others set it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .columns import Cell, Column
from .description import format_count, format_shape, printable
from .formula import SizeFormula
from .notes import footnotes
from .rows import Row, Table

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$])")


def render_markdown(
    table: Table, columns: Sequence[Column] = (), *, parameters: bool = False
) -> str:
    """The table with further columns to its right, tensors and notes as lists."""
    head = ["#", "name", "size", "parameters", *(_escape(one.title) for one in columns)]
    lines = [_line(head), _line(["--:", ":--", *["--:"] * (len(head) - 2)])]
    for number, row in enumerate(table):
        cells = [_show_cell(column.cells[number]) for column in columns]
        lines.append(
            _line([str(row.index), _escape(row.name), _size(row), _count(row), *cells])
        )
    totals = [_show_cell(column.total or Cell()) for column in columns]
    total = f"**{format_count(table.total)}**"
    lines.append(_line(["", "**all**", "", total, *totals]))
    if parameters:
        lines += ["", "Parameters, tensor by tensor:", "", *_tensors(table)]
    notes = footnotes(table, columns)
    if notes:
        lines += ["", "Notes:", "", *(f"- {_escape(note)}" for note in notes)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _size(row: Row) -> str:
    if row.size is None:
        return "?"
    size = format_shape(row.size)
    if not row.size_formula or row.size_formula.obvious:
        return size
    return f"{_spread(row.size_formula)} → {size}"


def _spread(formula: SizeFormula) -> str:
    parts = dict.fromkeys(
        f"`{axis}={'?' if axis.value is None else axis.value}`" for axis in formula.axes
    )
    return ", ".join(parts)


def _count(row: Row) -> str:
    count = format_count(row.parameters)
    return count if row.parameters == 0 else f"`{row.parameter_formula}` = {count}"


def _show_cell(cell: Cell) -> str:
    text = _escape(cell.text)
    if cell.formula is None:
        return text
    if isinstance(cell.formula, SizeFormula):
        return f"{_spread(cell.formula)} → {text}"
    return f"`{cell.formula}` = {text}"


def _tensors(table: Table) -> list[str]:
    lines = []
    for row in table:
        for tensor in row.tensors:
            kind = "" if tensor.trainable else ", not trainable"
            if tensor.shared_with:
                kind = f", which is {_escape(tensor.shared_with)}"
            name = f"{_escape(row.name)}.{_escape(tensor.name)}"
            lines.append(f"- {name} {tensor}{kind}")
    return lines or ["- no parameters"]


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", printable(text))
