"""Generates the convolution, with what follows it, of one layer."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from pytensor_nnet.kernels.llvm.compiler import CPU, compile_function, host
from pytensor_nnet.kernels.llvm.epilogue import window_output
from pytensor_nnet.kernels.llvm.ir import (
    Array,
    Function,
    Operand,
    Value,
    Variable,
    vector,
)
from pytensor_nnet.kernels.llvm.layer import Layer, Tile, choose_tile, round_up

__all__ = ["Direct", "forward_kernel", "generate_forward", "skips_blanks"]

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
        layer.has_few_channels
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
        padded = round_up(layer.filters, lanes)
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


@dataclass(frozen=True)
class _Group:
    """Filters side by side: the first, what is packed of them, their biases, and how
    many vectors they are. Of the last vector only ``tail`` are there, if it is not 0.
    """

    first: Value
    filters: Array
    bias: Array
    vectors: int
    tail: int


@dataclass(frozen=True)
class _Goal:
    """Where is written, of the output and the mask."""

    out: Array
    mask: Array

    def at(self, place: Operand) -> "_Goal":
        return _Goal(self.out[place], self.mask[place])


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

        Where zeros are left out, filters are small, and groups are innermost: what
        is found of a tile's pixels serves them all, and a CPU that has met a tile's
        blank rows for the first of them expects them for the next.
        """
        function, arguments = self.function, self.function.arguments
        images = arguments["first"], arguments["last"]
        if self.skips_blanks:
            self.counts_blanks = self._finds_infinities()
            with function.loop(*images) as image:
                self._over_tiles(image, self._leave_out_blanks)
            return

        def of_group(group: _Group) -> None:
            def add(corner: Array, goal: _Goal, rows: int, columns: int) -> None:
                tile = Tile(rows, columns, group.vectors)
                sums = self._convolve(corner, group, tile)
                self._write(goal, group, tile, self._window_of(sums))

            with function.loop(*images) as image:
                self._over_tiles(image, add)

        self._over_groups(of_group)

    def _over_groups(self, body: Callable[[_Group], None]) -> None:
        """All filters, as many vectors at a time as a tile has."""
        function, layer, lanes = self.function, self.layer, self.lanes
        vectors, tail = -(-layer.filters // lanes), layer.filters % lanes
        whole, rest = divmod(vectors, self.tile.vectors)
        wide = self.tile.vectors * lanes

        def group(index: Value, depth: int, tail: int) -> None:
            filters = function.arguments["filters"][index * (layer.taps * wide)]
            bias = function.arguments["bias"][index * wide]
            body(_Group(index * wide, filters, bias, depth, tail))

        uncut = whole - 1 if tail and not rest else whole
        if uncut:
            with function.loop(0, uncut) as index:
                group(index, self.tile.vectors, 0)
        if uncut < whole:
            group(function.integer(uncut), self.tile.vectors, tail)
        if rest:
            group(function.integer(whole), rest, tail)

    def _over_tiles(
        self, image: Value, body: Callable[[Array, _Goal, int, int], None]
    ) -> None:
        """All of an image's tiles: the pixels at its corner, where it is written,
        rows and columns.
        """
        layer, arguments = self.layer, self.function.arguments
        rows, columns = layer.image_size
        out_rows, out_columns = layer.out_size
        pixels = arguments["images"][image * (rows * columns * layer.channels)]
        place = image * (out_rows * out_columns * layer.filters)
        goal = _Goal(arguments["out"][place], arguments["mask"][place])
        down, across = layer.epilogue.window
        for top, height in self._progression(out_rows * down, self.tile.rows):
            with top as row:
                for left, width in self._progression(
                    out_columns * across, self.tile.columns
                ):
                    with left as column:
                        corner = row * layer.step(1, 0) + column * layer.step(0, 1)
                        window = (row // down) * out_columns + column // across
                        here = goal.at(window * layer.filters)
                        body(pixels[corner], here, height, width)

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

    def _begun(self, group: _Group, tile: Tile) -> list[list[list[Variable]]]:
        """Sums of the bias alone: by row, column, vector of filters."""
        biases = self._biases(group)
        free = iter(self.sums)
        sums = [
            [[next(free) for _ in range(tile.vectors)] for _ in range(tile.columns)]
            for _ in range(tile.rows)
        ]
        for accumulators in sums:
            for column in accumulators:
                for one, first in zip(column, biases, strict=True):
                    one.set(first)
        return sums

    def _biases(self, group: _Group) -> list[Value]:
        lanes = self.lanes
        return [group.bias[v * lanes].load(lanes) for v in range(group.vectors)]

    def _convolve(
        self, corner: Array, group: _Group, tile: Tile
    ) -> list[list[list[Variable]]]:
        """The sums of a tile."""
        function, layer, filters = self.function, self.layer, group.filters
        sums = self._begun(group, tile)
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

    def _finds_infinities(self) -> Value:
        """Whether a filter holds an infinity or NaN."""
        function, weights = self.function, self.function.arguments["filters"]
        size = round_up(self.layer.filters, self.lanes) * self.layer.taps
        total = function.variable(self.type, 0)
        with function.loop(0, size, self.lanes) as start:
            numbers = weights[start].load(self.lanes)
            total.set(total.get() + numbers * 0)
        return total.get().compare("uno", 0).any()

    def _leave_out_blanks(
        self, corner: Array, goal: _Goal, rows: int, columns: int
    ) -> None:
        """Convolves and writes a tile of all filters, every tap written out.

        Rows of pixels are left out where they are blank.
        """
        function = self.function
        height = (rows - 1) * self.layer.strides[0] + self.layer.filter_size[0]
        used = [
            self._pixels_seen(corner, row, columns).any() | self.counts_blanks
            for row in range(height)
        ]
        any_used = used[0]
        for one in used[1:]:
            any_used = any_used | one

        def add(group: _Group) -> None:
            tile = Tile(rows, columns, group.vectors)
            sums = self._begun(group, tile)
            for row, is_used in enumerate(used):
                with function.when(is_used):
                    self._add_row(corner, row, group, sums, tile)
            self._write(goal, group, tile, self._window_of(sums))

        def write_blank(group: _Group) -> None:
            tile = Tile(rows, columns, group.vectors)
            biases, area = self._biases(group), self.layer.epilogue.area
            self._write(goal, group, tile, lambda v, i, j: [biases[v]] * area)

        with function.when(any_used):
            self._over_groups(add)
        with function.when(any_used.compare("eq", 0)):
            self._over_groups(write_blank)

    def _pixels_seen(self, corner: Array, row: int, columns: int) -> Value:
        """The bits of all pixels that a tile meets in a row, in one vector."""
        layer = self.layer
        bits = {"float": "i32", "double": "i64"}[layer.element]
        length = (columns - 1) * layer.step(0, 1) + layer.run
        lanes = min(16 if layer.element == "float" else 8, 1 << length.bit_length() - 1)
        seen = None
        for start in (*range(0, length - lanes, lanes), length - lanes):
            place = corner[row * layer.image_size[1] * layer.channels + start]
            part = Array(self.function, bits, place.text).load(lanes)
            seen = part if seen is None else seen | part
        return seen

    def _add_row(
        self,
        corner: Array,
        row: int,
        group: _Group,
        sums: list[list[list[Variable]]],
        tile: Tile,
    ) -> None:
        """Adds what a row of pixels gives to a tile's sums.

        Each sum takes the filters' rows in one order, so that equal sums are equal
        bit for bit.
        """
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
                weights = group.filters[(filter_row * layer.run + tap) * wide]
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

    def _window_of(
        self, sums: list[list[list[Variable]]]
    ) -> Callable[[int, int, int], list[Value]]:
        """Of a vector of filters: the sums of the window in a row and a column."""
        down, across = self.layer.epilogue.window
        return lambda v, i, j: [
            sums[i * down + a][j * across + b][v].get()
            for a in range(down)
            for b in range(across)
        ]

    def _write(
        self,
        goal: _Goal,
        group: _Group,
        tile: Tile,
        window: Callable[[int, int, int], list[Value]],
    ) -> None:
        """Rectifier, pool; then the output and the mask of each window of a tile."""
        goal = goal.at(group.first)
        for v, i, j in self._windows(tile):
            results = window_output(self.layer, window(v, i, j))
            here = goal.at(self._place(v, i, j))
            cut = group.tail if v == group.vectors - 1 else 0
            for target, value in zip((here.out, here.mask), results, strict=False):
                target.store(value, cut)
