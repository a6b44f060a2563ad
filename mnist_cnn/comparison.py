"""What nolearn prints, held against the hand calculation, row by row.

The only module that knows both. It computes no size and no count of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

from nolearn.lasagne import NeuralNet

from . import by_hand
from .by_hand.description import format_count
from .by_hand.rows import Row, Table
from .layer_info import LayerInfo, PrintedRow, capture_layer_info


@dataclass(frozen=True)
class ComparedRow:
    """One layer, as printed and by hand; None where it is missing or not known.

    Attributes
    ----------
    index : int
    printed_name, name : str or None
    printed_size, size : str or None
        Output size without the batch, as nolearn writes it: ``"32x24x24"``, "None"
        for an axis without a fixed size.
    """

    index: int
    printed_name: str | None
    name: str | None
    printed_size: str | None
    size: str | None

    @property
    def agrees(self) -> bool:
        """Whether name and size are known by hand and are the printed ones."""
        return (self.printed_name, self.printed_size) == (self.name, self.size)


@dataclass(frozen=True)
class Comparison:
    """What nolearn prints of a net, beside its table by hand.

    Attributes
    ----------
    layer_info : LayerInfo
        What nolearn prints.
    table : by_hand.Table
        The hand calculation.
    rows : tuple of ComparedRow
    """

    layer_info: LayerInfo
    table: Table
    rows: tuple[ComparedRow, ...]

    @property
    def totals_agree(self) -> bool:
        """Whether both count as many learnable parameters."""
        return self.layer_info.total == self.table.total

    @property
    def agrees(self) -> bool:
        """Whether every row and the total agree; what is not known does not."""
        return self.totals_agree and all(row.agrees for row in self.rows)

    @property
    def verdict(self) -> str:
        """The outcome, and what it does not cover."""
        different = [str(row.index) for row in self.rows if not row.agrees]
        printed, total = format_count(self.layer_info.total), self._total
        if self.agrees:
            outcome = (
                f"Print and hand agree: in the name and size of all {len(self.rows)} "
                f"layers,\nand in the total of {total} learnable parameters."
            )
        else:
            parts = []
            if different:
                parts.append(
                    f"in {len(different)} of {len(self.rows)} layers "
                    f"(# {', '.join(different)})"
                )
            if not self.totals_agree:
                parts.append(f"in the total ({printed} printed, {total} by hand)")
            outcome = f"Print and hand DIFFER: {' and '.join(parts)}."
        return (
            f"{outcome}\n"
            "(nolearn prints no count for a single layer: of the counts by hand, the\n"
            "print confirms the sum alone.)"
        )

    @property
    def text(self) -> str:
        """Both side by side, a line a layer, then the totals and the verdict."""
        total = format_count(self.layer_info.total)
        grid: list[tuple[str, ...]] = [
            ("", "printed", "", "by hand", "", ""),
            ("  #", "name", "size", "name", "size", ""),
            *(
                (
                    f"{row.index:>3}",
                    *(_cell(row.printed_name), _cell(row.printed_size)),
                    *(_cell(row.name), _cell(row.size)),
                    _word(row.agrees),
                )
                for row in self.rows
            ),
            ("", "total", total, "total", self._total, _word(self.totals_agree)),
        ]
        widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
        grid.insert(2, tuple("-" * width for width in widths))
        lines = [
            "{}  {}  {}    {}  {}    {}".format(*map(str.ljust, row, widths)).rstrip()
            for row in grid
        ]
        return "\n".join([*lines, "", self.verdict])

    @property
    def _total(self) -> str:
        return format_count(self.table.total)

    def __str__(self) -> str:
        return self.text


def _cell(text: str | None) -> str:
    return "?" if text is None else text


def _word(agrees: bool) -> str:
    return "agree" if agrees else "DIFFER"


def compare(net: NeuralNet) -> Comparison:
    """Compare what nolearn prints of a net with its table by hand.

    Parameters
    ----------
    net : nolearn.lasagne.NeuralNet
        Initialised or not; it is left as it is.

    Returns
    -------
    Comparison

    Raises
    ------
    LayerInfoError, by_hand.HandCalculationError
        If the print cannot be read back, or the net not be calculated.
    """
    return compare_rows(capture_layer_info(net), by_hand.table(net))


def compare_rows(layer_info: LayerInfo, table: Table) -> Comparison:
    """Compare what was printed with a table, layer by layer in their order."""
    pairs = zip_longest(layer_info.rows, table.rows)
    return Comparison(
        layer_info,
        table,
        tuple(_compare_row(index, *pair) for index, pair in enumerate(pairs)),
    )


def _compare_row(
    index: int, printed: PrintedRow | None, row: Row | None
) -> ComparedRow:
    name = row.name if row else None
    # Of a Lasagne layer without a name nolearn prints nothing, or its class's name.
    if printed and row and printed.name in ("", row.type):
        name = printed.name
    return ComparedRow(
        index,
        printed.name if printed else None,
        name,
        printed.size if printed else None,
        "x".join(map(str, row.size)) if row and row.size is not None else None,
    )
