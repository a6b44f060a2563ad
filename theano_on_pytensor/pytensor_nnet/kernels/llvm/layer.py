"""What the kernels of a convolutional layer are generated for.

Inside the kernels images are channels-last, ``(batch, rows, columns, channels)``,
and padded already. A filter's row then meets a *run* of ``columns * channels``
numbers that lie side by side, whatever the number of channels.
"""

from dataclasses import dataclass, replace
from itertools import product

from pytensor_nnet.kernels.geometry import convolution_output_size
from pytensor_nnet.kernels.llvm.compiler import CPU

__all__ = ["Epilogue", "Layer", "Tile", "choose_tile", "round_up", "split"]

Pair = tuple[int, int]

_FEW_CHANNELS = 4


@dataclass(frozen=True)
class Epilogue:
    """What is done to a convolution's output before it is written.

    A bias is added, then the rectifier ``x if x > 0 else slope * x`` is applied,
    then the largest value of each window is taken.

    Parameters
    ----------
    window : pair of int
        Of a max pool, ``(rows, columns)``; windows do not overlap, and those that
        are not whole are left out.
    slope : float or None
        Of the rectifier, below zero; ``None``: there is none.
    keeps_mask : bool
        Whether to write, for each window, a bit for each position that holds its
        maximum. A slope of 0 leaves the bits of a negative maximum unset.
    """

    window: Pair = (1, 1)
    slope: float | None = None
    keeps_mask: bool = False

    @property
    def area(self) -> int:
        return self.window[0] * self.window[1]

    @property
    def mask_type(self) -> str:
        """The smallest integers with a bit for each position of a window."""
        return next(f"i{bits}" for bits in (8, 16, 32) if self.area <= bits)


@dataclass(frozen=True)
class Layer:
    """Sizes of a convolution of padded images that is no wider than ``'valid'``.

    Parameters
    ----------
    element : {'float', 'double'}
    channels : int
    image_size, filter_size : pair of int
        ``(rows, columns)``.
    filters : int
    strides, dilations : pair of int
    epilogue : Epilogue
    """

    element: str
    channels: int
    image_size: Pair
    filters: int
    filter_size: Pair
    strides: Pair = (1, 1)
    dilations: Pair = (1, 1)
    epilogue: Epilogue = Epilogue()

    @property
    def convolved_size(self) -> Pair:
        """``(rows, columns)`` before the pool."""
        rows, columns = (
            convolution_output_size(size, taps, (0, 0), stride, dilation)
            for size, taps, stride, dilation in zip(
                self.image_size,
                self.filter_size,
                self.strides,
                self.dilations,
                strict=True,
            )
        )
        return rows, columns

    @property
    def out_size(self) -> Pair:
        """``(rows, columns)`` of what is written."""
        (rows, columns), (down, across) = self.convolved_size, self.epilogue.window
        return rows // down, columns // across

    @property
    def runs(self) -> list[int]:
        """Where in an image the runs begin that the filter at its corner meets."""
        _, columns = self.image_size
        filter_rows, filter_columns = self.filter_size
        down, across = self.dilations
        starts = range(filter_columns) if across > 1 else range(1)
        return [
            (i * down * columns + j * across) * self.channels
            for i, j in product(range(filter_rows), starts)
        ]

    @property
    def run(self) -> int:
        """How many numbers side by side are a run."""
        return self.channels * (1 if self.dilations[1] > 1 else self.filter_size[1])

    @property
    def taps(self) -> int:
        return self.channels * self.filter_size[0] * self.filter_size[1]

    @property
    def has_few_channels(self) -> bool:
        """Whether images may well be blank along a whole run, as digits are."""
        return self.channels <= _FEW_CHANNELS

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return {"float": 4, "double": 8}[self.element]

    def step(self, rows: int, columns: int) -> int:
        """From a number to the one that a filter meets so many positions on."""
        down, across = self.strides
        return (rows * down * self.image_size[1] + columns * across) * self.channels

    def without_epilogue(self) -> "Layer":
        return replace(self, epilogue=Epilogue())


@dataclass(frozen=True)
class Tile:
    """What of a convolution's output is held in registers at a time.

    ``rows`` by ``columns`` positions of ``vectors`` vectors of filters.
    """

    rows: int
    columns: int
    vectors: int

    @property
    def accumulators(self) -> int:
        return self.rows * self.columns * self.vectors

    def cycles(self) -> float:
        """An estimate of the time for one tap, in cycles: of two multiply-adds and
        two loads a cycle, where eight sums must be under way at once.
        """
        loads = self.vectors + self.rows * self.columns
        return max(self.accumulators, loads, 8) / 2


def round_up(size: int, step: int) -> int:
    """The least multiple of ``step`` that is not below ``size``."""
    return -(-size // step) * step


def split(length: int, step: int) -> list[tuple[int, int]]:
    """``(how many, of which length)``: whole steps, and what is left."""
    whole, rest = divmod(length, step)
    return [
        (count, size) for count, size in ((whole, step), (1, rest)) if count and size
    ]


def choose_tile(layer: Layer, cpu: CPU, most: int) -> Tile:
    """The tile of at most so many sums that needs the fewest cycles for the output."""
    lanes = cpu.lanes(layer.element)
    vectors = -(-layer.filters // lanes)
    down, across = layer.epilogue.window
    rows, columns = (
        size * window
        for size, window in zip(layer.out_size, layer.epilogue.window, strict=True)
    )
    heights = [down] if layer.epilogue.area > 1 else range(1, min(rows, 4) + 1)
    candidates = [
        Tile(height, width, depth)
        for depth in range(1, min(vectors, 4) + 1)
        for height in heights
        for width in range(across, columns + 1, across)
        if height * width * depth <= min(most, cpu.registers - depth - 1)
    ] or [Tile(heights[0], across, 1)]

    def cost(tile: Tile) -> float:
        return sum(
            n * m * k * Tile(height, width, depth).cycles()
            for n, height in split(rows, tile.rows)
            for m, width in split(columns, tile.columns)
            for k, depth in split(vectors, tile.vectors)
        )

    return min(
        candidates, key=lambda tile: (cost(tile), -tile.accumulators, -tile.vectors)
    )
