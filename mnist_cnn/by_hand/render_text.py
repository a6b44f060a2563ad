"""The table as text, laid out as answer 1 has it, in at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .columns import Cell, Column
from .description import format_count, format_shape, printable
from .formula import SizeFormula
from .notes import footnotes
from .rows import Row, Table

_WIDTH = 80
_SHORTEST_NAME = 12
_MORE = "other forms of output have them"


def render_text(
    table: Table,
    columns: Sequence[Column] = (),
    *,
    parameters: bool = False,
    width: int | None = _WIDTH,
) -> str:
    """The table, the sum of its last column, what was asked for beside, and notes.

    Sizes and counts are right-aligned, formulas left-aligned; a size that was computed
    shows how: ``(28-(5-1))=24 -> 32x24x24``.

    Parameters
    ----------
    columns : sequence of Column
        From :func:`~mnist_cnn.by_hand.columns.measure`; set below, as many beside one
        another as fit.
    parameters : bool
        Whether to show each layer's tensors.
    width : int or None
        No line is wider: names are cut and formulas left out, which is said. None for
        no limit.
    """
    omitted: list[str] = []
    parts = [_main_table(table, width, omitted), _sum_lines(table, width)]
    parts += _blocks(table, columns, width, omitted)
    if parameters:
        parts.append(_tensors(table, width))
    notes = [
        line
        for note in footnotes(table, columns)
        for line in _fold(printable(note), width)
    ]
    if omitted:
        what = ", ".join(dict.fromkeys(omitted))
        notes += _fold(f"left out to fit {width} columns: {what}; {_MORE}", width)
    # As answer 1 has it, notes follow the sum at once where nothing stands between.
    if len(parts) == 2:
        parts[1] += notes
    elif notes:
        parts.append(notes)
    return "\n\n".join("\n".join(part) for part in parts)


def _main_table(table: Table, width: int | None, omitted: list[str]) -> list[str]:
    """With all formulas and names, else with shorter names, else without formulas."""
    longest = max((len(printable(row.name)) for row in table), default=0)
    lines: list[str] = []
    for with_sizes, with_parameters, without in (
        (True, True, []),
        (False, True, ["formulas of sizes"]),
        (False, False, ["formulas of sizes", "formulas of parameters"]),
    ):
        lines = _set_main(table, with_sizes, with_parameters)
        over = _width(lines) - width if width is not None else 0
        if over > 0:
            left = max(_SHORTEST_NAME, longest - over)
            lines = _set_main(table, with_sizes, with_parameters, left)
        if width is None or _width(lines) <= width:
            omitted += ["ends of names", *without] if over > 0 else without
            return lines
    omitted.append("ends of lines")
    return [line[:width] for line in lines]


def _set_main(
    table: Table, with_sizes: bool, with_parameters: bool, longest: int | None = None
) -> list[str]:
    rows = table.rows
    names = [_short(printable(row.name), longest) for row in rows]
    formulas = [
        str(row.parameter_formula) if row.parameters != 0 and with_parameters else ""
        for row in rows
    ]
    counts = [format_count(row.parameters) for row in rows]
    columns = [
        _column("#", [str(row.index) for row in rows], ">", least=3),
        _column("name", names, "<"),
        _column("size", [_size(row, with_sizes) for row in rows], ">"),
        # Answer 1 sets this title one place short of the column's edge.
        _column("parameters ", _equations(formulas, counts), ">"),
    ]
    return [
        f"{number}  {name}  {size}    {count}".rstrip()
        for number, name, size, count in zip(*columns, strict=True)
    ]


def _size(row: Row, with_formula: bool) -> str:
    if row.size is None:
        return "?"
    size = format_shape(row.size)
    if not with_formula or not row.size_formula or row.size_formula.obvious:
        return size
    computed = format_shape(row.size_formula.values)
    result = f"{row.size_formula}={computed}"
    return result if computed == size else f"{result} -> {size}"


def _sum_lines(table: Table, width: int | None) -> list[str]:
    terms = [format_count(row.parameters) for row in table.rows if row.parameters != 0]
    lines = [""]
    texts = [f" + {term}" for term in terms or ["0"]]
    texts[0] = texts[0].removeprefix(" + ")
    for text in [*texts, f" = {format_count(table.total)}"]:
        if len(lines[-1]) + len(text) > (width or _WIDTH):
            lines.append("   ")
        lines[-1] += text
    return lines


# More columns, below


def _blocks(
    table: Table, columns: Sequence[Column], width: int | None, omitted: list[str]
) -> list[list[str]]:
    """Tables of further columns, as many beside one another as fit."""
    numbers = [str(row.index) for row in table]
    names = [_short(printable(row.name), 24) for row in table]
    start = [
        _column("#", [*numbers, ""], ">", least=3),
        _column("name", [*names, "all"], "<"),
    ]
    blocks: list[list[list[str]]] = []
    with_total: list[bool] = []
    for column in columns:
        wide = _set_column(column, True)
        if width is not None and _row_width([*start, wide]) > width:
            omitted.append(f"formulas of {column.title}")
            wide = _set_column(column, False)
        if blocks and (width is None or _row_width([*blocks[-1], wide]) <= width):
            blocks[-1].append(wide)
            with_total[-1] |= column.total is not None
        else:
            blocks.append([*start, wide])
            with_total.append(column.total is not None)
    return [
        ["  ".join(cells).rstrip()[:width] for cells in zip(*block, strict=True)][
            : None if total else -1
        ]
        for block, total in zip(blocks, with_total, strict=True)
    ]


def _set_column(column: Column, with_formulas: bool) -> list[str]:
    cells = [*column.cells, column.total or Cell()]
    if not with_formulas:
        texts = [cell.text for cell in cells]
    elif any(isinstance(cell.value, tuple) for cell in cells):
        texts = [_spread(cell) for cell in cells]
    else:
        formulas = [str(cell.formula or "") for cell in cells]
        texts = _equations(formulas, [cell.text for cell in cells])
    return _column(column.title, texts, ">")


def _spread(cell: Cell) -> str:
    """A cell with a number for each axis, as sizes are set."""
    if not cell.formula:
        return cell.text
    assert isinstance(cell.formula, SizeFormula)
    if ", " in cell.text or cell.text.isdigit():
        return f"{', '.join(dict.fromkeys(cell.formula.axes))} = {cell.text}"
    return f"{cell.formula}={format_shape(cell.formula.values)} -> {cell.text}"


def _tensors(table: Table, width: int | None) -> list[str]:
    """Each layer's tensors, one a line, trainable and not trainable apart."""
    lines: list[str] = []
    for title, chosen in (("learned", True), ("not trainable", False)):
        rows = [
            (row.name if number == 0 else "", tensor)
            for row in table
            for number, tensor in enumerate(
                one for one in row.tensors if one.trainable is chosen
            )
        ]
        if not rows:
            continue
        texts = [
            f"{tensor.name} {tensor}"
            + (f", which is {tensor.shared_with}" if tensor.shared_with else "")
            for _, tensor in rows
        ]
        names = [_short(printable(name), 24) for name, _ in rows]
        columns = [_column("name", names, "<"), _column(title, texts, "<")]
        lines += [""] if lines else []
        lines += ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]
    return [line[:width] for line in lines] or ["no parameters"]


# Setting


def _equations(formulas: Sequence[str], counts: Sequence[str]) -> list[str]:
    """Formulas one below the other, and what they come to one below the other."""
    formula_width = max(map(len, formulas), default=0)
    count_width = max(map(len, counts), default=0)
    return [
        f"{formula:<{formula_width}} = {count:>{count_width}}" if formula else count
        for formula, count in zip(formulas, counts, strict=True)
    ]


def _column(title: str, cells: list[str], align: str, least: int = 0) -> list[str]:
    width = max(least, *map(len, [title, *cells]))
    return [f"{text:{align}{width}}" for text in [title, "-" * width, *cells]]


def _row_width(columns: Iterable[Sequence[str]]) -> int:
    return sum(len(column[0]) + 2 for column in columns) - 2


def _width(lines: Iterable[str]) -> int:
    return max(map(len, lines), default=0)


def _short(text: str, longest: int | None) -> str:
    if longest is None or len(text) <= longest:
        return text
    return f"{text[: longest - 3]}..."


def _fold(text: str, width: int | None) -> list[str]:
    """A note over several lines, broken between words, the further ones indented."""
    if width is None or len(text) <= width:
        return [text]
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(f"  {word}")
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    # A single word may be wider than the line.
    return [
        line[start : start + width]
        for line in lines
        for start in range(0, len(line) or 1, width)
    ]
