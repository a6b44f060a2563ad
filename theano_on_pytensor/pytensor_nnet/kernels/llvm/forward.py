"""Generates the convolution, with what follows it, of one layer."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from pytensor_nnet.kernels.llvm.compiler import CPU, compile_function, host
from pytensor_nnet.kernels.llvm.epilogue import window_output
from pytensor_nnet.kernels.llvm.ir import Array, Function, Value, Variable, vector
from pytensor_nnet.kernels.llvm.layer import Layer, Tile, choose_tile

__all__ = ["Direct", "forward_kernel", "generate_forward", "skips_blanks"]

# Images of more channels are hardly ever blank along a whole run.
_BLANK_CHANNELS = 4
# Multiply-adds of a tile up to which all are written out, one after the other.
_UNROLLED_TILE = 1600
_UNROLLED = 4


@cache
def forward_kernel(layer: Layer) -> Callable[..., None]:
    """``kernel(images, filters, bias, out, mask, first, last)``.

    Convolves the images from ``first`` up to ``last``. All but the integers are
    addresses: of padded images, channels last; of filters as
    :meth:`Direct.pack_filters` makes them; of a bias for each filter, zeros up to a
    whole number of vectors; of the output and, if it is kept, the mask, both
    ``(batch, rows, columns, filters)``.
    """
    return compile_function(generate_forward(layer, host()))


def skips_blanks(layer: Layer, cpu: CPU) -> bool:
    """Whether the kernel leaves out zeros, unless a filter holds an infinity or NaN."""
    return (
        layer.channels <= _BLANK_CHANNELS
        and layer.dilations == (1, 1)
        and layer.taps * (cpu.registers // 2) <= _UNROLLED_TILE
    )


def _tile(layer: Layer, cpu: CPU) -> Tile:
    """Where all taps are written out, the compiler keeps pixels and weights in
    registers for the next taps: so half of the registers are theirs.
    """
    if skips_blanks(layer, cpu):
        return choose_tile(layer, cpu, cpu.registers // 2)
    return choose_tile(layer, cpu, cpu.registers)


@dataclass(frozen=True)
class Direct:
    """The sum as it is defined, tile after tile, of one layer."""

    layer: Layer

    def pack_filters(self, filters: np.ndarray) -> np.ndarray:
        """Filters ``(filters, taps)`` as the kernel reads them.

        A tile's filters are side by side, ``(taps, filters of the tile)``, tile
        after tile; zeros fill the last vector.
        """
        cpu, layer = host(), self.layer
        lanes, tile = cpu.lanes(layer.element), _tile(layer, cpu)
        padded = -(-layer.filters // lanes) * lanes
        wide = tile.vectors * lanes
        whole = padded // wide * wide
        full = np.zeros((padded, layer.taps), filters.dtype)
        full[: layer.filters] = filters
        tiles = full[:whole].reshape(-1, wide, layer.taps).swapaxes(1, 2)
        return np.concatenate([tiles.ravel(), full[whole:].T.ravel()])


def generate_forward(layer: Layer, cpu: CPU) -> Function:
    """The kernel of :func:`forward_kernel`, not compiled."""
    function = Function(
        "convolution_forward",
        {
            "images": f"{layer.element}*",
            "filters": f"{layer.element}*",
            "bias": f"{layer.element}*",
            "out": f"{layer.element}*",
            "mask": f"{layer.epilogue.mask_type}*",
            "first": "i64",
            "last": "i64",
        },
    )
    _Forward(function, layer, cpu).write()
    return function


class _Forward:
    def __init__(self, function: Function, layer: Layer, cpu: CPU):
        self.function, self.layer = function, layer
        self.lanes = cpu.lanes(layer.element)
        self.type = vector(self.lanes, layer.element)
        self.tile = _tile(layer, cpu)
        self.skips_blanks = skips_blanks(layer, cpu)
        self.sums = [
            function.variable(self.type) for _ in range(self.tile.accumulators)
        ]

    def write(self) -> None:
        """Groups of filters, images, rows of tiles, tiles: the outermost first, so
        that a group's filters stay in the cache.
        """
        function, layer = self.function, self.layer
        arguments = function.arguments
        vectors = -(-layer.filters // self.lanes)
        whole, rest = divmod(vectors, self.tile.vectors)
        wide = self.tile.vectors * self.lanes

        def group(index: Any, depth: int, tail: int) -> None:
            filters = arguments["filters"][index * (layer.taps * wide)]
            if self.skips_blanks:
                self._blank(index * wide, depth)
            with function.loop(arguments["first"], arguments["last"]) as image:
                self._image(image, filters, index * wide, depth, tail)

        if self.skips_blanks:
            self.counts_blanks = self._finds_infinities(vectors * self.lanes)
        tail = layer.filters % self.lanes
        uncut = whole - 1 if tail and not rest else whole
        if uncut:
            with function.loop(0, uncut) as index:
                group(index, self.tile.vectors, 0)
        if uncut < whole:
            group(function.integer(uncut), self.tile.vectors, tail)
        if rest:
            group(function.integer(whole), rest, tail)

    def _image(
        self, image: Value, filters: Array, first_filter: Value, depth: int, tail: int
    ) -> None:
        layer, arguments = self.layer, self.function.arguments
        rows, columns = layer.image_size
        out_rows, out_columns = layer.out_size
        pixels = arguments["images"][image * (rows * columns * layer.channels)]
        place = image * (out_rows * out_columns * layer.filters) + first_filter
        out, mask = arguments["out"][place], arguments["mask"][place]
        bias = arguments["bias"][first_filter]
        down, across = layer.epilogue.window
        for top, height in self._progression(out_rows * down, self.tile.rows):
            with top as row:
                for left, width in self._progression(
                    out_columns * across, self.tile.columns
                ):
                    with left as column:
                        tile = Tile(height, width, depth)
                        corner = row * layer.step(1, 0) + column * layer.step(0, 1)
                        window = (row // down) * out_columns + column // across
                        offset = window * layer.filters
                        goal = out[offset], mask[offset]
                        if self.skips_blanks:
                            self._unrolled(
                                pixels[corner], filters, bias, goal, tile, tail
                            )
                        else:
                            sums = self._convolve(pixels[corner], filters, tile)
                            self._write(sums, bias, goal, tile, tail)

    def _progression(self, length: int, step: int) -> list[tuple[Any, int]]:
        """Loops over an axis: of whole tiles, and of one that is cut."""
        whole = length // step * step
        parts = []
        if whole > step:
            parts.append((self.function.loop(0, whole, step), step))
        elif whole:
            parts.append((nullcontext(self.function.integer(0)), step))
        if length > whole:
            parts.append((nullcontext(self.function.integer(whole)), length - whole))
        return parts

    def _cleared(self, tile: Tile) -> list[list[list[Variable]]]:
        """Sums of nothing: by row, column, vector of filters."""
        free = iter(self.sums)
        sums = [
            [[next(free) for _ in range(tile.vectors)] for _ in range(tile.columns)]
            for _ in range(tile.rows)
        ]
        for accumulators in sums:
            for column in accumulators:
                for one in column:
                    one.set(0)
        return sums

    def _convolve(
        self, corner: Array, filters: Array, tile: Tile
    ) -> list[list[list[Variable]]]:
        """The sums of a tile."""
        function, layer = self.function, self.layer
        sums = self._cleared(tile)
        wide = tile.vectors * self.lanes

        def taps(pixels: Array, weights: Array, count: int) -> None:
            for tap in range(count):
                columns = [
                    weights[tap * wide + v * self.lanes].load(self.lanes)
                    for v in range(tile.vectors)
                ]
                for i, accumulators in enumerate(sums):
                    for j, column in enumerate(accumulators):
                        pixel = pixels[tap + layer.step(i, j)].load_all(self.lanes)
                        for one, weight in zip(column, columns, strict=True):
                            one.set(function.multiply_add(pixel, weight, one.get()))

        # Taps that meet the same pixel, in different positions of the tile, are kept
        # apart: else the compiler keeps pixels in registers that the sums need.
        unrolled = min(_UNROLLED, layer.step(0, 1), layer.run)
        whole = layer.run - layer.run % unrolled
        starts = layer.runs
        rows, per_row = layer.filter_size[0], len(starts) // layer.filter_size[0]
        with function.loop(0, rows) as i:
            down = layer.dilations[0] * layer.image_size[1] * layer.channels
            for j in range(per_row):
                pixels = corner[i * down + starts[j]]
                weights = filters[(i * per_row + j) * (layer.run * wide)]
                with function.loop(0, whole, unrolled) as start:
                    taps(pixels[start], weights[start * wide], unrolled)
                taps(pixels[whole], weights[whole * wide], layer.run - whole)
        return sums

    def _finds_infinities(self, filters: int) -> Value:
        """Whether a filter holds an infinity or NaN."""
        function, weights = self.function, self.function.arguments["filters"]
        total = function.variable(self.type, 0)
        with function.loop(0, filters * self.layer.taps, self.lanes) as start:
            numbers = weights[start].load(self.lanes)
            total.set(total.get() + numbers * 0)
        return total.get().compare("uno", 0).any()

    def _blank(self, first_filter: Value, depth: int) -> None:
        """What is written where all pixels are zero, for a group of filters."""
        bias = self.function.arguments["bias"][first_filter]
        zeros = [self.function.zero(self.type)] * self.layer.epilogue.area
        self.blank = [
            window_output(self.layer, zeros, bias[v * self.lanes].load(self.lanes))
            for v in range(depth)
        ]

    def _unrolled(
        self,
        corner: Array,
        filters: Array,
        bias: Array,
        goal: tuple[Array, Array],
        tile: Tile,
        tail: int,
    ) -> None:
        """Convolves and writes a tile, every tap written out.

        Rows of pixels are left out where they are blank.
        """
        function, layer = self.function, self.layer
        counts_blanks = self.counts_blanks
        height = (tile.rows - 1) * layer.strides[0] + layer.filter_size[0]
        rows = [self._pixels_seen(corner, row, tile) for row in range(height)]
        seen = rows[0]
        for row in rows[1:]:
            seen = seen | row
        any_seen = seen.any() | counts_blanks
        with function.when(any_seen):
            sums = self._cleared(tile)
            for row in range(height):
                with function.when(rows[row].any() | counts_blanks):
                    self._row(corner, row, filters, sums, tile)
            self._write(sums, bias, goal, tile, tail)
        with function.when(any_seen.compare("eq", 0)):
            for v, i, j in self._windows(tile):
                cut = tail if v == tile.vectors - 1 else 0
                place = self._place(v, i, j)
                for target, value in zip(goal, self.blank[v], strict=False):
                    target[place].store(value, cut)

    def _pixels_seen(self, corner: Array, row: int, tile: Tile) -> Value:
        """The bits of all pixels that a tile meets in a row, in one vector."""
        layer = self.layer
        bits = {"float": "i32", "double": "i64"}[layer.element]
        length = (tile.columns - 1) * layer.step(0, 1) + layer.run
        lanes = min(16 if layer.element == "float" else 8, 1 << length.bit_length() - 1)
        seen = None
        for start in (*range(0, length - lanes, lanes), length - lanes):
            place = corner[row * layer.image_size[1] * layer.channels + start]
            part = Array(self.function, bits, place.text).load(lanes)
            seen = part if seen is None else seen | part
        return seen

    def _row(
        self,
        corner: Array,
        row: int,
        filters: Array,
        sums: list[list[list[Variable]]],
        tile: Tile,
    ) -> None:
        """Adds what a row of pixels gives to a tile's sums."""
        function, layer = self.function, self.layer
        wide, step = tile.vectors * self.lanes, layer.step(0, 1)
        pixels = corner[row * layer.image_size[1] * layer.channels]
        users = [
            (accumulators, row - i * layer.strides[0])
            for i, accumulators in enumerate(sums)
            if 0 <= row - i * layer.strides[0] < layer.filter_size[0]
        ]
        for tap in range(layer.run):
            for accumulators, filter_row in users:
                weights = filters[(filter_row * layer.run + tap) * wide]
                columns = [
                    weights[v * self.lanes].load(self.lanes)
                    for v in range(tile.vectors)
                ]
                for j, column in enumerate(accumulators):
                    pixel = pixels[tap + j * step].load_all(self.lanes)
                    for one, weight in zip(column, columns, strict=True):
                        one.set(function.multiply_add(pixel, weight, one.get()))

    def _windows(self, tile: Tile) -> list[tuple[int, int, int]]:
        """Of a tile: the vector of filters, the row and the column of each window."""
        down, across = self.layer.epilogue.window
        return [
            (v, i, j)
            for v in range(tile.vectors)
            for i in range(tile.rows // down)
            for j in range(tile.columns // across)
        ]

    def _place(self, v: int, i: int, j: int) -> int:
        """Where in the output a window of a tile is."""
        _, out_columns = self.layer.out_size
        return (i * out_columns + j) * self.layer.filters + v * self.lanes

    def _write(
        self,
        sums: list[list[list[Variable]]],
        bias: Array,
        goal: tuple[Array, Array],
        tile: Tile,
        tail: int,
    ) -> None:
        """Bias, rectifier, pool; then the output and the mask."""
        down, across = self.layer.epilogue.window
        for v, i, j in self._windows(tile):
            window = [
                sums[i * down + a][j * across + b][v].get()
                for a in range(down)
                for b in range(across)
            ]
            shift = bias[v * self.lanes].load(self.lanes)
            cut = tail if v == tile.vectors - 1 else 0
            place = self._place(v, i, j)
            for target, value in zip(
                goal, window_output(self.layer, window, shift), strict=False
            ):
                target[place].store(value, cut)
