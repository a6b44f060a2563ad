"""Answer 2: one formula for all the parameters of a plain convolutional network.

For an I-C-P-C-P-H-O network (input, convolution, pool, convolution, pool, hidden dense
layer, output) and any other chain of convolutions, pools and dense layers. Each symbol
ends in its layer's number in the table: a filter or pool of size `n` x `m`, pad `p` and
`q` on either side, stride `s` and `t`, `k` feature maps or units at the output, whose
size is `h` x `w`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .columns import few
from .description import format_count, format_shape
from .errors import DescriptionError
from .formula import Formula
from .rows import Row, Table
from .windows import Unknown, Window

__all__ = [
    "ClosedFormula",
    "SamePadding",
    "compare_same_padding",
    "find_closed_formula",
]

_WIDTH = 80
_SYMBOL = re.compile(r"[A-Za-z_]\w*")
_ROUNDED_DOWN = {
    "(i - (n - 1))",
    "(i + 2*p - (n - 1))",
    "((i - n)/s) + 1",
    "((i - n)//s) + 1",
    "((i + 2*p - n)/s) + 1",
    "((i + 2*p - n)//s) + 1",
}
"""How rules write a size where all windows lie inside."""

_IN_GENERAL = {
    "i/s": "(i + s - 1)//s",
    "(i - n)/s + 1": "(i - n + s - 1)//s + 1",
}
"""What a text that holds where a division comes out even is in general."""


@dataclass(frozen=True, slots=True)
class ClosedFormula:
    """The number of parameters of a network in symbols.

    Attributes
    ----------
    kind : str
        The layers by their letters: "I-C-P-C-P-H-O".
    total : Formula
        In the symbols of all layers, sizes among them: what they are, `sizes` says.
    sizes : mapping
        For each size by its symbol, ``h1``, its formula.
    closed : Formula
        The same as `total` with each size written out: in given numbers alone.
    given : mapping
        The number for each symbol of `closed`.
    names : mapping
        The name of each layer by its number.
    """

    kind: str
    total: Formula
    sizes: Mapping[str, Formula]
    closed: Formula
    given: Mapping[str, int]
    names: Mapping[int, str]

    def at(self, **numbers: int) -> int | None:
        """The number of parameters with other numbers for some of the symbols.

        >>> from mnist_cnn.by_hand import NETWORKS, table
        >>> formula = find_closed_formula(table(NETWORKS["question"]))
        >>> formula.at(), formula.at(k5=128)
        (217706, 113898)
        """
        unknown = set(numbers) - set(self.given)
        if unknown:
            raise DescriptionError(
                f"the formula has no {', '.join(sorted(unknown))}; it has "
                f"{', '.join(self.given)}"
            )
        return Formula(self.closed.symbolic, **{**self.given, **numbers}).value

    def __str__(self) -> str:
        number = format_count(self.total.value)
        layers = [f"{index} {name}" for index, name in self.names.items()]
        lines = [
            f"All parameters of this {self.kind} network:",
            *_indented(self.total.symbolic),
            "",
            "where each symbol ends in its layer's number in the table, 0 being the "
            "input:",
            "    n x m  the size of a filter or pool     k      feature maps or units",
            "    p, q   pad on either side               h x w  the size of the output",
            "    s, t   stride",
            *_wrap(f"The layers: {few(layers, 12)}."),
            "",
            "Sizes, the division rounded down:",
            *(
                line
                for symbol, formula in self.sizes.items()
                for line in _indented(
                    f"{symbol} = {formula.symbolic} = {formula} = {formula.value}"
                )
            ),
            "",
            "With the numbers put in:",
            *_indented(f"{self.total} = {number}"),
            "",
            "Closed, in the given numbers alone:",
            *_indented(self.closed.symbolic),
            *_indented(f"= {self.closed}"),
            *_indented(f"= {number}"),
        ]
        return "\n".join(lines)

    @property
    def latex(self) -> str:
        """The total, the sizes and the closed formula, as lines of LaTeX."""
        lines = [f"{self.total.symbolic_latex} &= {self.total.value}"]
        lines += [
            rf"{Formula(symbol, **{symbol: 0}).symbolic_latex} &= "
            rf"{formula.symbolic_latex} = {formula.value}"
            for symbol, formula in self.sizes.items()
        ]
        body = " \\\\\n".join(lines)
        return f"\\begin{{eqnarray*}}\n{body.replace('&=', '&=&')}\n\\end{{eqnarray*}}"


def find_closed_formula(table: Table) -> ClosedFormula:
    """The closed formula of a plain network.

    Raises
    ------
    DescriptionError
        If it is not a chain of convolutions and pools over rows and columns, then
        dense layers: the message names the layer that does not fit.
    """
    build = _Chain()
    for row in table:
        build.add(row)
    if not build.terms:
        raise DescriptionError("the network has no parameters to give a formula for")
    total = Formula(" + ".join(build.terms), **build.given, **build.numbers())
    closed = Formula(build.expand(total.symbolic), **build.given)
    assert total.value == closed.value == table.total
    letters = build.letters
    if letters[-1] == "H":
        letters[-1] = "O"
    used = dict.fromkeys(_SYMBOL.findall(closed.symbolic))
    return ClosedFormula(
        "-".join(letters),
        total,
        build.sizes,
        closed,
        {symbol: build.given[symbol] for symbol in used},
        build.names,
    )


class _Chain:
    """Takes up one row after the other."""

    def __init__(self) -> None:
        self.letters: list[str] = []
        self.given: dict[str, int] = {}
        self.sizes: dict[str, Formula] = {}
        self.terms: list[str] = []
        self.names: dict[int, str] = {}
        self.maps = ""
        """Symbol of the last layer's feature maps or units."""
        self.size: tuple[str, ...] = ()
        """Symbols of its rows and columns; none behind a dense layer."""

    def numbers(self) -> dict[str, int | Formula | None]:
        return {symbol: formula.value for symbol, formula in self.sizes.items()}

    def add(self, row: Row) -> None:
        index = row.index
        if index == 0:
            self._start(row)
        elif row.sources != (index - 1,):
            self._refuse(row, "it is not fed by the layer before it alone")
        elif not row.tensors and _changes_nothing(row):
            return
        elif row.type == "DenseLayer" and row.output_shape and not row.unknown_because:
            self._add_dense(row)
        elif self.size and _slides_over_two(row):
            self._add_windows(row)
        else:
            self._refuse(row, f"it is a {row.type}")
        self.names[index] = row.name

    def _start(self, row: Row) -> None:
        size = row.size or ()
        if row.type != "InputLayer" or len(size) not in (1, 3) or None in size:
            self._refuse(row, "an input of fixed size (maps, rows, columns) must start")
        self.letters.append("I")
        self.maps, self.size = "k0", ("h0", "w0")[: len(size) - 1]
        known = [one for one in size if one is not None]
        self.given |= dict(zip((self.maps, *self.size), known, strict=True))

    def _add_dense(self, row: Row) -> None:
        units = f"k{row.index}"
        if len(row.output_shape or ()) != 2:
            self._refuse(row, "it keeps more than one leading axis")
        inputs = "*".join([self.maps, *self.size])
        self._add_term(row, {"n": inputs, "m": units})
        self.given[units] = row.tensors[0].shape[-1]
        self.letters.append("H")
        self.maps, self.size = units, ()

    def _add_windows(self, row: Row) -> None:
        assert not isinstance(row.windows, Unknown)
        assert row.output_shape is not None
        index, before = row.index, self.size
        after = (f"h{index}", f"w{index}")
        for axis, (symbols, was, now) in enumerate(
            zip(("nps", "mqt"), before, after, strict=True)
        ):
            window = row.windows[axis + 2][0]
            n, p, s = (f"{symbol}{index}" for symbol in symbols)
            numbers = {n: window.size, p: window.pad, s: window.stride}
            rule = row.size_formula.axes[axis].symbolic
            text = f"({was} + 2*{p} - {n})//{s} + 1"
            if rule not in _ROUNDED_DOWN:
                # An odd pad in all, or regions that reach over the edge.
                rule = re.sub("/+", "//", _IN_GENERAL.get(rule, rule))
                text = _rename(rule, {"i": was, "n": n, "p": p, "s": s})
            used = _SYMBOL.findall(text)
            self.given |= {one: value for one, value in numbers.items() if one in used}
            values = {**self.given, **self.numbers()}
            self.sizes[now] = Formula(text, **{one: values[one] for one in used})
        self.size = after
        if not row.tensors:
            self.letters.append("P")
            return
        self.letters.append("C")
        filters = f"k{index}"
        self._add_term(
            row,
            {
                "n": f"n{index}",
                "m": f"m{index}",
                "l": self.maps,
                "k": filters,
                "g": f"g{index}",
                "h": after[0],
                "w": after[1],
            },
        )
        self.given[filters] = row.output_shape[1] or 0
        for symbol in ("n", "m", "g"):
            number = row.parameter_formula.values.get(symbol)
            if isinstance(number, int):
                self.given[f"{symbol}{index}"] = number
        self.maps = filters

    def _add_term(self, row: Row, symbols: Mapping[str, str]) -> None:
        if any(tensor.shared_with or not tensor.trainable for tensor in row.tensors):
            self._refuse(row, "it shares weights, or training leaves some alone")
        self.terms.append(_rename(row.parameter_formula.symbolic, symbols))

    def expand(self, text: str) -> str:
        """A text with the symbols of sizes replaced by what they are made of."""

        def write_out(match: re.Match[str]) -> str:
            formula = self.sizes.get(match.group())
            if formula is None:
                return match.group()
            return f"({self.expand(formula.symbolic)})"

        return _SYMBOL.sub(write_out, text)

    def _refuse(self, row: Row, reason: str) -> None:
        raise DescriptionError(
            f"{row.name}: {reason}; the closed formula is for an input, then "
            "convolutions and pools over rows and columns, then dense layers",
            row.name,
        )


def _changes_nothing(row: Row) -> bool:
    """Whether it keeps every number, or puts them in one row for a dense layer."""
    if row.type == "FlattenLayer":
        return len(row.output_shape or ()) == 2
    if isinstance(row.windows, Unknown) or row.size_formula:
        return False
    return row.input_shapes == (row.output_shape,) and all(
        windows == (Window(axis),) for axis, windows in enumerate(row.windows)
    )


def _slides_over_two(row: Row) -> bool:
    """Whether windows without dilation slide over rows and columns, and no more."""
    axes = row.size_formula.axes
    if isinstance(row.windows, Unknown) or len(axes) != 2:
        return False
    if not set(_SYMBOL.findall(" ".join(axis.symbolic for axis in axes))) <= set(
        "inps"
    ):
        return False
    return len(row.windows) == 4 and all(
        len(windows) == 1 and windows[0].axis == axis and not windows[0].transposed
        for axis, windows in enumerate(row.windows[2:], start=2)
    )


def _rename(text: str, symbols: Mapping[str, str]) -> str:
    return _SYMBOL.sub(lambda match: symbols[match.group()], text)


# Answer 2's claim


@dataclass(frozen=True, slots=True)
class SamePadding:
    """A convolution of stride 2 beside one of stride 1 that a pool follows.

    Attributes
    ----------
    size : int
        Rows and columns of the image.
    strided, pooled : Table
        Image, convolution (pool,) and a dense layer.
    """

    size: int
    strided: Table
    pooled: Table

    @property
    def agree(self) -> bool:
        """Whether both have the same number of parameters."""
        return self.strided.total == self.pooled.total

    def __str__(self) -> str:
        lines = [f"An image of {self.size}x{self.size}:"]
        for title, table in (
            ("stride 2", self.strided),
            ("stride 1, then a 2x2 pool", self.pooled),
        ):
            convolution, dense = table["convolution"], table["dense"]
            size = format_shape(table.rows[-2].size or ())
            lines += [
                f"  {title}: {size} is left",
                f"    convolution  {_equation(convolution)}",
                f"    dense        {_equation(dense)}",
                f"    together     {format_count(table.total)}",
            ]
        verdict = "The same number" if self.agree else "Not the same number"
        return "\n".join([*lines, f"  {verdict} of parameters."])


def compare_same_padding(
    size: int,
    *,
    maps: int = 1,
    filters: int = 32,
    filter_size: int = 5,
    units: int = 256,
) -> SamePadding:
    """Compare both ways to halve an image of `size` x `size` with ``pad='same'``.

    The convolutions have the same number of parameters, whatever the size. A stride of
    2 leaves ``(i - 1)//2 + 1`` rows, half of them rounded up; the pool leaves
    ``(i - 2)//2 + 1``, rounded down: for an odd size a dense layer behind has more
    inputs in one than in the other.
    """
    from .read_definitions import read_definitions
    from .walk import calculate

    image = ("InputLayer", {"name": "image", "shape": (None, maps, size, size)})
    shared = {"name": "convolution", "num_filters": filters, "pad": "same"}
    shared["filter_size"] = filter_size
    pool = ("MaxPool2DLayer", {"name": "pool", "pool_size": 2})
    dense = ("DenseLayer", {"name": "dense", "num_units": units})
    strided = [image, ("Conv2DLayer", {**shared, "stride": 2}), dense]
    pooled = [image, ("Conv2DLayer", {**shared, "stride": 1}), pool, dense]
    return SamePadding(
        size,
        calculate(read_definitions(strided)),
        calculate(read_definitions(pooled)),
    )


SAME_PADDING = """\
Answer 2 says that with 'same' padding a convolution of stride 2 has as many
parameters as one of stride 1 that a 2x2 pool follows. The convolutions always
have: no stride and no pool is in (n*m*l + 1)*k. A dense layer behind them has
as long as both leave the same size. Stride 2 leaves (i - 1)//2 + 1, half the
size rounded up; the pool leaves (i - 2)//2 + 1, rounded down. So the claim
holds for even sizes and fails for odd ones, where a dense layer follows; with
ignore_border=False the pool rounds up as well, and it holds again."""


def _equation(row: Row) -> str:
    return f"{row.parameter_formula} = {format_count(row.parameters)}"


def _wrap(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


def _indented(text: str) -> Sequence[str]:
    """A formula over several lines, broken at spaces or before its signs."""
    lines = []
    rest = text
    most = _WIDTH - 4
    while len(rest) > most:
        outer = max(rest.rfind(sign, 1, most) for sign in " +")
        cut = outer if outer > 0 else max(rest.rfind("*", 1, most), 1)
        lines.append(f"    {rest[:cut].rstrip()}")
        rest = rest[cut:].lstrip()
    return [*lines, f"    {rest}"]
