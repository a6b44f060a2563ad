"""What the hand calculation gives: a table, its rows, and their tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod

from .description import Shape, format_count, format_shape
from .formula import Formula, SizeFormula
from .windows import Unknown, Windows


@dataclass(frozen=True, slots=True)
class Tensor:
    """One parameter tensor of a layer.

    Attributes
    ----------
    name : str
        As Lasagne calls it, without the layer's name: "W", "b", "W_in_to_ingate".
    shape : tuple of int
    trainable : bool
        Whether training changes it.
    shared_with : str
        "layer.tensor" that it is the same as and that is counted there; empty if it
        is this layer's own.
    source : str
        Attribute or keyword of the layer that holds its Theano variable, where that
        is not `name`.
    variable : object
        The Theano variable itself, where there is one: it tells which tensors are
        the same.
    """

    name: str
    shape: tuple[int, ...]
    trainable: bool = True
    shared_with: str = ""
    source: str = field(default="", repr=False, compare=False)
    variable: object = field(default=None, repr=False, compare=False)

    @property
    def count(self) -> int:
        """Number of its elements: ``(32, 1, 5, 5)`` has ``32*1*5*5``."""
        return prod(self.shape)

    def __str__(self) -> str:
        """Its shape and how many numbers that makes: ``32x1x5x5 = 800``."""
        if not self.shape:
            return "1"
        return f"{format_shape(self.shape)} = {format_count(self.count)}"


@dataclass(frozen=True, slots=True)
class Row:
    """One layer of the table.

    Attributes
    ----------
    index, name, type
        Position, name and class name of the layer.
    output_shape : tuple or None
        The whole output shape, the batch first; None where it cannot be known.
    size_formula : SizeFormula
        How the size arises; empty where nothing is computed.
    parameters : int or None
        Number of trainable parameters that this layer adds to the network; None where
        it cannot be known. What it shares with an earlier layer is counted there.
    parameter_formula : Formula
        A formula that comes to `parameters`.
    tensors : tuple of Tensor
        The parameters one by one, shared and non-trainable ones included.
    inputs : tuple of str
        Names of the layers feeding it.
    unknown_because : str
        Why size or parameters cannot be known; empty if they are.
    sources : tuple of int or None
        Positions of the layers feeding it; None for a shape in place of a layer.
    input_shapes : tuple of Shape or None
        What each of them gives, the batch first.
    connections : Formula or Unknown
        Multiply-adds with a weight of the layer, for one image.
    windows : Windows or Unknown
        What each position of the output sees of the input.
    """

    index: int
    name: str
    type: str
    output_shape: Shape | None
    size_formula: SizeFormula
    parameters: int | None
    parameter_formula: Formula
    tensors: tuple[Tensor, ...] = ()
    inputs: tuple[str, ...] = ()
    unknown_because: str = ""
    sources: tuple[int | None, ...] = ()
    input_shapes: tuple[Shape | None, ...] = ()
    connections: Formula | Unknown = Unknown("the row was made without them")
    windows: Windows | Unknown = Unknown("the row was made without them")

    @property
    def size(self) -> Shape | None:
        """Output size without the batch: ``(32, 24, 24)``."""
        return None if self.output_shape is None else self.output_shape[1:]

    @property
    def non_trainable(self) -> int:
        """Number of parameters that this layer adds and training leaves alone."""
        return sum(
            tensor.count
            for tensor in self.tensors
            if not tensor.trainable and not tensor.shared_with
        )


@dataclass(frozen=True, slots=True)
class Table:
    """The hand calculation of a network; ``str(table)`` prints it as answer 1 does.

    Attributes
    ----------
    rows : tuple of Row
    lasagne : str
        Release whose behaviour was applied: "0.1" or "0.2".
    """

    rows: tuple[Row, ...]
    lasagne: str = "0.1"

    @property
    def total(self) -> int | None:
        """Number of trainable parameters; None if some row's is unknown."""
        counts = [row.parameters for row in self.rows]
        return None if None in counts else sum(filter(None, counts))

    @property
    def non_trainable_total(self) -> int:
        """Number of parameters that training leaves alone."""
        return sum(row.non_trainable for row in self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> Row:
        """The row of the layer called `name`."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def __str__(self) -> str:
        from .render_text import render_text

        return render_text(self)

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        from .render_html import render_html_part

        return render_html_part(self)
