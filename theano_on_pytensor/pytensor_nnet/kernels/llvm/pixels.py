"""Generates the gradient of filters as a sum over the pixels of images.

Images of few channels and of many positions are faster summed pixel by pixel than
gradient by gradient, all the more where most of them is blank, as that of a written
digit is. Each number adds to a filter's gradient, for each tap that meets it,
``number * gradient`` of the position where the tap does. The gradients of a vector
of filters are laid out as a map of all positions, with zeros around it: then the
taps find theirs at fixed distances from the pixel's place.
"""

from collections.abc import Callable

from pytensor_nnet.kernels.llvm.compiler import CPU
from pytensor_nnet.kernels.llvm.compression import Compression
from pytensor_nnet.kernels.llvm.ir import Array, Function, Value, vector
from pytensor_nnet.kernels.llvm.layer import Layer, round_up
from pytensor_nnet.kernels.llvm.threads import spans

__all__ = ["PixelSum", "sums_pixels"]

# Vectors of filters whose maps are laid out together.
_ABREAST = 4

# Of a window, ``(row, column)``, for a vector of filters, given the first and how
# many there are, 0 for all: the gradient, and the mask as integers as wide.
Gradients = Callable[[Value, Value, Value, int], tuple[Value, Value | None]]


def sums_pixels(layer: Layer, cpu: CPU) -> bool:
    """Whether that is ever faster. Of one channel, images are told apart."""
    if layer.strides != (1, 1) or layer.dilations != (1, 1):
        return False
    return layer.channels == 1 or (
        layer.has_few_channels
        and _size(layer) <= _most(layer, cpu.lanes(layer.element))
    )


def _size(layer: Layer) -> int:
    """Numbers of an image."""
    rows, columns = layer.image_size
    return rows * columns * layer.channels


def _most(layer: Layer, lanes: int) -> int:
    """Numbers of an image for which it takes as long as lists of gradients do.

    Measured for filters of five columns, one channel, vectors of eight: 14 times as
    many as there are windows, over the filter's columns.
    """
    (rows, columns), width = layer.out_size, layer.filter_size[1]
    return 7 * round_up(layer.run, lanes) * rows * columns // (4 * width)


class PixelSum:
    """The sum over the pixels of some images, in a kernel.

    Parameters
    ----------
    layer : Layer
    cpu : CPU

    Attributes
    ----------
    numbers, listed : int
        How many numbers and how many offsets it needs to work with.
    """

    def __init__(self, layer: Layer, cpu: CPU):
        self.layer, self.cpu = layer, cpu
        self.lanes = cpu.lanes(layer.element)
        self.type = vector(self.lanes, layer.element)
        self.filters = round_up(layer.filters, self.lanes)
        self.size, self.most = _size(layer), _most(layer, self.lanes)
        self.skips_zeros = layer.channels == 1
        rows, self.columns = layer.image_size
        height, width = layer.filter_size
        # A row's zeros on the left are the row before's on the right.
        self.map = ((rows + height - 1) * self.columns + width - 1) * self.lanes
        maps = min(self.filters // self.lanes, _ABREAST)
        self.listed = round_up(self.size + self.lanes, self.lanes)
        self.numbers = self.listed + layer.taps * self.filters + maps * self.map

    def begin(self, function: Function, numbers: Array, offsets: Array) -> None:
        """Work with this memory from now on; sums of nothing."""
        self.function = function
        self.values, self.offsets = numbers, offsets
        self.sums = numbers[self.listed]
        self.maps = self.sums[self.layer.taps * self.filters]
        self.sums.clear(self.numbers - self.listed, self.lanes)

    def is_faster(self, image: Array) -> Value | None:
        """A bit that says so; ``None``: it always is."""
        if self.size <= self.most:
            return None
        function = self.function
        count = function.variable("i64", 0)

        def part(_: Value, numbers: Value) -> None:
            found = Compression(function, self.cpu, numbers.compare("une", 0))
            count.set(count.get() + found.count)

        self._over(image, part)
        return count.get().compare("sle", self.most)

    def add(self, image: Array, gradients: Gradients, to_bias: Array) -> None:
        """Add what an image gives, to the bias's gradient too."""
        function, layer, lanes = self.function, self.layer, self.lanes
        count: Value | int = self.size // layer.channels
        if self.skips_zeros:
            count = self._list(image)
        taps = layer.taps // layer.channels
        parts = -(-taps // (self.cpu.registers - 3))
        places = [range(*span) for span in spans(taps, parts)]

        def group(first: Value, vectors: int, tail: int) -> None:
            self._lay_out(gradients, to_bias[first], first, vectors, tail)
            with function.loop(0, vectors) as v:
                map_, sums = self.maps[v * self.map], self.sums[first + v * lanes]
                for channel in range(layer.channels):
                    for some in places:
                        self._add_taps(image, channel, count, map_, sums, some)

        vectors, tail = self.filters // lanes, layer.filters % lanes
        whole = vectors // _ABREAST * _ABREAST
        if tail and whole == vectors:
            whole -= _ABREAST
        with function.loop(0, whole * lanes, _ABREAST * lanes) as first:
            group(first, _ABREAST, 0)
        if whole < vectors:
            group(function.integer(whole * lanes), vectors - whole, tail)

    def _over(self, image: Array, body: Callable[[Value, Value], None]) -> None:
        """All numbers of an image, in vectors; zeros fill the last."""
        function, lanes = self.function, self.lanes
        whole = self.size // lanes * lanes
        with function.loop(0, whole, lanes) as start:
            body(start, image[start].load(lanes))
        if whole < self.size:
            body(function.integer(whole), image[whole].load(lanes, self.size - whole))

    def _list(self, image: Array) -> Value:
        """Write (place in the map, number) pairs; returns how many there are."""
        function, lanes = self.function, self.lanes
        count = function.variable("i64", 0)
        ahead = function.multiples(lanes, lanes)

        def part(start: Value, numbers: Value) -> None:
            compression = Compression(function, self.cpu, numbers.compare("une", 0))
            offset = (start * lanes).convert("trunc", "i32").splat(lanes) + ahead
            end = count.get()
            self.values[end].store(compression(numbers))
            self.offsets[end].store(compression(offset))
            count.set(end + compression.count)

        self._over(image, part)
        return count.get()

    def _lay_out(
        self,
        gradients: Gradients,
        to_bias: Array,
        first: Value,
        vectors: int,
        tail: int,
    ) -> None:
        """The maps of some vectors of filters, of which the last may be cut."""
        function, layer, lanes = self.function, self.layer, self.lanes
        rows, columns = layer.out_size
        down, across = layer.epilogue.window
        height, width = layer.filter_size
        corner = self.maps[((height - 1) * self.columns + width - 1) * lanes]
        totals = [
            function.variable(self.type, to_bias[v * lanes].load(lanes))
            for v in range(vectors)
        ]
        with function.loop(0, rows) as row, function.loop(0, columns) as column:
            place = row * (down * self.columns) + column * across
            for v, total in enumerate(totals):
                cut = tail if v == vectors - 1 else 0
                gradient, mask = gradients(row, column, first + v * lanes, cut)
                target = corner[place * lanes + v * self.map]
                for position in range(layer.epilogue.area):
                    value = gradient
                    if mask is not None:
                        chosen = (mask & 1 << position).compare("ne", 0)
                        value = chosen.select(gradient, 0)
                    i, j = divmod(position, across)
                    target[(i * self.columns + j) * lanes].store(value)
                    total.set(total.get() + value)
        for v, total in enumerate(totals):
            to_bias[v * lanes].store(total.get())

    def _add_taps(
        self,
        image: Array,
        channel: int,
        count: Value | int,
        map_: Array,
        sums: Array,
        places: range,
    ) -> None:
        """To the taps at these places, ``row * columns + column``, of a channel."""
        function, lanes, channels = self.function, self.lanes, self.layer.channels
        height, width = self.layer.filter_size
        goals = [sums[(at * channels + channel) * self.filters] for at in places]
        totals = [function.variable(self.type, 0) for _ in goals]
        with function.loop(0, count) as index:
            if self.skips_zeros:
                offset = self.offsets[index].load().convert("zext", "i64")
                number = self.values[index].load_all(lanes)
            else:
                offset = index * lanes
                number = image[index * channels + channel].load_all(lanes)
            here = map_[offset]
            for at, total in zip(places, totals, strict=True):
                i, j = divmod(at, width)
                back = (height - 1 - i) * self.columns + width - 1 - j
                gradient = here[back * lanes].load(lanes)
                total.set(function.multiply_add(number, gradient, total.get()))
        for goal, total in zip(goals, totals, strict=True):
            goal.store(goal.load(lanes) + total.get())

    def finish(self, target: Array, shape: tuple[int, int, int]) -> None:
        """Add the sums to ``target``, of this shape: ``(filters, runs, run)``."""
        function, layer = self.function, self.layer
        filters, runs, run = shape
        with function.loop(0, filters) as filter_, function.loop(0, runs) as i:
            for j in range(layer.run):
                total = self.sums[(i * layer.run + j) * self.filters + filter_].load()
                goal = target[(filter_ * runs + i) * run + j]
                goal.store(goal.load() + total)
