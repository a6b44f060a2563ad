"""What nolearn prints of a net's layers, captured byte for byte and read back as rows.

Nothing is computed here: nolearn is asked, and its answer repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any

import lasagne
from nolearn.lasagne import NeuralNet, PrintLayerInfo

from .errors import ExperimentError


class LayerInfoError(ExperimentError, ValueError):
    """A text is not, or not readably, what nolearn prints of a net's layers."""


@dataclass(frozen=True)
class PrintedRow:
    """One layer, as nolearn printed it.

    Attributes
    ----------
    index : int
        Position of the layer. With ``verbose`` above 1 nolearn prints none; the rows
        are counted.
    name : str
    size : str
        Output size without the batch: ``"32x24x24"``.
    colour : str
        "magenta", "cyan" or "red" where the name stands out, by the legend under
        the table; else empty.
    total : int or None
        The product of the size. This and what follows are there for a net with a
        2D convolution and ``verbose`` above 1.
    capacity, coverage : tuple of float, or None
        Learning capacity and coverage of the image in percent, (vertical, horizontal).
    filter, field : tuple of int, or None
        Real filter and receptive field in pixels, (vertical, horizontal); there with
        ``verbose`` above 2.
    """

    index: int
    name: str
    size: str
    colour: str = ""
    total: int | None = None
    capacity: tuple[float, float] | None = None
    coverage: tuple[float, float] | None = None
    filter: tuple[int, int] | None = None
    field: tuple[int, int] | None = None


@dataclass(frozen=True)
class LayerInfo:
    """What nolearn prints of a net's layers when training starts.

    Attributes
    ----------
    text : str
        Byte for byte, colours included.
    rows : tuple of PrintedRow
    total : int
        Number of learnable parameters.
    """

    text: str
    rows: tuple[PrintedRow, ...]
    total: int

    def __str__(self) -> str:
        return self.text


def capture_layer_info(net: NeuralNet) -> LayerInfo:
    """Capture what nolearn prints of a net's layers, compiling no function.

    The net is left as it is. If its layers do not exist yet, they are made for a
    double of it, and Lasagne's random numbers are then taken back, so that the net
    will draw the weights that it would have drawn.

    Parameters
    ----------
    net : nolearn.lasagne.NeuralNet
        Initialised or not; its ``verbose`` says how much is printed.

    Returns
    -------
    LayerInfo

    Raises
    ------
    LayerInfoError
        If the table cannot be read back, as with a line break in a layer's name.
    """
    if not getattr(net, "layers_", None):
        net = _initialize_double(net)
    printed = StringIO()
    with redirect_stdout(printed):
        PrintLayerInfo()(net)
    return read_layer_info(printed.getvalue())


def _initialize_double(net: NeuralNet) -> NeuralNet:
    # Not copy.copy: a nolearn net that is given a state compiles its functions.
    double = object.__new__(type(net))
    vars(double).update(vars(net))
    with _random_numbers_taken_back():
        double.initialize_layers()
    return double


@contextmanager
def _random_numbers_taken_back() -> Iterator[None]:
    generator = lasagne.random.get_rng()
    state = generator.get_state()
    try:
        yield
    finally:
        generator.set_state(state)


_GREETING = re.compile(r"# Neural Network with (\d+) learnable parameters")
_COLOUR = re.compile(r"\x1b\[(\d*)m")
_COLOURS = {"31": "red", "35": "magenta", "36": "cyan"}
_HEADINGS = (
    ["#", "name", "size"],
    ["name", "size", "total", "cap.Y", "cap.X", "cov.Y", "cov.X"],
    [
        *("name", "size", "total", "cap.Y", "cap.X", "cov.Y", "cov.X"),
        *("filter Y", "filter X", "field Y", "field X"),
    ],
)


def read_layer_info(text: str) -> LayerInfo:
    """Read what nolearn printed.

    Parameters
    ----------
    text : str
        All of it, from the greeting on.

    Raises
    ------
    LayerInfoError
        If it is anything else.
    """
    lines = text.split("\n")
    greeting = _GREETING.fullmatch(lines[0])
    if not greeting or lines[1:4] != ["", "## Layer information", ""]:
        raise LayerInfoError(
            f"this is not nolearn's layer information: it starts with {lines[0]!r}, "
            "needed is '# Neural Network with ... learnable parameters'"
        )
    heading, dashes, *rest = [*lines[4:], "", ""]
    columns = [match.span() for match in re.finditer("-+", dashes)]
    titles = [heading[start:end].strip() for start, end in columns]
    if titles not in _HEADINGS:
        raise LayerInfoError(
            f"nolearn's table has the columns {titles}; known are "
            + ", or ".join(map(str, _HEADINGS))
        )
    table = rest[: rest.index("")]
    return LayerInfo(
        text,
        tuple(_read_row(index, line, columns) for index, line in enumerate(table)),
        int(greeting[1]),
    )


def _read_row(index: int, line: str, columns: list[tuple[int, int]]) -> PrintedRow:
    colours = [_COLOURS[code] for code in _COLOUR.findall(line) if code in _COLOURS]
    visible = _COLOUR.sub("", line)
    cells = [visible[start:end].strip() for start, end in columns]
    between = "".join(
        visible[end:start]
        for (_, end), (start, _) in zip(columns, columns[1:], strict=False)
    )
    try:
        if between.strip() or visible[columns[-1][1] :].strip():
            raise ValueError
        return _make_row(index, cells, "".join(colours))
    except ValueError:
        raise LayerInfoError(
            f"line {index + 1} of nolearn's table cannot be read back: {line!r}"
        ) from None


def _make_row(index: int, cells: list[str], colour: str) -> PrintedRow:
    """Raise ValueError where a cell is not what its column holds."""
    if len(cells) == 3:
        number, name, size = cells
        if int(number) != index:
            raise ValueError
        return PrintedRow(index, name, size, colour)
    name, size, total, *rest = cells
    capacity, coverage = _pair(float, rest[:2]), _pair(float, rest[2:4])
    row = PrintedRow(index, name, size, colour, int(total), capacity, coverage)
    if len(rest) == 4:
        return row
    return replace(row, filter=_pair(int, rest[4:6]), field=_pair(int, rest[6:8]))


def _pair(read: Any, cells: list[str]) -> tuple[Any, Any]:
    vertical, horizontal = cells
    return read(vertical), read(horizontal)
