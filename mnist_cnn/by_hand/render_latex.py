r"""The table as a LaTeX document that needs nothing but LaTeX's own packages.

Every formula is shown in symbols and with the numbers put in. Only ASCII is written,
so that any engine sets it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from .columns import Cell, Column
from .description import format_count, printable
from .formula import Formula, SizeFormula
from .notes import footnotes
from .rows import Row, Table

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\ttfamily\char34}",
    "-": r"{-}",
    "`": r"\`{}",
    "'": r"{'}",
}
_LONG = 16
_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u ",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r ",
    "\u030b": "H ",
    "\u030c": "v ",
    "\u0327": "c ",
}

_HEAD = r"""\documentclass[landscape]{article}
\usepackage{array,longtable}
% The page as wide as the paper is, without a package.
\ifdefined\pdfpagewidth
  \pdfpagewidth=\paperwidth \pdfpageheight=\paperheight
\fi
\setlength{\hoffset}{-1in} \setlength{\voffset}{-1in}
\setlength{\oddsidemargin}{15mm} \setlength{\topmargin}{15mm}
\setlength{\headheight}{0pt} \setlength{\headsep}{0pt}
\setlength{\textwidth}{\dimexpr\paperwidth-30mm\relax}
\setlength{\textheight}{\dimexpr\paperheight-35mm\relax}
\setlength{\parindent}{0pt} \setlength{\parskip}{1ex}
\setlength{\LTleft}{0pt} \setlength{\LTright}{0pt plus 1fill}
\renewcommand{\arraystretch}{1.3}
\renewcommand{\labelitemi}{--}
% Columns of fixed width: one run of LaTeX suffices.
\newcolumntype{F}[1]{>{\raggedright\arraybackslash}p{#1\textwidth}}
\newcolumntype{G}[1]{>{\raggedleft\arraybackslash}p{#1\textwidth}}
\sloppy
\begin{document}"""


def render_latex(
    table: Table, columns: Sequence[Column] = (), *, parameters: bool = False
) -> str:
    """A document with the table, one for each further column, tensors and notes."""
    parts = [_HEAD, _main_table(table), *(_column(table, one) for one in columns)]
    if parameters:
        parts.append(_tensors(table))
    notes = footnotes(table, columns)
    if notes:
        items = "\n".join(rf"  \item {_escape(note)}" for note in notes)
        parts.append(f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}")
    return "\n\n".join([*parts, r"\end{document}"])


def _main_table(table: Table) -> str:
    lines = [
        " & ".join(
            [
                str(row.index),
                _name(row),
                _size(row),
                *_count(row),
            ]
        )
        for row in table
    ]
    total = format_count(table.total)
    title = [r"\#", "name", "size", "parameters", "with numbers", ""]
    return _long_table(
        r"G{0.03} F{0.12} F{0.27} F{0.17} F{0.2} G{0.1}",
        title,
        lines,
        rf"& all & & & & {total}",
    )


def _size(row: Row) -> str:
    if row.size is None:
        return "?"
    size = _times(row.size)
    if not row.size_formula or row.size_formula.obvious:
        return f"${size}$"
    return rf"{_spread(row.size_formula)} $\to {size}$"


def _times(sizes: Sequence[int | None]) -> str:
    return r" \times ".join("?" if size is None else str(size) for size in sizes)


def _spread(formula: SizeFormula) -> str:
    parts = dict.fromkeys(
        _math(f"{axis.latex} = {'?' if axis.value is None else axis.value}")
        for axis in formula.axes
    )
    return ", ".join(parts)


def _count(row: Row) -> list[str]:
    formula, count = row.parameter_formula, format_count(row.parameters)
    if row.parameters == 0:
        return ["", "", count]
    return [*_in_symbols_and_numbers(formula), count]


def _in_symbols_and_numbers(formula: Formula) -> list[str]:
    symbols, numbers = formula.symbolic_latex, formula.latex
    return ["" if symbols == numbers else _math(symbols), _math(numbers)]


def _math(formula: str) -> str:
    if r"\frac" not in formula:
        return f"${formula}$"
    # The rule without width keeps the rows apart.
    return rf"$\displaystyle {formula}$\rule[-2.4ex]{{0pt}}{{5.8ex}}"


def _column(table: Table, column: Column) -> str:
    cells = [[_show_cell(cell), _escape(cell.text)] for cell in column.cells]
    total = ["", _escape(column.total.text)] if column.total else []
    title, widths = [_escape(column.title), ""], "F{0.5} G{0.15}"
    if not any(formula for formula, _ in cells):
        cells = [cell[1:] for cell in cells]
        total, title, widths = total[1:], title[:1], "G{0.2}"
    lines = [
        " & ".join([str(row.index), _name(row), *cell])
        for row, cell in zip(table, cells, strict=True)
    ]
    return _long_table(
        f"G{{0.03}} F{{0.12}} {widths}",
        [r"\#", "name", *title],
        lines,
        " & ".join(["", "all", *total]) if total else "",
    )


def _show_cell(cell: Cell) -> str:
    if isinstance(cell.formula, SizeFormula):
        return _spread(cell.formula)
    return "" if cell.formula is None else _math(cell.formula.latex)


def _tensors(table: Table) -> str:
    lines = [
        " & ".join(
            [
                _name(row),
                _escape(tensor.name),
                f"${_times(tensor.shape) or '1'}$",
                format_count(tensor.count),
                _escape(
                    f"is {tensor.shared_with}"
                    if tensor.shared_with
                    else ("" if tensor.trainable else "not trainable")
                ),
            ]
        )
        for row in table
        for tensor in row.tensors
    ]
    title = ["layer", "tensor", "shape", "numbers", ""]
    return _long_table("F{0.12} F{0.2} F{0.25} G{0.1} F{0.2}", title, lines)


def _long_table(
    columns: str, title: Sequence[str], lines: Sequence[str], total: str = ""
) -> str:
    last = [r"\hline", rf"{total} \\"] if total else []
    return "\n".join(
        [
            rf"\begin{{longtable}}{{{columns}}}",
            rf"{' & '.join(title)} \\ \hline",
            r"\endhead",
            *(rf"{line} \\" for line in lines),
            *last,
            r"\end{longtable}",
        ]
    )


def _name(row: Row) -> str:
    """A layer's name; a long one may be broken anywhere."""
    between = r"\allowbreak{}" if len(row.name) > _LONG else ""
    return between.join(_characters(row.name))


def _escape(text: str) -> str:
    """A text that LaTeX sets as it is; what it has no letter for, by its number."""
    return "".join(_characters(text))


def _characters(text: str) -> list[str]:
    pieces: list[str] = []
    for one in unicodedata.normalize("NFC", printable(text)):
        base, *accents = list(unicodedata.normalize("NFD", one))
        if one in _SPECIAL:
            pieces.append(_SPECIAL[one])
        elif one.isascii():
            pieces.append(one)
        elif base.isascii() and len(accents) == 1 and accents[0] in _ACCENTS:
            base = {"i": r"\i ", "j": r"\j "}.get(base, base)
            pieces.append(rf"\{_ACCENTS[accents[0]]}{{{base}}}")
        else:
            pieces.append(f"U+{ord(one):04X}")
    return pieces
