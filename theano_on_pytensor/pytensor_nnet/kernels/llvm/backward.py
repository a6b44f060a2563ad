"""Generates the gradients of one layer: of its filters, its bias and its images.

A rectifier and a max pool leave most of the convolution's gradient zero, and only
what is not zero costs time. Image after image, these steps share what is in the
cache:

1. The gradient is multiplied by the rectifier's derivative, for a whole number of
   vectors of filters.
2. For each filter the gradients that are not zero become a list of (where its
   window begins in the image, gradient), those of tied maxima among them; then
   ``filter's gradient += gradient * window``, entry after entry, in registers. With
   few channels, windows that are blank are left out, or
   :mod:`~pytensor_nnet.kernels.llvm.pixels` does it another way.
3. For each position the gradients that are not zero become a list of (filter,
   gradient); then ``window's gradient += gradient * filter``, in registers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from pytensor_nnet.kernels.llvm.compiler import CPU, compile_function, host
from pytensor_nnet.kernels.llvm.compression import Compression
from pytensor_nnet.kernels.llvm.ir import Array, Function, Value, Variable, vector
from pytensor_nnet.kernels.llvm.layer import Layer, round_up
from pytensor_nnet.kernels.llvm.pixels import PixelSum, sums_pixels
from pytensor_nnet.kernels.llvm.threads import spans
from pytensor_nnet.kernels.llvm.transposition import transposed_square

__all__ = ["Backward", "Scratch", "backward_kernel", "generate_backward"]

# Bytes of an image that stay in a core's first cache, beside all else.
_NEAR = 20 << 10
# Passes over a list that are written out, where these are fewer than a loop's.
_WRITTEN_OUT = 4
# Vectors of filters whose bias's gradient is summed at a time.
_ABREAST = 4


@dataclass(frozen=True)
class Scratch:
    """How many elements a kernel needs to work with, of each kind."""

    numbers: int
    bits: int
    offsets: int


@dataclass(frozen=True)
class _Part:
    """Numbers side by side in a run, a vector of them.

    ``place`` is where they begin in the image, ``at`` in the filter; where the run
    ends early, ``tail`` says how many there are, else it is 0.
    """

    place: int
    at: int
    tail: int


@dataclass(frozen=True)
class Backward:
    """What the gradients of a layer are generated for.

    Parameters
    ----------
    layer : Layer
    to_filters, to_images : bool
        Which gradients are wanted.
    """

    layer: Layer
    to_filters: bool = True
    to_images: bool = True

    def lanes(self, cpu: CPU) -> int:
        return cpu.lanes(self.layer.element)

    def unit(self, cpu: CPU) -> int:
        """How many lanes a vector of pixels has: no more than a run needs."""
        return min(self.lanes(cpu), 1 << (self.layer.run - 1).bit_length())

    @property
    def n_windows(self) -> int:
        rows, columns = self.layer.out_size
        return rows * columns

    @property
    def skips_blanks(self) -> bool:
        return self.layer.has_few_channels

    def pixel_sum(self, cpu: CPU) -> PixelSum | None:
        """What sums the filters' gradient pixel by pixel, at least of some images."""
        if self.to_images or not self.to_filters or not sums_pixels(self.layer, cpu):
            return None
        return PixelSum(self.layer, cpu)

    def windows(self, cpu: CPU) -> int:
        """Windows of an image and one that is none, up to whole vectors."""
        return round_up(self.n_windows + 1, self.lanes(cpu))

    def filters(self, cpu: CPU) -> int:
        """Filters, up to a whole number of vectors."""
        return round_up(self.layer.filters, self.lanes(cpu))

    def band(self, cpu: CPU) -> int:
        """Windows, in whole vectors, that all filters meet before the next ones: the
        part of the image that they see stays in the cache.
        """
        layer = self.layer
        rows, columns = layer.image_size
        row = columns * layer.channels * layer.itemsize
        if self.skips_blanks or rows * row <= _NEAR:
            return self.windows(cpu)
        (taps, _), (dilation, _) = layer.filter_size, layer.dilations
        free = _NEAR // row - (taps - 1) * dilation
        height = max(1, free // (layer.strides[0] * layer.epilogue.window[0]))
        return round_up(height * layer.out_size[1], self.lanes(cpu))

    def filter_shape(self, cpu: CPU) -> tuple[int, int, int]:
        """``(filters, runs, run)`` of filters, the runs with whole vectors."""
        layer = self.layer
        return (
            layer.filters,
            len(layer.runs),
            round_up(layer.run, self.unit(cpu)),
        )

    def unpack_gradient(self, gradient: np.ndarray, cpu: CPU) -> np.ndarray:
        """What the kernel wrote, as ``(filters, taps)``."""
        layer = self.layer
        whole = gradient.reshape(self.filter_shape(cpu))[..., : layer.run]
        return whole.reshape(layer.filters, layer.taps)

    def pack_filters(self, filters: np.ndarray, cpu: CPU) -> np.ndarray:
        """Filters ``(filters, taps)`` as the kernel reads them."""
        layer = self.layer
        packed = np.zeros(self.filter_shape(cpu), filters.dtype)
        packed[..., : layer.run] = filters.reshape(layer.filters, -1, layer.run)
        return packed

    def places(self, cpu: CPU) -> np.ndarray:
        """Where in an image each window begins."""
        layer = self.layer
        (rows, columns), (down, across) = layer.out_size, layer.epilogue.window
        places = np.zeros(self.windows(cpu), np.int32)
        places[: rows * columns] = np.add.outer(
            [layer.step(row * down, 0) for row in range(rows)],
            [layer.step(0, column * across) for column in range(columns)],
        ).ravel()
        return places

    def image_copy(self, cpu: CPU) -> int:
        """Numbers of a copy of an image, 0 where it is read itself.

        What is read in vectors must not end with the last image.
        """
        layer = self.layer
        if not self.to_filters or layer.run % self.unit(cpu) == 0:
            return 0
        rows, columns = layer.image_size
        return round_up(rows * columns * layer.channels + self.lanes(cpu), 64)

    def entries(self, cpu: CPU) -> int:
        """The most that a filter's list has, and what is written beyond."""
        return self.windows(cpu) * self.layer.epilogue.area + 2 * self.lanes(cpu)

    def lists(self, cpu: CPU) -> tuple[int, int]:
        """How many (offset, gradient) pairs the lists of filters and of positions
        have room for.
        """
        positions = self.n_windows * self.layer.epilogue.area
        return (
            self.to_filters * self.layer.filters * self.entries(cpu),
            self.to_images * positions * (self.filters(cpu) + self.lanes(cpu)),
        )

    def scratch(self, cpu: CPU) -> Scratch:
        block, lists = self.windows(cpu) * self.filters(cpu), sum(self.lists(cpu))
        counts = self.layer.filters + self.n_windows * self.layer.epilogue.area
        used = 2 * (self.windows(cpu) + self.lanes(cpu))
        numbers = 2 * block + lists + self.image_copy(cpu)
        offsets = lists + used + counts
        if pixel_sum := self.pixel_sum(cpu):
            numbers, offsets = numbers + pixel_sum.numbers, offsets + pixel_sum.listed
        return Scratch(numbers, 2 * block, offsets)


@cache
def backward_kernel(backward: Backward, filters_last: bool) -> Callable[..., None]:
    """The kernel that :func:`generate_backward` describes, compiled."""
    return compile_function(generate_backward(backward, filters_last, host()))


def generate_backward(backward: Backward, filters_last: bool, cpu: CPU) -> Function:
    """Gradients for the images from ``first`` up to ``last``.

    Writes ``to_filters``, ``to_bias`` and ``to_images``. ``gradient`` is that of the
    output: its strides, in numbers, come along; ``filters_last`` says that the last
    is 1. ``at_zero`` is the rectifier's derivative there.
    """
    layer = backward.layer
    element = f"{layer.element}*"
    mask = f"{layer.epilogue.mask_type}*"
    function = Function(
        "convolution_backward",
        {
            "images": element,
            "filters": element,
            "out": element,
            "mask": mask,
            "gradient": element,
            "to_filters": element,
            "to_bias": element,
            "to_images": element,
            "numbers": element,
            "bits": mask,
            "offsets": "i32*",
            "places": "i32*",
            "image_stride": "i64",
            "row_stride": "i64",
            "column_stride": "i64",
            "filter_stride": "i64",
            "at_zero": layer.element,
            "first": "i64",
            "last": "i64",
        },
    )
    _Backward(function, backward, filters_last, cpu).write()
    return function


@dataclass(frozen=True)
class _Given:
    """Of an image: the output's gradient, the output, the mask."""

    gradient: Array
    out: Array
    mask: Array


class _Backward:
    def __init__(
        self, function: Function, backward: Backward, filters_last: bool, cpu: CPU
    ):
        self.function, self.backward, self.layer = function, backward, backward.layer
        self.cpu, self.filters_last = cpu, filters_last
        self.lanes, self.unit = backward.lanes(cpu), backward.unit(cpu)
        self.type = vector(self.lanes, self.layer.element)
        self.integers = vector(
            self.lanes, {"float": "i32", "double": "i64"}[self.layer.element]
        )
        self.windows, self.filters = backward.windows(cpu), backward.filters(cpu)
        numbers, bits = function.arguments["numbers"], function.arguments["bits"]
        offsets = function.arguments["offsets"]
        block = self.windows * self.filters
        # The gradient and the mask by window, then by filter.
        self.by_window = numbers, bits
        self.by_filter = numbers[block], bits[block]
        # A list for each filter, one for each position in each window, and how long
        # they are.
        self.entries, self.pitch = backward.entries(cpu), self.filters + self.lanes
        of_filters, of_positions = backward.lists(cpu)
        lists = numbers[2 * block]
        self.values, self.offsets = lists, offsets
        self.listed_values = lists[of_filters]
        self.listed_offsets = offsets[of_filters]
        self.counts = offsets[of_filters + of_positions]
        self.listed_counts = self.counts[self.layer.filters]
        # Windows that are not blank, and a copy of the image.
        positions = backward.n_windows * self.layer.epilogue.area
        self.used = self.listed_counts[positions]
        self.used_places = self.used[self.windows + self.lanes]
        self.copy = lists[of_filters + of_positions]
        self.pixel_sum = backward.pixel_sum(cpu)

    def write(self) -> None:
        function, layer, backward = self.function, self.layer, self.backward
        arguments = function.arguments
        rows, columns = layer.image_size
        size = rows * columns * layer.channels
        self._begin()
        with function.loop(arguments["first"], arguments["last"]) as image:
            pixels = arguments["images"][image * size]
            place = image * (backward.n_windows * layer.filters)
            given = _Given(
                arguments["gradient"][image * arguments["image_stride"]],
                arguments["out"][place],
                arguments["mask"][place],
            )
            if self.pixel_sum:
                self._sum_pixels(self.pixel_sum, given, pixels, size)
            else:
                self._prepare(given)
                if backward.to_filters:
                    self._to_filters(pixels, size)
                if backward.to_images:
                    to_images = arguments["to_images"][image * size]
                    self._to_images(to_images, pixels[size], size)
        if self.pixel_sum:
            shape = backward.filter_shape(self.cpu)
            self.pixel_sum.finish(arguments["to_filters"], shape)

    def _begin(self) -> None:
        """Sums of nothing, and no gradient where there is no window."""
        arguments = self.function.arguments
        if self.backward.to_filters:
            size = np.prod(self.backward.filter_shape(self.cpu), dtype=int)
            arguments["to_filters"].clear(int(size), self.lanes)
        if self.pixel_sum:
            numbers = self.copy[self.backward.image_copy(self.cpu)]
            offsets = self.used_places[self.windows + self.lanes]
            self.pixel_sum.begin(self.function, numbers, offsets)
        arguments["to_bias"].clear(self.filters, self.lanes)
        place = self.backward.n_windows * self.filters
        rest = self.windows * self.filters - place
        gradients, masks = self.by_window
        gradients[place].clear(rest, self.lanes)
        with self.function.loop(0, rest) as index:
            zero = self.function.zero(self.layer.epilogue.mask_type)
            masks[place + index].store(zero)

    def _prepare(self, given: _Given) -> None:
        """The gradient times the rectifier's derivative, and the mask, by window;
        and the bias's gradient.
        """
        function, layer = self.function, self.layer
        to_bias = function.arguments["to_bias"]
        rows, columns = layer.out_size
        for first in range(0, self.filters, _ABREAST * self.lanes):
            starts = range(
                first, min(first + _ABREAST * self.lanes, self.filters), self.lanes
            )
            sums = [
                function.variable(self.type, to_bias[start].load(self.lanes))
                for start in starts
            ]
            with function.loop(0, rows) as row, function.loop(0, columns) as column:
                for start, bias in zip(starts, sums, strict=True):
                    self._prepare_filters(given, row, column, start, bias)
            for start, bias in zip(starts, sums, strict=True):
                to_bias[start].store(bias.get())

    def _prepare_filters(
        self, given: _Given, row: Value, column: Value, start: int, bias: Variable
    ) -> None:
        """Of a window, for a vector of filters."""
        function, epilogue = self.function, self.layer.epilogue
        tail = max(0, start + self.lanes - self.layer.filters) and (
            self.layer.filters - start
        )
        one, bits = self._gradient(given, row, column, function.integer(start), tail)
        gradients, masks = self.by_window
        place = (row * self.layer.out_size[1] + column) * self.filters + start
        gradients[place].store(one)
        if bits is None:
            bias.set(bias.get() + one)
            return
        masks[place].store(bits)
        if epilogue.area > 1:
            bits = function.apply("ctpop", bits)
        number = bits.convert("zext", self.integers).convert("uitofp", self.type)
        bias.set(function.multiply_add(number, one, bias.get()))

    def _gradient(
        self, given: _Given, row: Value, column: Value, start: Value, tail: int
    ) -> tuple[Value, Value | None]:
        """Of a window, for a vector of filters: the gradient before the rectifier,
        and the mask if there is one.
        """
        arguments, epilogue = self.function.arguments, self.layer.epilogue
        here = given.gradient[
            row * arguments["row_stride"] + column * arguments["column_stride"]
        ]
        place = (row * self.layer.out_size[1] + column) * self.layer.filters + start
        one = self._load_filters(here, start, tail)
        if epilogue.slope is not None:
            one = self._differentiate(one, given.out[place].load(self.lanes, tail))
        if not epilogue.keeps_mask:
            return one, None
        return one, given.mask[place].load(self.lanes, tail)

    def _load_filters(self, here: Array, start: Value, tail: int) -> Value:
        """The gradients of a window, for a vector of filters."""
        if self.filters_last:
            return here[start].load(self.lanes, tail)
        function = self.function
        stride = function.arguments["filter_stride"]
        value = function.zero(self.type)
        for lane in range(tail or self.lanes):
            number = here[(start + lane) * stride].load()
            value = function.emit(
                self.type,
                f"insertelement {self.type} {value.text}, "
                f"{number.type} {number.text}, i32 {lane}",
            )
        return value

    def _differentiate(self, gradient: Value, out: Value) -> Value:
        slope = self.layer.epilogue.slope
        at_zero = self.function.arguments["at_zero"].splat(self.lanes)
        result = out.compare("oeq", 0).select(gradient * at_zero, gradient)
        if slope:
            result = out.compare("olt", 0).select(gradient * slope, result)
        return result

    def _sum_pixels(
        self, pixel_sum: PixelSum, given: _Given, pixels: Array, size: int
    ) -> None:
        """The gradients of filters and bias, pixel by pixel where that is faster."""

        def gradients(
            row: Value, column: Value, start: Value, tail: int
        ) -> tuple[Value, Value | None]:
            one, bits = self._gradient(given, row, column, start, tail)
            return one, bits and bits.convert("zext", self.integers)

        def add() -> None:
            to_bias = self.function.arguments["to_bias"]
            pixel_sum.add(pixels, gradients, to_bias)

        is_faster = pixel_sum.is_faster(pixels)
        if is_faster is None:
            add()
            return
        with self.function.when(is_faster):
            add()
        with self.function.when(is_faster.compare("eq", 0)):
            self._prepare(given)
            self._to_filters(pixels, size)

    def _to_filters(self, pixels: Array, size: int) -> None:
        function = self.function
        if self.backward.image_copy(self.cpu):
            self._copy(pixels, size)
            pixels = self.copy
        n_windows, size = self.backward.n_windows, self.backward.band(self.cpu)
        if self.backward.skips_blanks:
            self._add_band(pixels, function.integer(0), self._find_used(pixels))
        elif size >= n_windows:
            self._add_band(pixels, function.integer(0), function.integer(n_windows))
        else:
            with function.loop(0, n_windows, size) as first:
                left = function.integer(n_windows) - first
                count = left.compare("slt", size).select(left, size)
                self._add_band(pixels, first, count)

    def _add_band(self, pixels: Array, first: Value, count: Value) -> None:
        """Adds to the filters' gradients what some windows give."""
        function = self.function
        self._transpose(first, count)
        # All lists before the first is read: what was just written in vectors is
        # slow to read one by one.
        with function.loop(0, self.layer.filters) as filter_:
            self._list(filter_, first, count)
        with function.loop(0, self.layer.filters) as filter_:
            self._to_filter(pixels, filter_)

    def _copy(self, pixels: Array, size: int) -> None:
        whole = size // self.lanes * self.lanes
        with self.function.loop(0, whole, self.lanes) as start:
            self.copy[start].store(pixels[start].load(self.lanes))
        with self.function.loop(whole, size) as start:
            self.copy[start].store(pixels[start].load())

    def _find_used(self, pixels: Array) -> Value:
        """Writes where windows that are not blank begin, and where their gradients
        are; returns how many there are.
        """
        function = self.function
        count = function.variable("i64", 0)
        with function.loop(0, self.backward.n_windows) as window:
            place, end = function.arguments["places"][window].load(), count.get()
            self.used[end].store((window * self.filters).convert("trunc", "i32"))
            self.used_places[end].store(place)
            used = self._is_used(pixels[place.convert("zext", "i64")])
            count.set(end + used.convert("zext", "i64"))
        # The rest of the last vector: a window without gradients.
        nowhere = Value(function, "i32", str(self.backward.n_windows * self.filters))
        nought = Value(function, "i32", "0")
        for lane in range(self.lanes - 1):
            self.used[count.get() + lane].store(nowhere)
            self.used_places[count.get() + lane].store(nought)
        return count.get()

    def _is_used(self, corner: Array) -> Value:
        """Whether any number that a window's positions meet is not zero."""
        layer = self.layer
        down, across = layer.epilogue.window
        bits = {"float": 32, "double": 64}[layer.element]
        rows = sorted(
            {layer.step(i, 0) + start for i in range(down) for start in layer.runs}
        )
        length = layer.step(0, across - 1) + layer.run
        lanes = min(512 // bits, 1 << length.bit_length() - 1)
        starts = [*range(0, length - lanes, lanes), length - lanes]
        seen = None
        for row, first in product(rows, starts):
            place = Array(self.function, f"i{bits}", corner[row + first].text)
            part = place.load(lanes)
            seen = part if seen is None else seen | part
        return seen.any()

    def _transpose(self, first: Value, count: Value) -> None:
        """From one row a window to one row a filter, of some windows."""
        function, lanes = self.function, self.lanes
        pairs = list(zip(self.by_window, self.by_filter, strict=True))
        if not self.layer.epilogue.keeps_mask:
            pairs.pop()
        with function.loop(0, count, lanes) as window:
            if self.backward.skips_blanks:
                sources = [
                    self.used[window + lane].load().convert("zext", "i64")
                    for lane in range(lanes)
                ]
            else:
                sources = [
                    (first + window + lane) * self.filters for lane in range(lanes)
                ]
            with function.loop(0, self.filters, lanes) as filter_:
                for source, target in pairs:
                    rows = [source[place + filter_].load(lanes) for place in sources]
                    result = target[filter_ * self.windows + window]
                    for lane, row in enumerate(transposed_square(rows)):
                        result[lane * self.windows].store(row)

    def _positions(self) -> Iterator[tuple[int, int]]:
        """Of a window: a position's number, and how far from the first it is."""
        _, across = self.layer.epilogue.window
        for position in range(self.layer.epilogue.area):
            yield position, self.layer.step(position // across, position % across)

    def _chosen(self, gradient: Value, mask: Value | None, position: int) -> Value:
        """Where a position is a maximum, and its gradient is not zero."""
        given = gradient.compare("une", 0)
        if mask is None:
            return given
        return given & (mask & 1 << position).compare("ne", 0)

    def _list(self, filter_: Value, first: Value, windows: Value) -> None:
        """Writes the filter's (offset, gradient) pairs of some windows, and how many
        there are.
        """
        function, lanes, epilogue = self.function, self.lanes, self.layer.epilogue
        places = function.arguments["places"][first]
        if self.backward.skips_blanks:
            places = self.used_places
        gradients, masks = (array[filter_ * self.windows] for array in self.by_filter)
        values, offsets = (
            x[filter_ * self.entries] for x in (self.values, self.offsets)
        )
        count = function.variable("i64", 0)
        with function.loop(0, windows, lanes) as start:
            gradient = gradients[start].load(lanes)
            place = places[start].load(lanes)
            mask = None
            if epilogue.keeps_mask:
                mask = masks[start].load(lanes).convert("zext", self.integers)
            for position, step in self._positions():
                chosen = self._chosen(gradient, mask, position)
                compression = Compression(function, self.cpu, chosen)
                end = count.get()
                values[end].store(compression(gradient))
                offsets[end].store(compression(place + step))
                count.set(end + compression.count)
        self.counts[filter_].store(count.get().convert("trunc", "i32"))

    def _to_filter(self, pixels: Array, filter_: Value) -> None:
        """Adds a filter's list to its gradient."""
        function, unit = self.function, self.unit
        count = self.counts[filter_].load().convert("zext", "i64")
        values, offsets = (
            x[filter_ * self.entries] for x in (self.values, self.offsets)
        )
        _, runs, run = self.backward.filter_shape(self.cpu)
        target = function.arguments["to_filters"][filter_ * (runs * run)]
        type_ = vector(unit, self.layer.element)
        capacity = self.cpu.registers - 4

        def body(source: Value, goal: Value, parts: list[_Part]) -> None:
            # As many sums of each part as hide the time that an addition takes.
            copies = max(1, min(3, capacity // len(parts)))
            sums = [[function.variable(type_, 0) for _ in parts] for _ in range(copies)]

            def add(index: Value, totals: list) -> None:
                offset, gradient = self._entry(offsets, values, index, unit)
                window = pixels[offset + source]
                for total, part in zip(totals, parts, strict=True):
                    pixel = window[part.place].load(unit)
                    total.set(function.multiply_add(gradient, pixel, total.get()))

            whole = count - count % copies if copies > 1 else count
            with function.loop(0, whole, copies) as index:
                for copy, totals in enumerate(sums):
                    add(index + copy, totals)
            if copies > 1:
                with function.loop(whole, count) as index:
                    add(index, sums[0])
            for part, *totals in zip(parts, *sums, strict=True):
                value = target[goal + part.at].load(unit)
                for total in totals:
                    value = value + total.get()
                target[goal + part.at].store(value)

        self._over_runs(capacity, body)

    def _entry(
        self, offsets: Array, values: Array, index: Value, lanes: int
    ) -> tuple[Value, Value]:
        """Of a list: an offset, and the gradient in every lane."""
        offset = offsets[index].load().convert("zext", "i64")
        return offset, values[index].load_all(lanes)

    def _to_images(self, to_images: Array, next_pixels: Array, size: int) -> None:
        """The gradient of an image, from lists of the filters at each position."""
        function, unit, n_windows = self.function, self.unit, self.backward.n_windows
        # Lists are made while memory is waited for.
        share = size // n_windows // self.lanes * self.lanes
        with function.loop(0, n_windows) as window:
            to_images[window * share].clear(share, self.lanes)
            self._fetch(next_pixels, size, window)
            self._list_filters(window)
        to_images[n_windows * share].clear(size - n_windows * share, self.lanes)
        down, across = self.layer.epilogue.window
        weights = function.arguments["filters"]
        places = function.arguments["places"]
        type_ = vector(unit, self.layer.element)

        def body(source: Value, goal: Value, parts: list[_Part]) -> None:
            def position(window: Value, i: Value, j: Value) -> None:
                number = (window * down + i) * across + j
                count = self.listed_counts[number].load().convert("zext", "i64")
                with function.when(count.compare("ne", 0)):
                    place = places[window].load().convert("zext", "i64")
                    place += i * self.layer.step(1, 0) + j * self.layer.step(0, 1)
                    here = to_images[place + source]
                    sums = [
                        function.variable(type_, here[part.place].load(unit, part.tail))
                        for part in parts
                    ]
                    offsets = self.listed_offsets[number * self.pitch]
                    values = self.listed_values[number * self.pitch]
                    with function.loop(0, count) as index:
                        offset, gradient = self._entry(offsets, values, index, unit)
                        filter_ = weights[offset + goal]
                        for total, part in zip(sums, parts, strict=True):
                            weight = filter_[part.at].load(unit)
                            total.set(
                                function.multiply_add(gradient, weight, total.get())
                            )
                    for total, part in zip(sums, parts, strict=True):
                        here[part.place].store(total.get(), part.tail)

            with (
                function.loop(0, n_windows) as window,
                function.loop(0, down) as i,
                function.loop(0, across) as j,
            ):
                position(window, i, j)

        self._over_runs(self.cpu.registers - 4, body)

    def _fetch(self, pixels: Array, size: int, window: Value) -> None:
        """Have a window's share of an image's numbers in the cache, for filters'
        gradients read them in no order that the CPU would foresee.
        """
        line = 64 // self.layer.itemsize
        if not self.backward.to_filters or size * self.layer.itemsize > _NEAR:
            return
        lines = -(-size // (line * self.backward.n_windows))
        for k in range(lines):
            pixels[(window * lines + k) * line].prefetch()

    def _list_filters(self, window: Value) -> None:
        """Writes (filter, gradient) pairs of a window's positions, and how many."""
        function, lanes, area = self.function, self.lanes, self.layer.epilogue.area
        _, runs, run = self.backward.filter_shape(self.cpu)
        gradients, masks = self.by_window
        first = function.multiples(runs * run, lanes)
        counts = [function.variable("i64", 0) for _ in range(area)]
        with function.loop(0, self.filters, lanes) as filter_:
            here = window * self.filters + filter_
            gradient = gradients[here].load(lanes)
            mask = None
            if self.layer.epilogue.keeps_mask:
                mask = masks[here].load(lanes).convert("zext", self.integers)
            offset = (filter_ * (runs * run)).convert("trunc", "i32")
            offset = first + offset.splat(lanes)
            for position, count in enumerate(counts):
                chosen = self._chosen(gradient, mask, position)
                compression = Compression(function, self.cpu, chosen)
                end = (window * area + position) * self.pitch + count.get()
                self.listed_values[end].store(compression(gradient))
                self.listed_offsets[end].store(compression(offset))
                count.set(count.get() + compression.count)
        for position, count in enumerate(counts):
            number = count.get().convert("trunc", "i32")
            self.listed_counts[window * area + position].store(number)

    def _over_runs(
        self, capacity: int, body: Callable[[Value, Value, list[_Part]], None]
    ) -> None:
        """Call ``body`` for parts of a filter's runs, so many at a time.

        ``body`` gets a place in the image and one in the filter, and the parts from
        there on.
        """
        function, layer, unit = self.function, self.layer, self.unit
        starts, run = layer.runs, layer.run
        parts = [
            _Part(first, first, max(0, first + unit - run) and run - first)
            for first in range(0, run, unit)
        ]
        padded = len(parts) * unit
        zero = function.integer(0)
        passes = -(-len(starts) * len(parts) // capacity)
        looped = len(starts) * -(-len(parts) // capacity)
        if passes == 1 or passes < min(looped, _WRITTEN_OUT + 1):
            everything = [
                _Part(start + part.place, index * padded + part.at, part.tail)
                for index, start in enumerate(starts)
                for part in parts
            ]
            for begin, end in spans(len(everything), passes):
                body(zero, zero, everything[begin:end])
            return
        rows = layer.filter_size[0]
        per_row = len(starts) // rows
        down = layer.dilations[0] * layer.image_size[1] * layer.channels
        across = layer.dilations[1] * layer.channels
        size = -(-len(parts) // -(-len(parts) // capacity))
        whole = [part for part in parts if not part.tail]
        uniform = len(whole) // size
        with function.loop(0, rows) as i, function.loop(0, per_row) as j:
            source = i * down + j * across
            goal = (i * per_row + j) * padded
            if uniform:
                with function.loop(0, uniform * size * unit, size * unit) as first:
                    body(source + first, goal + first, parts[:size])
            rest = parts[uniform * size :]
            if rest:
                body(source, goal, rest)
