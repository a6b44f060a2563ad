"""Generates 3x3 convolutions by Winograd's minimal filtering, F(2x2, 3x3).

A tile of 2x2 outputs needs 16 multiplications a channel and filter where the plain
sum needs 36. Images and filters are transformed, multiplied as 16 matrix products,
and the products transformed back (Lavin and Gray, *Fast Algorithms for
Convolutional Neural Networks*, 2015). Where a 2x2 max pool follows, its window is
the tile.

Equal sums must stay equal there, for a pool's gradient goes to all its maxima. Where
pixels are the same along a row or a column, the products that tell two sums apart
are zero, exactly. Not so along a diagonal: sums that lie diagonally and differ by no
more than rounding are added anew, plainly.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from pytensor_nnet.kernels.llvm.compiler import CPU, compile_function, host
from pytensor_nnet.kernels.llvm.epilogue import window_output
from pytensor_nnet.kernels.llvm.ir import Array, Function, Value, vector
from pytensor_nnet.kernels.llvm.layer import Layer, Tile, round_up, split

__all__ = ["Winograd", "suits_winograd"]

_FEWEST_CHANNELS = 8
# Bytes of transformed images and products at a time, to stay in a core's cache.
_BLOCK = 256 * 1024
_UNROLLED = 4
# Sums that differ by less of the largest may be equal but for rounding.
_NEAR = 2.0**-14
_PADDING = 16


def suits_winograd(layer: Layer) -> bool:
    """Whether it computes the layer, and saves time.

    Only for float32, where a sum's rounding is not what traces are compared by.
    """
    rows, columns = layer.convolved_size
    return (
        layer.element == "float"
        and layer.filter_size == (3, 3)
        and layer.strides == layer.dilations == (1, 1)
        and min(layer.channels, layer.filters) >= _FEWEST_CHANNELS
        and (
            layer.epilogue.window == (2, 2)
            or (layer.epilogue.window == (1, 1) and rows % 2 == columns % 2 == 0)
        )
    )


@dataclass(frozen=True)
class Winograd:
    """The kernels of one layer.

    Parameters
    ----------
    layer : Layer
    """

    layer: Layer

    @property
    def tiles(self) -> tuple[int, int]:
        """``(rows, columns)`` of an image's tiles."""
        rows, columns = self.layer.convolved_size
        return rows // 2, columns // 2

    def filters(self, cpu: CPU) -> int:
        """Filters, up to a whole number of vectors."""
        lanes = cpu.lanes(self.layer.element)
        return round_up(self.layer.filters, lanes)

    def block_rows(self, cpu: CPU) -> int:
        """Rows of tiles that are worked on at a time."""
        rows, columns = self.tiles
        width = self.layer.channels + self.filters(cpu)
        return max(1, min(rows, _BLOCK // (16 * columns * width * self.layer.itemsize)))

    def tile(self, cpu: CPU) -> Tile:
        """Of a product: so many tiles of an image, so many vectors of filters."""
        lanes = cpu.lanes(self.layer.element)
        vectors = self.filters(cpu) // lanes
        length = self.block_rows(cpu) * self.tiles[1]
        candidates = [
            Tile(1, width, depth)
            for depth in range(1, min(vectors, 4) + 1)
            for width in range(1, length + 1)
            if width * depth + depth + 1 <= cpu.registers
        ]

        def cost(tile: Tile) -> float:
            return sum(
                n * k * Tile(1, width, depth).cycles()
                for n, width in split(length, tile.columns)
                for k, depth in split(vectors, tile.vectors)
            )

        return min(candidates, key=lambda tile: (cost(tile), -tile.accumulators))

    def pitches(self, cpu: CPU) -> tuple[int, int, int]:
        """From one of the 16 matrices to the next: images, filters, products.

        Padded, for powers of two would meet in the same lines of the cache.
        """
        tiles = self.block_rows(cpu) * self.tiles[1]
        channels, filters = self.layer.channels, self.filters(cpu)
        return (
            tiles * channels + _PADDING,
            channels * filters + _PADDING,
            tiles * filters + _PADDING,
        )

    def transformed_size(self, cpu: CPU) -> int:
        """Numbers of the transformed filters."""
        return 16 * self.pitches(cpu)[1]

    def scratch(self, cpu: CPU) -> int:
        """Numbers that a task needs to work with."""
        images, _, products = self.pitches(cpu)
        return 16 * (images + products)

    def pack_filters(self, filters: np.ndarray) -> np.ndarray:
        """Filters ``(filters, taps)`` as the transformation reads them: ``(taps,
        filters)``, up to a whole number of vectors.
        """
        packed = np.zeros((self.layer.taps, self.filters(host())), filters.dtype)
        packed[:, : self.layer.filters] = filters.T
        return packed


@cache
def transformation_kernel(winograd: Winograd) -> Callable[..., None]:
    """``kernel(source, target)``: of packed filters."""
    return compile_function(generate_transformation(winograd, host()))


@cache
def winograd_kernel(winograd: Winograd) -> Callable[..., None]:
    """``kernel(images, filters, packed, bias, out, mask, scratch, first, last)``.

    As :func:`~pytensor_nnet.kernels.llvm.forward.forward_kernel`, with transformed
    filters, the packed ones they were made of, and memory to work with.
    """
    return compile_function(generate_winograd(winograd, host()))


def generate_transformation(winograd: Winograd, cpu: CPU) -> Function:
    """The kernel of :func:`transformation_kernel`, not compiled."""
    layer = winograd.layer
    element = f"{layer.element}*"
    function = Function("winograd_filters", {"source": element, "target": element})
    source, target = function.arguments.values()
    lanes, filters = cpu.lanes(layer.element), winograd.filters(cpu)
    depth = winograd.tile(cpu).vectors
    _, pitch, _ = winograd.pitches(cpu)

    def transformed(one: list[Value]) -> list[Value]:
        ends = one[0] + one[2]
        return [one[0], (ends + one[1]) * 0.5, (ends - one[1]) * 0.5, one[2]]

    def group(first: Value, vectors: int) -> None:
        wide = vectors * lanes
        with function.loop(0, layer.channels) as channel:
            for v in range(vectors):
                place = channel * filters + first + v * lanes
                columns = [
                    [
                        source[place][(3 * y + x) * layer.channels * filters].load(
                            lanes
                        )
                        for y in range(3)
                    ]
                    for x in range(3)
                ]
                half = [transformed(column) for column in columns]
                goal = first * layer.channels + channel * wide + v * lanes
                for y in range(4):
                    row = transformed([half[x][y] for x in range(3)])
                    for x, value in enumerate(row):
                        target[goal][(4 * y + x) * pitch].store(value)

    whole, rest = divmod(filters // lanes, depth)
    with function.loop(0, whole * depth * lanes, depth * lanes) as first:
        group(first, depth)
    if rest:
        group(function.integer(whole * depth * lanes), rest)
    return function


def generate_winograd(winograd: Winograd, cpu: CPU) -> Function:
    """The kernel of :func:`winograd_kernel`, not compiled."""
    layer = winograd.layer
    element = f"{layer.element}*"
    function = Function(
        "winograd",
        {
            **dict.fromkeys(("images", "filters", "packed", "bias", "out"), element),
            "mask": f"{layer.epilogue.mask_type}*",
            "scratch": element,
            "first": "i64",
            "last": "i64",
        },
    )
    _Forward(function, winograd, cpu).write()
    return function


class _Forward:
    def __init__(self, function: Function, winograd: Winograd, cpu: CPU):
        self.function, self.winograd, self.layer = function, winograd, winograd.layer
        self.lanes = cpu.lanes(self.layer.element)
        self.type = vector(self.lanes, self.layer.element)
        self.filters = winograd.filters(cpu)
        self.rows = winograd.block_rows(cpu)
        self.tile = winograd.tile(cpu)
        self.image_pitch, self.filter_pitch, self.product_pitch = winograd.pitches(cpu)
        self.transformed = function.arguments["scratch"]
        self.products = self.transformed[16 * self.image_pitch]

    def write(self) -> None:
        function, layer = self.function, self.layer
        arguments = function.arguments
        rows, columns = layer.image_size
        out_rows, out_columns = layer.out_size
        tile_rows, _ = self.winograd.tiles
        whole = tile_rows // self.rows * self.rows
        with function.loop(arguments["first"], arguments["last"]) as image:
            pixels = arguments["images"][image * (rows * columns * layer.channels)]
            place = image * (out_rows * out_columns * layer.filters)
            goal = arguments["out"][place], arguments["mask"][place]
            with function.loop(0, whole, self.rows) as row:
                self._block(pixels, goal, row, self.rows)
            if whole < tile_rows:
                row = function.integer(whole)
                self._block(pixels, goal, row, tile_rows - whole)

    def _block(
        self, pixels: Array, goal: tuple[Array, Array], row: Value, rows: int
    ) -> None:
        step = 2 * self.layer.image_size[1] * self.layer.channels
        self._transform(pixels[row * step], rows)
        self._multiply(rows * self.winograd.tiles[1])
        self._transform_back(pixels[row * step], goal, row, rows)

    def _transform(self, pixels: Array, rows: int) -> None:
        function, layer, lanes = self.function, self.layer, self.lanes
        channels, line = layer.channels, layer.image_size[1] * layer.channels
        columns = self.winograd.tiles[1]

        def transformed(one: list[Value]) -> list[Value]:
            return [
                one[0] - one[2],
                one[1] + one[2],
                one[2] - one[1],
                one[1] - one[3],
            ]

        def part(source: Array, target: Array, tail: int) -> None:
            half = [
                transformed(
                    [
                        source[y * line + x * channels].load(lanes, tail)
                        for y in range(4)
                    ]
                )
                for x in range(4)
            ]
            for y in range(4):
                for x, value in enumerate(transformed([half[k][y] for k in range(4)])):
                    # What is written beyond a tile's channels is overwritten by the
                    # next tile, and read by none.
                    target[(4 * y + x) * self.image_pitch].store(value)

        with function.loop(0, rows) as row, function.loop(0, columns) as column:
            source = pixels[row * (2 * line) + column * (2 * channels)]
            target = self.transformed[(row * columns + column) * channels]
            whole = channels // lanes * lanes
            with function.loop(0, whole, lanes) as channel:
                part(source[channel], target[channel], 0)
            if whole < channels:
                part(source[whole], target[whole], channels - whole)

    def _multiply(self, tiles: int) -> None:
        function, lanes = self.function, self.lanes
        depth = self.tile.vectors
        whole, rest = divmod(self.filters // lanes, depth)

        def group(matrix: Value, first: Value, vectors: int) -> None:
            place = matrix * self.filter_pitch + first * self.layer.channels
            weights = function.arguments["filters"][place]
            full = tiles // self.tile.columns * self.tile.columns
            if full:
                with function.loop(0, full, self.tile.columns) as tile:
                    self._sum(matrix, first, weights, tile, self.tile.columns, vectors)
            if full < tiles:
                last = function.integer(full)
                self._sum(matrix, first, weights, last, tiles - full, vectors)

        with function.loop(0, 16) as matrix:
            with function.loop(0, whole * depth * lanes, depth * lanes) as first:
                group(matrix, first, depth)
            if rest:
                group(matrix, function.integer(whole * depth * lanes), rest)

    def _sum(
        self,
        matrix: Value,
        first: Value,
        weights: Array,
        tile: Value,
        width: int,
        vectors: int,
    ) -> None:
        """Some tiles' products with a group of filters, in registers."""
        function, lanes, channels = self.function, self.lanes, self.layer.channels
        source = self.transformed[matrix * self.image_pitch + tile * channels]
        sums = [
            [function.variable(self.type, 0) for _ in range(vectors)]
            for _ in range(width)
        ]

        def add(channel: Value | int, count: int) -> None:
            pixels = source[channel]
            columns = weights[channel * (vectors * lanes)]
            for k in range(count):
                column = [
                    columns[(k * vectors + v) * lanes].load(lanes)
                    for v in range(vectors)
                ]
                for i, of_tile in enumerate(sums):
                    pixel = pixels[k + i * channels].load_all(lanes)
                    for one, weight in zip(of_tile, column, strict=True):
                        one.set(function.multiply_add(pixel, weight, one.get()))

        whole = channels // _UNROLLED * _UNROLLED
        with function.loop(0, whole, _UNROLLED) as channel:
            add(channel, _UNROLLED)
        if whole < channels:
            add(whole, channels - whole)
        place = matrix * self.product_pitch + tile * self.filters + first
        target = self.products[place]
        for i, of_tile in enumerate(sums):
            for v, one in enumerate(of_tile):
                target[i * self.filters + v * lanes].store(one.get())

    def _transform_back(
        self, pixels: Array, goal: tuple[Array, Array], first_row: Value, rows: int
    ) -> None:
        function, lanes = self.function, self.lanes
        whole = self.layer.filters // lanes * lanes
        with function.loop(0, whole, lanes) as filter_:
            self._write(pixels, goal, first_row, rows, filter_, 0)
        if whole < self.layer.filters:
            tail = self.layer.filters - whole
            self._write(pixels, goal, first_row, rows, function.integer(whole), tail)

    def _write(
        self,
        pixels: Array,
        goal: tuple[Array, Array],
        first_row: Value,
        rows: int,
        filter_: Value,
        tail: int,
    ) -> None:
        function, layer, lanes = self.function, self.layer, self.lanes
        columns = self.winograd.tiles[1]
        bias = function.arguments["bias"][filter_].load(lanes)
        pooled = layer.epilogue.area > 1
        pitch = layer.out_size[1] * layer.filters

        def transformed(one: list[Value]) -> list[Value]:
            return [one[0] + one[1] + one[2], one[1] - one[2] - one[3]]

        with function.loop(0, rows) as row, function.loop(0, columns) as column:
            source = self.products[(row * columns + column) * self.filters + filter_]
            half = [
                transformed(
                    [
                        source[(4 * y + x) * self.product_pitch].load(lanes)
                        for y in range(4)
                    ]
                )
                for x in range(4)
            ]
            sums = [transformed([half[x][y] for x in range(4)]) for y in range(2)]
            if pooled:
                corner = row * (2 * layer.image_size[1]) + column * 2
                window = self._told_apart(
                    [*sums[0], *sums[1]], pixels[corner * layer.channels], filter_
                )
                windows = [(0, 0, window)]
                step = 1
            else:
                windows = [(y, x, [sums[y][x]]) for y in range(2) for x in range(2)]
                step = 2
            place = (first_row + row) * (step * pitch)
            place = place + column * (step * layer.filters) + filter_
            for y, x, window in windows:
                here = place + (y * pitch + x * layer.filters)
                for target, value in zip(
                    goal,
                    window_output(layer, [one + bias for one in window]),
                    strict=False,
                ):
                    target[here].store(value, tail)

    def _told_apart(
        self, window: list[Value], pixels: Array, filter_: Value
    ) -> list[Value]:
        """A window's sums; if two that lie diagonally are almost equal, added anew."""
        function = self.function
        sizes = [function.apply("fabs", one) for one in window]
        bound = sizes[0]
        for size in sizes[1:]:
            bound = size.compare("ogt", bound).select(size, bound)
        bound = bound * _NEAR
        near = None
        for one, other in (window[0], window[3]), (window[1], window[2]):
            apart = function.apply("fabs", one - other)
            bits = apart.compare("ole", bound) & apart.compare("ogt", 0)
            near = bits if near is None else near | bits
        chosen = [function.variable(self.type, one) for one in window]
        with function.when(near.any()):
            for one, again in zip(chosen, self._plain(pixels, filter_), strict=True):
                one.set(again)
        return [one.get() for one in chosen]

    def _plain(self, pixels: Array, filter_: Value) -> list[Value]:
        """The sums of a window, tap by tap."""
        function, layer = self.function, self.layer
        line = layer.image_size[1] * layer.channels
        sums = [function.variable(self.type, 0) for _ in range(4)]
        weights = function.arguments["packed"][filter_]
        with (
            function.loop(0, 3) as row,
            function.loop(0, 3 * layer.channels) as place,
        ):
            tap = row * (3 * layer.channels) + place
            weight = weights[tap * self.filters].load(self.lanes)
            source = pixels[row * line + place]
            for one, (y, x) in zip(sums, product(range(2), repeat=2), strict=True):
                pixel = source[y * line + x * layer.channels].load_all(self.lanes)
                one.set(function.multiply_add(pixel, weight, one.get()))
        return [one.get() for one in sums]
