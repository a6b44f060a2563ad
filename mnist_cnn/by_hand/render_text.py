"""The table as text, laid out as answer 1 has it."""

from __future__ import annotations

from .description import format_shape
from .rows import Row, Table

_WIDTH = 80


def render_text(table: Table) -> str:
    """The table, an empty line, and the sum of its last column.

    Sizes and counts are right-aligned, formulas left-aligned; a size that was computed
    shows how: ``(28-(5-1))=24 -> 32x24x24``.
    """
    numbers = [str(row.index) for row in table.rows]
    names = [row.name for row in table.rows]
    sizes = [_size(row) for row in table.rows]
    parameters = _parameters(table.rows)
    columns = [
        _column("#", numbers, ">", least=3),
        _column("name", names, "<"),
        _column("size", sizes, ">"),
        # Answer 1 sets this title one place short of the column's edge.
        _column("parameters ", parameters, ">"),
    ]
    lines = [
        f"{number}  {name}  {size}    {count}".rstrip()
        for number, name, size, count in zip(*columns, strict=True)
    ]
    return "\n".join([*lines, "", *_sum_lines(table), *_footnotes(table)])


def format_count(count: int | None) -> str:
    """A count with answer 1's thousands marks: ``9'248``; ``?`` if unknown."""
    return "?" if count is None else f"{count:,}".replace(",", "'")


def _column(title: str, cells: list[str], align: str, least: int = 0) -> list[str]:
    width = max(least, *map(len, [title, *cells]))
    return [f"{text:{align}{width}}" for text in [title, "-" * width, *cells]]


def _size(row: Row) -> str:
    if row.size is None:
        return "?"
    size = format_shape(row.size)
    if not row.size_formula or row.size_formula.obvious:
        return size
    computed = format_shape(row.size_formula.values)
    result = f"{row.size_formula}={computed}"
    return result if computed == size else f"{result} -> {size}"


def _parameters(rows: tuple[Row, ...]) -> list[str]:
    formulas = [
        str(row.parameter_formula) if row.parameters != 0 else "" for row in rows
    ]
    counts = [format_count(row.parameters) for row in rows]
    formula_width = max(map(len, formulas), default=0)
    count_width = max(map(len, counts), default=0)
    return [
        f"{formula:<{formula_width}} = {count:>{count_width}}" if formula else count
        for formula, count in zip(formulas, counts, strict=True)
    ]


def _sum_lines(table: Table) -> list[str]:
    terms = [format_count(row.parameters) for row in table.rows if row.parameters != 0]
    lines = [""]
    for position, term in enumerate(terms or ["0"]):
        text = term if position == 0 else f" + {term}"
        if len(lines[-1]) + len(text) > _WIDTH:
            lines.append("   ")
        lines[-1] += text
    total = f" = {format_count(table.total)}"
    if len(lines[-1]) + len(total) > _WIDTH:
        lines.append("   ")
    lines[-1] += total
    return lines


def _footnotes(table: Table) -> list[str]:
    notes = []
    if table.non_trainable_total:
        where = ", ".join(
            f"{row.name} {format_count(row.non_trainable)}"
            for row in table.rows
            if row.non_trainable
        )
        count = format_count(table.non_trainable_total)
        notes.append(f"not trainable, beside these: {count} ({where})")
    notes += [
        f"{row.name}.{tensor.name} is {tensor.shared_with}, counted there"
        for row in table.rows
        for tensor in row.tensors
        if tensor.shared_with
    ]
    notes += [
        f"{row.name}: unknown, because {row.unknown_because}"
        for row in table.rows
        if row.unknown_because
    ]
    return notes
