"""Generates the gradients of one layer: of its filters, its bias and its images.

A rectifier and a max pool leave most of the convolution's gradient zero, and only
what is not zero costs time. Image after image, three steps share what is in the
cache:

1. The gradient is multiplied by the rectifier's derivative, for a whole number of
   vectors of filters and windows.
2. For each filter the gradients that are not zero become a list of (where its
   window begins in the image, gradient), those of tied maxima among them.
3. ``filter's gradient += gradient * window`` and ``window's gradient += gradient *
   filter``, entry after entry, in registers.

With few channels a window's runs are too short for vectors. Then the filters are
what lies side by side in a vector, windows that are blank are left out, and the
second step is not needed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from pytensor_nnet.kernels.llvm.compiler import CPU, compile_function, host
from pytensor_nnet.kernels.llvm.ir import Array, Function, Value, lanes_of, vector
from pytensor_nnet.kernels.llvm.layer import Layer
from pytensor_nnet.kernels.llvm.transposition import transposed_square

__all__ = ["Backward", "backward_kernel", "generate_backward"]

_BLANK_CHANNELS = 4


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

    def lists(self, cpu: CPU) -> bool:
        """Whether gradients are put in lists; else filters are side by side."""
        run, lanes = self.layer.run, self.lanes(cpu)
        return self.to_images or 3 * run >= 2 * lanes * -(-run // lanes)

    def windows(self, cpu: CPU) -> int:
        """Windows of an image, up to a whole number of vectors."""
        rows, columns = self.layer.out_size
        return _whole(rows * columns, self.lanes(cpu))

    def filters(self, cpu: CPU) -> int:
        """Filters, up to a whole number of vectors."""
        return _whole(self.layer.filters, self.lanes(cpu))

    def filter_shape(self, cpu: CPU) -> tuple[int, int, int]:
        """``(filters, runs, run)`` of filters in lists, with whole vectors."""
        layer = self.layer
        return (
            layer.filters,
            len(layer.runs),
            _whole(layer.run, self.lanes(cpu)),
        )

    def gradient_size(self, cpu: CPU) -> int:
        """How many numbers the filters' gradient is, as the kernel writes it."""
        if self.lists(cpu):
            filters, runs, run = self.filter_shape(cpu)
            return filters * runs * run
        return self.layer.taps * self.filters(cpu)

    def unpack_gradient(self, gradient: np.ndarray, cpu: CPU) -> np.ndarray:
        """What the kernel wrote, as ``(filters, taps)``."""
        layer = self.layer
        if self.lists(cpu):
            whole = gradient.reshape(self.filter_shape(cpu))[..., : layer.run]
            return whole.reshape(layer.filters, layer.taps)
        return gradient.reshape(layer.taps, -1)[:, : layer.filters].T

    def pack_filters(self, filters: np.ndarray, cpu: CPU) -> np.ndarray:
        """Filters ``(filters, taps)`` as the kernel reads them."""
        layer = self.layer
        packed = np.zeros(self.filter_shape(cpu), filters.dtype)
        packed[..., : layer.run] = filters.reshape(layer.filters, -1, layer.run)
        return packed

    def places(self, cpu: CPU) -> np.ndarray:
        """Where in an image each window's positions begin, ``(area, windows)``."""
        layer = self.layer
        (rows, columns), (down, across) = layer.out_size, layer.epilogue.window
        places = np.zeros((layer.epilogue.area, self.windows(cpu)), np.int32)
        for position, (i, j) in enumerate(np.ndindex(down, across)):
            grid = np.add.outer(
                [layer.step(row * down + i, 0) for row in range(rows)],
                [layer.step(0, column * across + j) for column in range(columns)],
            )
            places[position, : rows * columns] = grid.ravel()
        return places

    def scratch_sizes(self, cpu: CPU) -> tuple[int, int, int]:
        """Numbers, bytes-or-wider mask elements and offsets to work with."""
        windows, filters = self.windows(cpu), self.filters(cpu)
        entries = windows * self.layer.epilogue.area + 2 * self.lanes(cpu)
        return 2 * windows * filters + entries, 2 * windows * filters, 2 * entries


def _whole(size: int, lanes: int) -> int:
    return -(-size // lanes) * lanes


@cache
def backward_kernel(backward: Backward, filters_last: bool) -> Callable[..., None]:
    """The kernel that :func:`generate_backward` describes, compiled."""
    return compile_function(generate_backward(backward, filters_last, host()))


def generate_backward(backward: Backward, filters_last: bool, cpu: CPU) -> Function:
    """Gradients for the images from ``first`` up to ``last``.

    Adds to ``to_filters`` and ``to_bias``, writes ``to_images``. ``gradient`` is
    that of the output: its strides, in numbers, come along; ``filters_last`` says
    that the last is 1. ``at_zero`` is the rectifier's derivative there.
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


class _Backward:
    def __init__(
        self, function: Function, backward: Backward, filters_last: bool, cpu: CPU
    ):
        self.function, self.backward, self.layer = function, backward, backward.layer
        self.filters_last = filters_last
        self.lanes = backward.lanes(cpu)
        self.type = vector(self.lanes, self.layer.element)
        self.integers = vector(
            self.lanes, {"float": "i32", "double": "i64"}[self.layer.element]
        )
        self.windows, self.filters = backward.windows(cpu), backward.filters(cpu)
        rows, columns = self.layer.out_size
        self.n_windows = rows * columns
        self.lists = backward.lists(cpu)
        self.registers = cpu.registers
        numbers, bits = function.arguments["numbers"], function.arguments["bits"]
        block = self.windows * self.filters
        # The gradient and the mask by window, then by filter.
        self.by_window = numbers, bits
        self.by_filter = numbers[block], bits[block]
        self.values, self.offsets = numbers[2 * block], function.arguments["offsets"]

    def write(self) -> None:
        function, layer = self.function, self.layer
        arguments = function.arguments
        rows, columns = layer.image_size
        size = rows * columns * layer.channels
        with function.loop(arguments["first"], arguments["last"]) as image:
            self._prepare(image)
            pixels = arguments["images"][image * size]
            if self.lists:
                self._with_lists(pixels, arguments["to_images"][image * size], size)
            else:
                self._without_lists(pixels)

    def _with_lists(self, pixels: Array, to_images: Array, size: int) -> None:
        """The second and the third step."""
        if self.backward.to_images:
            self._clear(to_images, size)
        self._transpose()
        with self.function.loop(0, self.layer.filters) as filter_:
            count = self._list(filter_)
            if self.backward.to_filters:
                self._to_filter(pixels, filter_, count)
            if self.backward.to_images:
                self._to_image(to_images, filter_, count)

    def _clear(self, array: Array, size: int) -> None:
        whole = size // self.lanes * self.lanes
        zero = self.function.zero(self.type)
        with self.function.loop(0, whole, self.lanes) as start:
            array[start].store(zero)
        if size > whole:
            array[whole].store(zero, tail=size - whole)

    def _prepare(self, image: Value) -> None:
        """The gradient times the rectifier's derivative, and the mask, by window;
        and the bias's gradient.
        """
        function, layer = self.function, self.layer
        arguments, epilogue = function.arguments, layer.epilogue
        gradients, masks = self.by_window
        rows, columns = layer.out_size
        gradient = arguments["gradient"][image * arguments["image_stride"]]
        place = image * (self.n_windows * layer.filters)
        out, mask = arguments["out"][place], arguments["mask"][place]
        for start in range(0, self.filters, self.lanes):
            tail = max(0, start + self.lanes - layer.filters) and (
                layer.filters - start
            )
            total = arguments["to_bias"][start].load(self.lanes)
            bias = function.variable(self.type, total)
            with function.loop(0, rows) as row, function.loop(0, columns) as column:
                window = row * columns + column
                here = gradient[
                    row * arguments["row_stride"] + column * arguments["column_stride"]
                ]
                there = window * layer.filters + start
                one_mask = None
                if epilogue.keeps_mask:
                    one_mask = mask[there].load(self.lanes, tail)
                    masks[window * self.filters + start].store(one_mask)
                one = self._load_filters(here, start, tail)
                if epilogue.slope is not None:
                    one = self._differentiate(one, out[there].load(self.lanes, tail))
                gradients[window * self.filters + start].store(one)
                if one_mask is None:
                    bias.set(bias.get() + one)
                else:
                    bits = function.apply(
                        "ctpop", one_mask.convert("zext", self.integers)
                    )
                    if epilogue.area == 1:
                        bits = one_mask.convert("zext", self.integers)
                    number = bits.convert("uitofp", self.type)
                    bias.set(function.multiply_add(number, one, bias.get()))
            arguments["to_bias"][start].store(bias.get())

    def _load_filters(self, here: Array, start: int, tail: int) -> Value:
        """The gradients of a window, for a vector of filters."""
        if self.filters_last:
            return here[start].load(self.lanes, tail)
        function = self.function
        stride = function.arguments["filter_stride"]
        value = function.zero(self.type)
        for lane in range(tail or self.lanes):
            number = here[stride * (start + lane)].load()
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

    def _transpose(self) -> None:
        """From one row a window to one row a filter."""
        function, lanes = self.function, self.lanes
        pairs = list(zip(self.by_window, self.by_filter, strict=True))
        if not self.layer.epilogue.keeps_mask:
            pairs.pop()
        for source, target in pairs:
            with (
                function.loop(0, self.windows, lanes) as window,
                function.loop(0, self.filters, lanes) as filter_,
            ):
                block = source[window * self.filters + filter_]
                rows = [block[lane * self.filters].load(lanes) for lane in range(lanes)]
                result = target[filter_ * self.windows + window]
                for lane, row in enumerate(transposed_square(rows)):
                    result[lane * self.windows].store(row)

    def _list(self, filter_: Value) -> Value:
        """Writes the filter's (offset, gradient) pairs; returns how many."""
        function, lanes, epilogue = self.function, self.lanes, self.layer.epilogue
        places = function.arguments["places"]
        gradients, masks = (array[filter_ * self.windows] for array in self.by_filter)
        count = function.variable("i64", 0)
        with function.loop(0, self.n_windows, lanes) as start:
            gradient = gradients[start].load(lanes)
            given = gradient.compare("une", 0)
            mask = None
            if epilogue.keeps_mask:
                mask = masks[start].load(lanes).convert("zext", self.integers)
            for position in range(epilogue.area):
                chosen = given
                if mask is not None:
                    chosen = chosen & (mask & 1 << position).compare("ne", 0)
                place = places[position * self.windows + start].load(lanes)
                end = count.get()
                self.values[end].store(_compress(gradient, chosen))
                self.offsets[end].store(_compress(place, chosen))
                bits = chosen.convert("bitcast", f"i{lanes}")
                if lanes < 64:
                    bits = bits.convert("zext", "i64")
                count.set(end + function.apply("ctpop", bits))
        return count.get()

    def _entries(self, count: Value) -> Any:
        return self.function.loop(0, count)

    def _entry(self, index: Value) -> tuple[Value, Value]:
        """A list's offset, and its gradient in every lane."""
        offset = self.offsets[index].load().convert("zext", "i64")
        return offset, self.values[index].load_all(self.lanes)

    def _to_filter(self, pixels: Array, filter_: Value, count: Value) -> None:
        function = self.function
        filters, runs, run = self.backward.filter_shape(host())
        target = function.arguments["to_filters"][filter_ * (runs * run)]

        def body(source: Value, goal: Value, parts: list[tuple[int, int, int]]) -> None:
            sums = [
                (
                    function.variable(self.type, target[goal + at].load(self.lanes)),
                    *part,
                )
                for part in parts
                for _, at, _ in [part]
            ]
            with function.loop(0, count) as index:
                offset, gradient = self._entry(index)
                window = pixels[offset + source]
                for total, place, _, tail in sums:
                    pixel = window[place].load(self.lanes, tail)
                    total.set(function.multiply_add(gradient, pixel, total.get()))
            for total, _, at, _ in sums:
                target[goal + at].store(total.get())

        self._over_runs(self.lanes, self.registers - 5, body)

    def _to_image(self, to_images: Array, filter_: Value, count: Value) -> None:
        function = self.function
        filters, runs, run = self.backward.filter_shape(host())
        weights = function.arguments["filters"][filter_ * (runs * run)]

        def body(source: Value, goal: Value, parts: list[tuple[int, int, int]]) -> None:
            loaded = [
                (weights[goal + at].load(self.lanes), place, tail)
                for place, at, tail in parts
            ]
            with function.loop(0, count) as index:
                offset, gradient = self._entry(index)
                window = to_images[offset + source]
                for weight, place, tail in loaded:
                    before = window[place].load(self.lanes, tail)
                    after = function.multiply_add(gradient, weight, before)
                    window[place].store(after, tail)

        self._over_runs(self.lanes, self.registers - 5, body)

    def _over_runs(
        self,
        unit: int,
        capacity: int,
        body: Callable[[Value, Value, list[tuple[int, int, int]]], None],
    ) -> None:
        """Call ``body`` for parts of a filter's runs, so many at a time.

        A part is ``unit`` numbers side by side. ``body`` gets a place in the image
        and one in the filter, and for each part the place beyond these, in both,
        and the tail (0 where the part is whole).
        """
        function, layer = self.function, self.layer
        starts, run = layer.runs, layer.run
        parts = [
            (first, first, max(0, first + unit - run) and run - first)
            for first in range(0, run, unit)
        ]
        padded = len(parts) * unit
        zero = function.integer(0)
        if len(starts) * len(parts) <= capacity:
            body(
                zero,
                zero,
                [
                    (start + place, index * padded + at, tail)
                    for index, start in enumerate(starts)
                    for place, at, tail in parts
                ],
            )
            return
        rows = layer.filter_size[0]
        per_row = len(starts) // rows
        down = layer.dilations[0] * layer.image_size[1] * layer.channels
        across = layer.dilations[1] * layer.channels
        size = -(-len(parts) // -(-len(parts) // capacity))
        whole = [part for part in parts if not part[2]]
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

    def _without_lists(self, pixels: Array) -> None:
        """The filters' gradient, with filters side by side in vectors."""
        function, layer, lanes = self.function, self.layer, self.lanes
        depth = 2 if self.filters % (2 * lanes) == 0 and layer.taps >= 32 else 1
        count = self._windows_in_use(pixels)
        down, across = layer.epilogue.window

        with function.loop(0, self.filters, depth * lanes) as filter_:
            target = function.arguments["to_filters"][filter_]

            def body(
                source: Value, goal: Value, parts: list[tuple[int, int, int]]
            ) -> None:
                sums = [
                    (
                        function.variable(
                            self.type,
                            target[(goal + at) * self.filters + v * lanes].load(lanes),
                        ),
                        place,
                        at,
                        v,
                    )
                    for place, at, _ in parts
                    for v in range(depth)
                ]
                with function.loop(0, count) as index:
                    window = self.offsets[index * 2].load().convert("zext", "i64")
                    place = self.offsets[index * 2 + 1].load().convert("zext", "i64")
                    # Loops, for what two positions share is not worth a register.
                    with function.loop(0, down) as i, function.loop(0, across) as j:
                        step = i * layer.step(1, 0) + j * layer.step(0, 1)
                        corner = pixels[place + source + step]
                        gradient = window * self.filters + filter_
                        given = self._chosen(gradient, i * across + j, depth)
                        for total, at, _, v in sums:
                            pixel = corner[at].load_all(lanes)
                            total.set(
                                function.multiply_add(pixel, given[v], total.get())
                            )
                for total, _, at, v in sums:
                    target[(goal + at) * self.filters + v * lanes].store(total.get())

            self._over_runs(1, (self.registers - 4 - depth) // depth, body)

    def _chosen(self, place: Value, position: Value, depth: int) -> list[Value]:
        """Gradients of a position in a window, zero where it is no maximum."""
        gradients, masks = self.by_window
        bit = (
            position.convert("trunc", "i32")
            if self.layer.element == "float"
            else position
        )
        shift = bit.splat(self.lanes)
        result = []
        for v in range(depth):
            gradient = gradients[place + v * self.lanes].load(self.lanes)
            if self.layer.epilogue.keeps_mask:
                mask = masks[place + v * self.lanes].load(self.lanes)
                bits = (mask.convert("zext", self.integers) >> shift) & 1
                gradient = bits.compare("ne", 0).select(gradient, 0)
            result.append(gradient)
        return result

    def _windows_in_use(self, pixels: Array) -> Value:
        """Writes (window, offset) for those that are not blank; returns how many."""
        function = self.function
        places = function.arguments["places"]
        count = function.variable("i64", 0)
        with function.loop(0, self.n_windows) as window:
            place = places[window].load()
            end = count.get()
            self.offsets[end * 2].store(window.convert("trunc", "i32"))
            self.offsets[end * 2 + 1].store(place)
            if self.layer.channels > _BLANK_CHANNELS:
                count.set(end + 1)
            else:
                used = self._is_used(pixels[place.convert("zext", "i64")])
                count.set(end + used.convert("zext", "i64"))
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
        return seen.convert("bitcast", f"i{lanes * bits}").compare("ne", 0)


def _compress(values: Value, chosen: Value) -> Value:
    """The chosen lanes, moved to the front."""
    lanes, element = lanes_of(values.type), values.type[1:-1].split(" x ")[1]
    # As integers: LLVM's code for CPUs that have no such instruction takes no floats.
    bits = {"float": "i32", "double": "i64"}.get(element, element)
    integers = vector(lanes, bits)
    if bits != element:
        values = values.convert("bitcast", integers)
    moved = values.function.call(
        integers,
        f"llvm.experimental.vector.compress.v{lanes}{bits}",
        f"{integers} {values.text}",
        f"{chosen.type} {chosen.text}",
        f"{integers} zeroinitializer",
    )
    return moved.convert("bitcast", vector(lanes, element))
