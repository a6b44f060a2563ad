"""Generates the convolution, with what follows it, of one layer."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from typing import Any

import numpy as np

from pytensor_nnet.kernels.llvm.compiler import CPU, compile_function, host
from pytensor_nnet.kernels.llvm.ir import Array, Function, Value, Variable, vector
from pytensor_nnet.kernels.llvm.layer import Layer, Tile, choose_tile

__all__ = ["forward_kernel", "generate_forward", "pack_filters"]

# Images of more channels are hardly ever blank along a whole run.
_BLANK_CHANNELS = 4
_UNROLLED = 4


@cache
def forward_kernel(layer: Layer) -> Callable[..., None]:
    """``kernel(images, filters, bias, out, mask, skips_blanks, first, last)``.

    Convolves the images from ``first`` up to ``last``. All but the integers are
    addresses: of padded images, channels last; of filters as
    :func:`pack_filters` makes them; of a bias for each filter, zeros up to a whole
    number of vectors; of the output and, if it is kept, the mask, both ``(batch,
    rows, columns, filters)``. ``skips_blanks`` other than 0 promises that no filter
    holds an infinity or NaN, and allows to leave out zeros.
    """
    return compile_function(generate_forward(layer, host()))


def pack_filters(filters: np.ndarray, layer: Layer) -> np.ndarray:
    """Filters ``(filters, taps)`` as the kernel reads them.

    A tile's filters are side by side, ``(taps, filters of the tile)``, tile after
    tile; zeros fill the last vector.
    """
    cpu = host()
    lanes, tile = cpu.lanes(layer.element), choose_tile(layer, cpu)
    padded = -(-layer.filters // lanes) * lanes
    wide = tile.vectors * lanes
    whole = padded // wide * wide
    full = np.zeros((padded, layer.taps), filters.dtype)
    full[: layer.filters] = filters
    packed = np.empty(padded * layer.taps, filters.dtype)
    split = whole * layer.taps
    packed[:split].reshape(-1, layer.taps, wide)[:] = (
        full[:whole].reshape(-1, wide, layer.taps).swapaxes(1, 2)
    )
    packed[split:].reshape(layer.taps, padded - whole)[:] = full[whole:].T
    return packed


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
            "skips_blanks": "i64",
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
        self.tile = choose_tile(layer, cpu)
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
            with function.loop(arguments["first"], arguments["last"]) as image:
                self._image(image, filters, index * wide, depth, tail)

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
                        sums = self._convolve(pixels[corner], filters, tile)
                        window = (row // down) * out_columns + column // across
                        offset = window * layer.filters
                        self._write(sums, bias, out[offset], mask[offset], tile, tail)

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

    def _convolve(
        self, corner: Array, filters: Array, tile: Tile
    ) -> list[list[list[Variable]]]:
        """The sums of a tile: by row, column, vector of filters."""
        function, layer = self.function, self.layer
        free = iter(self.sums)
        sums = [
            [[next(free) for _ in range(tile.vectors)] for _ in range(tile.columns)]
            for _ in range(tile.rows)
        ]
        for accumulators in sums:
            for column in accumulators:
                for one in column:
                    one.set(0)
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

        def run(pixels: Array, weights: Array) -> None:
            with function.loop(0, whole, unrolled) as start:
                taps(pixels[start], weights[start * wide], unrolled)
            taps(pixels[whole], weights[whole * wide], layer.run - whole)

        starts = layer.runs
        rows, per_row = layer.filter_size[0], len(starts) // layer.filter_size[0]
        with function.loop(0, rows) as i:
            down = layer.dilations[0] * layer.image_size[1] * layer.channels
            for j in range(per_row):
                pixels = corner[i * down + starts[j]]
                weights = filters[(i * per_row + j) * (layer.run * wide)]
                if layer.channels > _BLANK_CHANNELS:
                    run(pixels, weights)
                else:
                    with function.when(self._is_needed(pixels, tile)):
                        run(pixels, weights)
        return sums

    def _is_needed(self, pixels: Array, tile: Tile) -> Value:
        """Whether any number that the tile meets in a run is not zero."""
        function, layer = self.function, self.layer
        bits = {"float": "i32", "double": "i64"}[layer.element]
        length = (tile.columns - 1) * layer.step(0, 1) + layer.run
        lanes = min(16 if layer.element == "float" else 8, 1 << length.bit_length() - 1)
        starts = [*range(0, length - lanes, lanes), length - lanes]
        seen = None
        for row in range(tile.rows):
            for start in starts:
                place = pixels[layer.step(row, 0) + start]
                part = Array(function, bits, place.text).load(lanes)
                seen = part if seen is None else seen | part
        any_bit = seen.convert("bitcast", f"i{lanes * int(bits[1:])}").compare("ne", 0)
        blanks_count = function.arguments["skips_blanks"].compare("eq", 0)
        return any_bit | blanks_count

    def _write(
        self,
        sums: list[list[list[Variable]]],
        bias: Array,
        out: Array,
        mask: Array,
        tile: Tile,
        tail: int,
    ) -> None:
        """Bias, rectifier, pool; then the output and the mask."""
        epilogue, filters = self.layer.epilogue, self.layer.filters
        down, across = epilogue.window
        _, out_columns = self.layer.out_size
        for v in range(tile.vectors):
            shift = bias[v * self.lanes].load(self.lanes)
            cut = tail if v == tile.vectors - 1 else 0
            for i in range(0, tile.rows, down):
                for j in range(0, tile.columns, across):
                    window = [
                        sums[i + a][j + b][v].get() + shift
                        for a in range(down)
                        for b in range(across)
                    ]
                    maximum = self._maximum(window)
                    place = (i // down * out_columns + j // across) * filters
                    place += v * self.lanes
                    out[place].store(self._rectified(maximum), cut)
                    if epilogue.keeps_mask:
                        mask[place].store(self._maxima(window, maximum), cut)

    def _maximum(self, window: list[Value]) -> Value:
        """NaN where any is."""
        maximum = window[0]
        for other in window[1:]:
            maximum = other.compare("ogt", maximum).select(other, maximum)
        if len(window) > 1:
            pairs = zip(window[::2], [*window[1::2], window[-1]], strict=False)
            unordered = None
            for one, other in pairs:
                bits = one.compare("uno", other)
                unordered = bits if unordered is None else unordered | bits
            nan = self.function.zero(self.type) / 0.0
            maximum = unordered.select(nan, maximum)
        return maximum

    def _rectified(self, x: Value) -> Value:
        slope = self.layer.epilogue.slope
        if slope is None:
            return x
        below = x * slope if slope else 0
        return x.compare("ugt", 0).select(x, below)

    def _maxima(self, window: list[Value], maximum: Value) -> Value:
        """A bit for each position whose value is the maximum."""
        width = {"float": 32, "double": 64}[self.layer.element]
        integers = vector(self.lanes, f"i{width}")
        zero = self.function.zero(integers)
        bits = zero
        for position, value in enumerate(window):
            bit = Value(
                self.function,
                integers,
                self.function.constant(1 << position, integers),
            )
            found = value.compare("ueq", maximum).select(bit, zero)
            bits = found if position == 0 else bits | found
        if self.layer.epilogue.slope == 0:
            bits = maximum.compare("uge", 0).select(bits, zero)
        return bits.convert("trunc", vector(self.lanes, self.layer.epilogue.mask_type))
