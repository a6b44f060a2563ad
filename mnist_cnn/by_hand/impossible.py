"""Sizes that fall below one: which numbers make them, and what would serve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .description import Network, Shape, format_shape, has_impossible_size
from .formula import Formula
from .rows import Row, Table
from .walk import attempt
from .windows import Unknown, Window

_MOST_LAYERS = 100
_LARGEST_IMAGE = 1 << 14

_AXES = {
    1: ("positions",),
    2: ("rows", "columns"),
    3: ("planes", "rows", "columns"),
}


@dataclass(frozen=True, slots=True)
class Impossible:
    """A layer whose output would have a size below one.

    Attributes
    ----------
    layer : str
    axes : tuple of int
        The axes it is so along, with the same numbers, the batch's being 0.
    along : str
        What is counted along them: "rows", "columns", "rows and columns".
    size : int
        What would come out.
    formula : Formula or None
        Comes to `size`.
    window : str
        "filter" or "pool", where one that is too large is the reason; else empty.
    input_size, window_size, pad : int
        What comes in, what the window takes, and the pad on either side.
    largest_window, smallest_pad, smallest_input : int
        What would serve, each with all else as it is.
    """

    layer: str
    axes: tuple[int, ...]
    along: str
    size: int
    formula: Formula | None = None
    window: str = ""
    input_size: int = 0
    window_size: int = 0
    pad: int = 0
    largest_window: int = 0
    smallest_pad: int = 0
    smallest_input: int = 0

    def __str__(self) -> str:
        return f"{self.reason} {self.remedy}".strip()

    @property
    def reason(self) -> str:
        """Which numbers make the size fall below one: a sentence."""
        comes_out = f"{self.formula} = {self.size}" if self.formula else str(self.size)
        if not self.window:
            return f"Along the {self.along} {comes_out} would come out."
        pad = f"a pad of {self.pad} is added" if self.pad else "there is no pad"
        return (
            f"Along the {self.along} the input has {self.input_size}, {pad}, and the "
            f"{self.window} takes {self.window_size}: {comes_out} would come out."
        )

    @property
    def remedy(self) -> str:
        """What would serve: a sentence, empty where nothing simple would."""
        if not self.window:
            return ""
        ways = [
            f"a pad of at least {self.smallest_pad}",
            f"an input of at least {self.smallest_input}",
        ]
        if self.largest_window > 0:
            ways.insert(0, f"a {self.window} of at most {self.largest_window}")
        return f"What would serve: {', or '.join(ways)}."


def find_impossible(table: Table) -> tuple[Impossible, ...]:
    """The layers where a size falls below one that was not below it before."""
    return tuple(one for row in table for one in _find_in(row))


def _find_in(row: Row) -> Iterator[Impossible]:
    shape = row.output_shape
    if shape is None or not has_impossible_size(shape):
        return
    if any(before and has_impossible_size(before) for before in row.input_shapes):
        return
    found: dict[Impossible, list[int]] = {}
    for axis, size in enumerate(shape):
        if size is not None and size < 1:
            found.setdefault(_explain(row, axis, size), []).append(axis)
    names = _AXES.get(len(shape) - 2, ())
    for one, axes in found.items():
        known = [names[axis - 2] for axis in axes if 0 <= axis - 2 < len(names)]
        along = " and ".join(known) if len(known) == len(axes) else "numbers"
        yield replace(one, axes=tuple(axes), along=along)


def _explain(row: Row, axis: int, size: int) -> Impossible:
    """What can be said of one axis; which one is left out."""
    window = _window(row, axis)
    before = row.input_shapes[0] if row.input_shapes else None
    i = before[window.axis] if window and before else None
    # Two axes may come to the same size from different inputs.
    formulas = [one for one in row.size_formula.axes if one.value == size]
    formulas.sort(key=lambda one: one.values.get("i") != i)
    formula = formulas[0] if formulas else None
    plain = Impossible(row.name, (), "", size, formula)
    if window is None or i is None or formula is None:
        return plain
    if window.size == 1 or window.transposed:
        return plain
    taken = (window.size - 1) * window.dilation + 1
    return replace(
        plain,
        window="pool" if "Pool" in row.type else "filter",
        input_size=i,
        window_size=taken,
        pad=window.pad,
        largest_window=(i + 2 * window.pad - 1) // window.dilation + 1,
        smallest_pad=(taken - i + 1) // 2,
        smallest_input=taken - 2 * window.pad,
    )


def _window(row: Row, axis: int) -> Window | None:
    if isinstance(row.windows, Unknown) or len(row.windows[axis]) != 1:
        return None
    return row.windows[axis][0]


def smallest_image(network: Network) -> Shape | None:
    """The smallest image, the batch left out, for which every size is at least 1.

    Its axes of space alone are made larger or smaller. None where that would not
    serve, or the network has several inputs or more than a hundred layers.
    """
    inputs = [one for one in network.layers if one.type == "InputLayer"]
    if len(inputs) != 1 or len(network.layers) > _MOST_LAYERS:
        return None
    given = inputs[0].arguments.get("shape")
    if not isinstance(given, (tuple, list)):
        return None
    shape = list(given)
    space = [axis for axis in range(2, len(shape)) if isinstance(shape[axis], int)]

    def serves(sizes: Sequence[int]) -> bool:
        for axis, size in zip(space, sizes, strict=True):
            shape[axis] = size
        table, refused = attempt(_with_shape(network, tuple(shape)))
        return refused is None and not find_impossible(table)

    if not space or not serves([_LARGEST_IMAGE] * len(space)):
        return None
    sizes = [_LARGEST_IMAGE] * len(space)
    for position in range(len(space)):
        least, most = 1, _LARGEST_IMAGE
        while least < most:
            middle = (least + most) // 2
            sizes[position] = middle
            if serves(sizes):
                most = middle
            else:
                least = middle + 1
        sizes[position] = least
    for axis, size in zip(space, sizes, strict=True):
        shape[axis] = size
    return tuple(shape[1:])


def _with_shape(network: Network, shape: Shape) -> Network:
    return replace(
        network,
        layers=tuple(
            replace(one, arguments={**one.arguments, "shape": shape})
            if one.type == "InputLayer"
            else one
            for one in network.layers
        ),
    )


def describe_smallest_image(network: Network) -> str:
    """A sentence, empty where there is nothing to say."""
    image = smallest_image(network)
    if image is None:
        return ""
    return (
        f"With all layers as they are, the smallest image that serves is "
        f"{format_shape(image)}."
    )
