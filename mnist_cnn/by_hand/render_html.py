"""The table as HTML: a page that needs no other file, or a part for a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from .columns import Cell, Column
from .description import format_count, format_shape, has_impossible_size, printable
from .formula import Formula, SizeFormula
from .notes import footnotes
from .render_svg import render_svg
from .rows import Row, Table

_TABLE_STYLE = """\
.by-hand table { border-collapse: collapse; font-variant-numeric: tabular-nums;
  color: inherit }
.by-hand th, .by-hand td { padding: .35em .7em; text-align: right; vertical-align: top;
  border: 0 solid #8884; border-bottom-width: 1px; background: none }
.by-hand th { font-weight: 600 }
.by-hand th.name, .by-hand td.name { text-align: left }
.by-hand td.name { font-weight: 600; max-width: 20rem; overflow-wrap: break-word }
.by-hand .type { display: block; font-weight: 400; font-size: .85em; opacity: .7 }
.by-hand code { font-family: ui-monospace, Consolas, "DejaVu Sans Mono", monospace;
  font-size: .92em; background: none; padding: 0; color: inherit }
.by-hand td code { white-space: nowrap }
.by-hand .symbols { display: block; opacity: .7; font-size: .85em }
.by-hand .result { white-space: nowrap }
.by-hand tfoot td { font-weight: 600; border-bottom: 0 }
.by-hand .impossible { color: #d03838 }
.by-hand ul { padding-left: 1.2em }
.by-hand li { margin: .25em 0; overflow-wrap: anywhere }
.by-hand details { margin: .6em 0 }
.by-hand summary { cursor: pointer }
"""

_PAGE_STYLE = """\
:root { color-scheme: light dark; --ink: #1b2430; --page: #f6f7f9; --card: #ffffff;
  --edge: #ccd3dc }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7ebf0; --page: #131920; --card: #1d2530; --edge: #3a4554 }
  .by-hand .impossible { color: #ff8f8f }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.45;
  font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif }
main { max-width: 78rem; margin: 0 auto; padding: 1.2rem }
h1 { font-size: 1.4rem; margin: .2rem 0 1rem }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem }
main > .by-hand { display: flex; flex-wrap: wrap; gap: 1.2rem; align-items: flex-start }
.by-hand figure { margin: 0; flex: 0 1 auto; max-width: 100%; overflow-x: auto }
.by-hand figure svg { display: block; max-width: 100%; height: auto }
.by-hand .numbers { flex: 1 1 auto; min-width: min(100%, 30rem); max-width: 100% }
.by-hand .numbers > ul, .by-hand .numbers > details { width: 0; min-width: 100% }
.by-hand .scroll { overflow-x: auto; background: var(--card); border-radius: 8px;
  border: 1px solid var(--edge) }
.by-hand table { width: 100% }
.by-hand tbody tr:last-child td { border-bottom-width: 2px }
@media (max-width: 40rem) {
  main { padding: .7rem }
  .by-hand thead { display: none }
  .by-hand table, .by-hand tbody, .by-hand tfoot, .by-hand tr, .by-hand td {
    display: block; width: 100% }
  .by-hand tr { padding: .5rem .7rem; border-bottom: 1px solid var(--edge) }
  .by-hand td { border: 0; padding: .15rem 0; display: flex; gap: 1rem;
    justify-content: space-between }
  .by-hand td:empty { display: none }
  .by-hand td::before { content: attr(data-title); opacity: .7; font-weight: 400;
    flex: 0 0 auto; text-align: left }
  .by-hand td:first-child { display: none }
  .by-hand td.name { font-size: 1.05rem; justify-content: flex-start; gap: 0 .6rem;
    flex-wrap: wrap; align-items: baseline; max-width: 100%; overflow-wrap: anywhere }
  .by-hand td.name::before { content: none }
  .by-hand td > span, .by-hand td code { overflow-wrap: anywhere;
    white-space: normal }
  .by-hand tbody tr:last-child td { border-bottom-width: 0 }
}
"""

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" \
content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<div class="by-hand">
<figure>
{picture}
</figure>
<div class="numbers">
{numbers}
</div>
</div>
</main>
</body>
</html>"""


def render_html(
    table: Table, columns: Sequence[Column] = (), *, parameters: bool = False
) -> str:
    """One page with the picture, the table, tensors and notes; it runs no script.

    It is light or dark as its reader's system is, and on a narrow screen each layer is
    a block of its own.
    """
    total = format_count(table.total)
    return _PAGE.format(
        title=f"{total} learnable parameters in {len(table)} layers",
        style=_PAGE_STYLE_WHOLE,
        picture=render_svg(table, heading=False),
        numbers="\n".join(_numbers(table, columns, parameters)),
    )


def render_html_part(
    table: Table, columns: Sequence[Column] = (), *, parameters: bool = False
) -> str:
    """The table, tensors and notes alone, to be put into a page or a notebook."""
    numbers = "\n".join(_numbers(table, columns, parameters))
    return (
        f"<style>\n{_TABLE_STYLE}</style>\n"
        f'<div class="by-hand"><div class="numbers">\n{numbers}\n</div></div>'
    )


_PAGE_STYLE_WHOLE = f"{_TABLE_STYLE}{_PAGE_STYLE}"


def _numbers(
    table: Table, columns: Sequence[Column], parameters: bool
) -> Iterator[str]:
    titles = ["size", "parameters", *(column.title for column in columns)]
    yield '<div class="scroll" tabindex="0" role="region" aria-label="The table">'
    yield "<table>"
    yield (
        '<thead><tr><th>#</th><th class="name">name</th>'
        + "".join(f"<th>{_text(title)}</th>" for title in titles)
        + "</tr></thead>"
    )
    yield "<tbody>"
    for row in table:
        yield _line(row, [column.cells[row.index] for column in columns], titles)
    yield "</tbody>"
    totals = [(column.total or Cell()).text for column in columns]
    cells = zip(titles, ["", format_count(table.total), *totals], strict=True)
    yield (
        '<tfoot><tr><td></td><td class="name">all</td>'
        + "".join(_cell(title, _text(text)) for title, text in cells)
        + "</tr></tfoot>"
    )
    yield "</table>"
    yield "</div>"
    if parameters:
        yield from _tensors(table)
    notes = footnotes(table, columns)
    if notes:
        yield "<h2>Notes</h2>"
        yield "<ul>"
        yield from (f"<li>{_text(note)}</li>" for note in notes)
        yield "</ul>"


def _line(row: Row, cells: Sequence[Cell], titles: Sequence[str]) -> str:
    contents = [_size(row), _count(row), *map(_show_cell, cells)]
    shown = "".join(
        _cell(title, content) for title, content in zip(titles, contents, strict=True)
    )
    return (
        f'<tr><td data-title="#">{row.index}</td>'
        f'<td class="name">{_text(row.name)}<span class="type">{_text(row.type)}</span>'
        f"</td>{shown}</tr>"
    )


def _cell(title: str, content: str) -> str:
    # An empty cell is left out of a block; it may hold nothing at all for that.
    inside = f"<span>{content}</span>" if content else ""
    return f'<td data-title="{escape(title)}">{inside}</td>'


def _size(row: Row) -> str:
    if row.size is None:
        return "?"
    size = _text(format_shape(row.size))
    if has_impossible_size(row.size):
        size = f'<strong class="impossible">{size}</strong>'
    if not row.size_formula or row.size_formula.obvious:
        return size
    return f'{_spread(row.size_formula)} → <span class="result">{size}</span>'


def _spread(formula: SizeFormula) -> str:
    parts = dict.fromkeys(
        f"<code>{_text(axis)} = {'?' if axis.value is None else axis.value}</code>"
        for axis in formula.axes
    )
    return ", ".join(parts)


def _count(row: Row) -> str:
    count = format_count(row.parameters)
    if row.parameters == 0:
        return count
    return _equation(row.parameter_formula, count)


def _equation(formula: Formula, result: str) -> str:
    symbols = ""
    if formula.symbolic.replace(" ", "") != str(formula):
        symbols = f'<code class="symbols">{_text(formula.symbolic)}</code>'
    return (
        f"<code>{_text(formula)}</code> "
        f'<span class="result">= {_text(result)}</span>{symbols}'
    )


def _show_cell(cell: Cell) -> str:
    if isinstance(cell.formula, SizeFormula):
        return (
            f'{_spread(cell.formula)} → <span class="result">{_text(cell.text)}</span>'
        )
    if cell.formula is not None:
        return _equation(cell.formula, cell.text)
    return _text(cell.text)


def _tensors(table: Table) -> Iterator[str]:
    yield "<h2>Parameters, tensor by tensor</h2>"
    for row in table:
        if not row.tensors:
            continue
        yield f"<details open><summary>{_text(row.name)}</summary><ul>"
        for tensor in row.tensors:
            kind = "" if tensor.trainable else ", not trainable"
            if tensor.shared_with:
                kind = f", which is {tensor.shared_with}"
            shown = f"<code>{_text(f'{tensor.name} {tensor}')}</code>"
            yield f"<li>{shown}{_text(kind)}</li>"
        yield "</ul></details>"


def _text(text: str) -> str:
    return escape(printable(text), quote=False)
