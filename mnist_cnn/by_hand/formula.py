"""A formula that is shown and computed from the same text.

It knows integers, the symbols given to it, ``+ - * / //`` and brackets, and nothing
else: no function calls, no attribute access, no floating point.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from .errors import FormulaError

__all__ = ["Formula", "SizeFormula", "product", "sum_of_products"]

_SYMBOL = re.compile(r"[A-Za-z_]\w*")
_PRECEDENCE = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2, ast.FloorDiv: 2}


class Formula(str):
    """A formula: as a string, its text with the numbers put in.

    Parameters
    ----------
    text : str
        The formula in symbols, ``"(n*m*l + 1)*k"``.
    **values : int, None or Formula
        A number for each symbol; None for an unknown number; a formula to show a
        number by what it is made of.

    Attributes
    ----------
    symbolic : str
        The text as given.
    value : int or None
        What it comes to; None if a symbol is unknown. ``/`` is division that comes
        out even, ``//`` division rounded down.

    Raises
    ------
    FormulaError
        If the text is no such formula, a symbol has no value, or ``/`` leaves a
        remainder.

    Examples
    --------
    >>> weights = Formula("(n*m*l + 1)*k", n=5, m=5, l=1, k=32)
    >>> str(weights), weights.value
    ('(5*5*1+1)*32', 832)
    """

    symbolic: str
    values: Mapping[str, int | Formula | None]
    value: int | None

    def __new__(cls, text: str, /, **values: int | Formula | None) -> Formula:
        tree = _parse(text)
        self = super().__new__(cls, _substitute(text, values))
        self.symbolic = text
        self.values = values
        self.value = _evaluate(tree, values, text)
        return self

    def __getnewargs_ex__(
        self,
    ) -> tuple[tuple[str], dict[str, int | Formula | None]]:
        return (self.symbolic,), dict(self.values)

    @property
    def symbolic_latex(self) -> str:
        """LaTeX of the formula in symbols."""
        return _latex(_parse(self.symbolic), None)[0]

    @property
    def latex(self) -> str:
        """LaTeX of the formula with the numbers put in."""
        return _latex(_parse(self.symbolic), self.values)[0]


class SizeFormula(str):
    """How a layer's output size arises: one formula for each axis it changes.

    As a string, the one formula where all axes agree in it, else all of them:
    ``(28-(5-1))`` or ``(28-(5-1)) x (30-(3-1))``. Empty where nothing is computed.

    Attributes
    ----------
    axes : tuple of Formula
        One formula for each axis that is computed, in order.
    obvious : bool
        Whether a table may leave it out, as answer 1 does for pools that divide
        their input without remainder or overlap.
    """

    axes: tuple[Formula, ...]
    obvious: bool

    def __new__(
        cls, axes: Iterable[Formula] = (), *, obvious: bool = False
    ) -> SizeFormula:
        axes = tuple(axes)
        self = super().__new__(cls, " x ".join(_shown_once(axes)))
        self.axes = axes
        self.obvious = obvious
        return self

    def __getnewargs_ex__(
        self,
    ) -> tuple[tuple[tuple[Formula, ...]], dict[str, bool]]:
        return (self.axes,), {"obvious": self.obvious}

    @property
    def values(self) -> tuple[int | None, ...]:
        """The number for each formula shown: one if all axes agree in theirs."""
        return tuple(axis.value for axis in _shown_once(self.axes))


def product(factors: Iterable[int | None], symbols: str = "chwd") -> int | Formula:
    """A product as a number where there is one factor, else as a formula.

    Examples
    --------
    >>> str(product((32, 5, 5))), product((32, 5, 5)).value
    ('32*5*5', 800)
    """
    known = list(factors)
    if len(known) == 1 and known[0] is not None:
        return known[0]
    if not known:
        return 1
    names = (
        list(symbols[: len(known)])
        if len(known) <= len(symbols)
        else [f"d{axis}" for axis in range(1, len(known) + 1)]
    )
    return Formula("*".join(names), **dict(zip(names, known, strict=True)))


def sum_of_products(shapes: Iterable[tuple[int, ...]]) -> Formula:
    """The sum of the numbers of elements of tensors, term by term.

    A tensor without axes is one number.

    Examples
    --------
    >>> str(sum_of_products([(32, 1, 5, 5), (32,)]))
    '32*1*5*5+32'
    """
    terms = ["*".join(map(str, shape)) or "1" for shape in shapes]
    return Formula(" + ".join(terms) or "0")


def _shown_once(axes: tuple[Formula, ...]) -> tuple[Formula, ...]:
    return axes[:1] if len(set(axes)) == 1 else axes


@lru_cache(maxsize=1024)
def _parse(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FormulaError(f"{text!r} is not a formula: {error}") from error


def _substitute(text: str, values: Mapping[str, int | Formula | None]) -> str:
    def number(match: re.Match[str]) -> str:
        shown = _shown(values[match.group()])
        before = text[: match.start()].rstrip()[-1:]
        after = text[match.end() :].lstrip()[:1]
        alone = not before and not after
        if "*" in shown and before == "/":
            return f"({shown})"
        if any(sign in shown for sign in "+-/") and not alone:
            return f"({shown})"
        return shown

    missing = {name for name in _SYMBOL.findall(text) if name not in values}
    if missing:
        raise FormulaError(f"{text!r} has no value for {', '.join(sorted(missing))}")
    return _SYMBOL.sub(number, text).replace(" ", "")


def _shown(value: int | Formula | None) -> str:
    return "?" if value is None else str(value)


def _number(value: int | Formula | None) -> int | None:
    return value.value if isinstance(value, Formula) else value


def _evaluate(
    node: ast.expr, values: Mapping[str, int | Formula | None], text: str
) -> int | None:
    rest: list[tuple[ast.operator, ast.expr]] = []
    while isinstance(node, ast.BinOp):
        rest.append((node.op, node.right))
        node = node.left
    result = _leaf(node, values, text)
    for operator, right in reversed(rest):
        result = _apply(operator, result, _evaluate(right, values, text), text)
    return result


def _leaf(
    node: ast.expr, values: Mapping[str, int | Formula | None], text: str
) -> int | None:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name):
        return _number(values[node.id])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        operand = _evaluate(node.operand, values, text)
        return None if operand is None else -operand
    raise FormulaError(
        f"{text!r} holds {ast.unparse(node)!r}; a formula knows whole numbers, "
        "symbols, + - * / // and brackets"
    )


def _apply(
    operator: ast.operator, left: int | None, right: int | None, text: str
) -> int | None:
    if left is None or right is None:
        return None
    if isinstance(operator, ast.Add):
        return left + right
    if isinstance(operator, ast.Sub):
        return left - right
    if isinstance(operator, ast.Mult):
        return left * right
    if isinstance(operator, (ast.Div, ast.FloorDiv)):
        if right == 0:
            raise FormulaError(f"{text!r} divides by zero")
        quotient, remainder = divmod(left, right)
        if remainder and isinstance(operator, ast.Div):
            raise FormulaError(
                f"{text!r} divides {left} by {right}, which leaves {remainder}: "
                "write // to round down"
            )
        return quotient
    raise FormulaError(f"{text!r} holds an operator other than + - * / //")


def _latex(
    node: ast.expr, values: Mapping[str, int | Formula | None] | None
) -> tuple[str, int]:
    """LaTeX of a node, and how tightly it binds (1 sum, 2 product, 3 anything else)."""
    if isinstance(node, ast.BinOp):
        return _latex_of_chain(node, values)
    if isinstance(node, ast.UnaryOp):
        inner, binds = _latex(node.operand, values)
        return f"-{_bracketed(inner, binds < 2)}", 1
    if isinstance(node, ast.Name):
        if values is None:
            return _latex_symbol(node.id), 3
        value = values[node.id]
        if isinstance(value, Formula):
            return _latex(_parse(value.symbolic), value.values)
        return _shown(value), 1 if value is not None and value < 0 else 3
    return ast.unparse(node), 3


def _latex_of_chain(
    node: ast.BinOp, values: Mapping[str, int | Formula | None] | None
) -> tuple[str, int]:
    rest: list[tuple[ast.operator, ast.expr]] = []
    first: ast.expr = node
    while isinstance(first, ast.BinOp):
        rest.append((first.op, first.right))
        first = first.left
    text, binds = _latex(first, values)
    for operator, right in reversed(rest):
        other, other_binds = _latex(right, values)
        if isinstance(operator, ast.Div):
            text, binds = rf"\frac{{{text}}}{{{other}}}", 3
        elif isinstance(operator, ast.FloorDiv):
            fraction = rf"\frac{{{text}}}{{{other}}}"
            text, binds = rf"\left\lfloor {fraction} \right\rfloor", 3
        elif isinstance(operator, ast.Mult):
            left = _bracketed(text, binds < 2)
            text, binds = rf"{left} \cdot {_bracketed(other, other_binds < 2)}", 2
        else:
            sign = "+" if isinstance(operator, ast.Add) else "-"
            needed = other_binds < 2 and (sign == "-" or other.startswith("-"))
            text, binds = f"{text} {sign} {_bracketed(other, needed)}", 1
    return text, binds


def _bracketed(text: str, needed: bool) -> str:
    return rf"\left({text}\right)" if needed else text


def _latex_symbol(name: str) -> str:
    letters, digits = re.fullmatch(r"([A-Za-z_]+)(\d*)", name).groups()  # type: ignore[union-attr]
    shown = letters if len(letters) == 1 else rf"\mathit{{{letters}}}"
    return f"{shown}_{{{digits}}}" if digits else shown
