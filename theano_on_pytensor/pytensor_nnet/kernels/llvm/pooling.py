"""Two-dimensional pooling and its gradients, compiled.

The functions take and return what their NumPy counterparts in
:mod:`pytensor_nnet.kernels.pooling` do. What they return may lie channels-last in
memory; so may what they are given, and then nothing is copied. Numbers of axes other
than four, types other than float32 and float64, and little work are left to NumPy.

A kernel computes *targets*, each of several *sources*: a window of the positions in
it, or, backward, a position of the windows that it is in. So every number is written
by one thread, in one go, and results do not depend on the number of threads.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from pytensor_nnet.kernels import pooling as reference
from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.compiler import CPU, compile_function, host
from pytensor_nnet.kernels.llvm.epilogue import maximum
from pytensor_nnet.kernels.llvm.ir import Array, Function, Operand, Value, vector
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.memory import address
from pytensor_nnet.kernels.llvm.transposition import channels_first, packed_last
from pytensor_nnet.kernels.pooling import Pool

__all__ = [
    "Pooling",
    "generate_pooling",
    "pool",
    "pool_max_gather",
    "pool_max_scatter",
    "pool_sum_scatter",
]

Images = np.ndarray[Any, Any]
Pair = tuple[int, int]

_ELEMENTS = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}

# Numbers met by windows below which NumPy is done before a kernel is called, and
# below which a second thread is not worth waking.
_SMALL = 1 << 14
_SMALL_TASK = 1 << 17
# Positions up to which a window's, and a stride's, are written out.
_UNROLLED = 36


def pool(images: Images, geometry: Pool, mode: str = "max") -> Images:
    """As :func:`pytensor_nnet.kernels.pooling.pool`."""
    if not _is_served(images.shape, geometry, images):
        return reference.pool(images, geometry, mode)
    return _run(_pooling(images, images.shape, geometry, mode), images)


def pool_max_scatter(
    images: Images, maxima: Images, output_gradient: Images, geometry: Pool
) -> Images:
    """As :func:`pytensor_nnet.kernels.pooling.pool_max_scatter`."""
    pooled = (maxima, output_gradient)
    if not _is_served(images.shape, geometry, images, pooled=pooled):
        return reference.pool_max_scatter(images, maxima, output_gradient, geometry)
    pooling = _pooling(images, images.shape, geometry, "maxima", backward=True)
    return _run(pooling, output_gradient, images, maxima)


def pool_max_gather(
    images: Images, maxima: Images, values: Images, geometry: Pool
) -> Images:
    """As :func:`pytensor_nnet.kernels.pooling.pool_max_gather`."""
    if not _is_served(images.shape, geometry, images, values, pooled=(maxima,)):
        return reference.pool_max_gather(images, maxima, values, geometry)
    pooling = _pooling(images, images.shape, geometry, "maxima")
    return _run(pooling, values, images, maxima)


def pool_sum_scatter(
    output_gradient: Images, image_size: Pair, geometry: Pool, mode: str
) -> Images:
    """As :func:`pytensor_nnet.kernels.pooling.pool_sum_scatter`."""
    shape = (*output_gradient.shape[:-2], *image_size)
    if not _is_served(shape, geometry, pooled=(output_gradient,)):
        return reference.pool_sum_scatter(output_gradient, image_size, geometry, mode)
    pooling = _pooling(output_gradient, shape, geometry, mode, backward=True)
    return _run(pooling, output_gradient)


def _is_served(
    image_shape: tuple[int, ...],
    geometry: Pool,
    *images: Images,
    pooled: tuple[Images, ...] = (),
) -> bool:
    """Whether there is a kernel for these, and it is worth compiling."""
    arrays = (*images, *pooled)
    dtype = arrays[0].dtype
    if len(image_shape) != 4 or dtype not in _ELEMENTS:
        return False
    out_shape = (*image_shape[:2], *geometry.output_size(image_shape[2:]))
    return (
        all(array.dtype == dtype for array in arrays)
        and all(array.shape == image_shape for array in images)
        and all(array.shape == out_shape for array in pooled)
        and prod(image_shape) > 0
        and prod(out_shape) * prod(geometry.window) >= _SMALL
    )


@dataclass(frozen=True)
class Pooling:
    """What a kernel is generated for.

    Parameters
    ----------
    element : {'float', 'double'}
    channels : int
    image_size : pair of int
        ``(rows, columns)``.
    geometry : Pool
    mode : str
        One of :data:`pytensor_nnet.kernels.pooling.MODES`, or ``'maxima'``: the sum
        of what lies where an image is its window's maximum.
    backward : bool
        Whether positions are computed of windows.
    """

    element: str
    channels: int
    image_size: Pair
    geometry: Pool
    mode: str
    backward: bool

    @property
    def averages(self) -> bool:
        return self.mode.startswith("average")

    @property
    def target_size(self) -> Pair:
        if self.backward:
            return self.image_size
        return self.geometry.output_size(self.image_size)

    @property
    def source_size(self) -> Pair:
        if self.backward:
            return self.geometry.output_size(self.image_size)
        return self.image_size

    def counts(self) -> Images:
        """How many positions each window is the average of, of the element's type."""
        with_pad = self.mode == "average_inc_pad"
        counts = self.geometry.counts(self.image_size, with_pad)
        return counts.astype({"float": np.float32, "double": np.float64}[self.element])


def _pooling(
    array: Images,
    image_shape: tuple[int, ...],
    geometry: Pool,
    mode: str,
    backward: bool = False,
) -> Pooling:
    element = _ELEMENTS[array.dtype]
    _, channels, rows, columns = image_shape
    return Pooling(element, channels, (rows, columns), geometry, mode, backward)


def _run(
    pooling: Pooling,
    values: Images,
    images: Images | None = None,
    maxima: Images | None = None,
) -> Images:
    launch = Launch()
    kept = [
        None if x is None else packed_last(launch, x) for x in (values, images, maxima)
    ]
    kept.append(_counts(pooling) if pooling.averages else None)
    places = [0 if x is None else address(x) for x in kept]
    batch, shape = len(values), (*pooling.target_size, pooling.channels)
    out, out_at = launch.allocate((batch, *shape), values.dtype)
    work = batch * prod(shape) * prod(pooling.geometry.window)
    spans = threads.spans(batch, min(4 * threads.threads(), work // _SMALL_TASK))
    launch.add(_kernel(pooling), [(*places, out_at, *span) for span in spans])
    launch.run()
    return channels_first(out)


_counts = cache(Pooling.counts)


@cache
def _kernel(pooling: Pooling) -> Callable[..., None]:
    return compile_function(generate_pooling(pooling, host()))


def generate_pooling(pooling: Pooling, cpu: CPU) -> Function:
    """``kernel(values, images, maxima, counts, out, first, last)``.

    Computes the targets of the images from ``first`` up to ``last``. All others are
    addresses of arrays, channels last: of ``values`` the sources and of ``out`` the
    targets; of ``images`` and their ``maxima`` if that is the mode; of ``counts``,
    a number a window, for averages.
    """
    arrays = ("values", "images", "maxima", "counts", "out")
    pointers = dict.fromkeys(arrays, f"{pooling.element}*")
    function = Function("pooling", {**pointers, "first": "i64", "last": "i64"})
    _Generator(function, pooling, cpu).write()
    return function


@dataclass(frozen=True)
class _Axis:
    """How the targets along an axis, windows, are made of sources, positions.

    There are blocks of ``period`` targets, the first of which begins at target
    ``shift``, and they are alike: a block has ``extent`` sources, which begin at
    source ``first`` for the first block and ``step`` further for each block.
    """

    window: int
    stride: int
    pad: int
    targets: int
    sources: int

    @property
    def period(self) -> int:
        return 1

    @property
    def shift(self) -> int:
        return 0

    @property
    def extent(self) -> int:
        return self.window

    @property
    def first(self) -> int:
        return -self.pad

    @property
    def step(self) -> int:
        return self.stride

    def within(self, phase: int) -> range:
        """Which of a block's sources one of its targets has."""
        return range(self.window)

    def bounds(self, target: Value) -> tuple[Value, Value]:
        """Where a target's sources begin and end, the image's edge aside."""
        start = target * self.stride - self.pad
        return start, start + self.window

    @property
    def blocks(self) -> int:
        return -(-(self.targets - self.shift) // self.period)

    @property
    def whole(self) -> range:
        """The blocks all of whose targets and sources there are."""
        blocks = [
            block
            for block in range(self.blocks)
            if 0 <= block * self.period + self.shift <= self.targets - self.period
            and 0 <= block * self.step + self.first <= self.sources - self.extent
        ]
        return range(blocks[0], blocks[-1] + 1) if blocks else range(0)

    @contextmanager
    def each_target(self, block: Value) -> Iterator[Value]:
        start = block * self.period + self.shift
        with _clipped_loop(start, start + self.period, self.targets) as target:
            yield target

    @contextmanager
    def each_source(self, target: Value) -> Iterator[Value]:
        with _clipped_loop(*self.bounds(target), self.sources) as source:
            yield source


class _BackwardAxis(_Axis):
    """Targets are positions, sources the windows that these are in."""

    @property
    def period(self) -> int:
        return self.stride

    @property
    def shift(self) -> int:
        return -self.pad

    @property
    def extent(self) -> int:
        return -(-self.window // self.stride)

    @property
    def first(self) -> int:
        return 1 - self.extent

    @property
    def step(self) -> int:
        return 1

    def within(self, phase: int) -> range:
        return range(self.extent + (phase - self.window) // self.stride, self.extent)

    def bounds(self, target: Value) -> tuple[Value, Value]:
        # Numerators that are not negative, for division rounds towards zero.
        stop = (target + self.pad) // self.stride + 1
        start = (target + self.pad + self.stride * self.extent - self.window) // (
            self.stride
        )
        return start + self.first, stop


@contextmanager
def _clipped_loop(start: Value, stop: Value, size: int) -> Iterator[Value]:
    """``for index in range(start, stop)``, if it is in ``range(size)``."""
    start = start.compare("sgt", 0).select(start, 0)
    stop = stop.compare("slt", size).select(stop, size)
    with start.function.loop(start, stop) as index:
        yield index


def _is_in(index: Value, indices: range) -> Value:
    return (index - indices.start).compare("ult", len(indices))


class _Generator:
    def __init__(self, function: Function, pooling: Pooling, cpu: CPU):
        self.function, self.pooling = function, pooling
        geometry, sizes = pooling.geometry, (pooling.target_size, pooling.source_size)
        self.rows, self.columns = (
            (_BackwardAxis if pooling.backward else _Axis)(*axis)
            for axis in zip(
                *(geometry.window, geometry.stride, geometry.pad, *sizes), strict=True
            )
        )
        self.lanes = cpu.lanes(pooling.element)
        while self.lanes > pooling.channels:
            self.lanes //= 2
        nothing = -np.inf if pooling.mode == "max" else 0
        type_ = vector(self.lanes, pooling.element)
        self.nothing = Value(function, type_, function.constant(nothing, type_))

    def write(self) -> None:
        function, rows, columns = self.function, self.rows, self.columns
        first, last = (function.arguments[name] for name in ("first", "last"))
        with (
            function.loop(first, last) as image,
            function.loop(0, rows.blocks) as row,
            function.loop(0, columns.blocks) as column,
        ):
            if max(rows.window * columns.window, rows.period * columns.period) > (
                _UNROLLED
            ):
                self._cut_block(image, row, column)
                return
            is_whole = _is_in(row, rows.whole) & _is_in(column, columns.whole)
            with function.when(is_whole):
                self._whole_block(image, row, column)
            with function.when(is_whole.compare("eq", 0)):
                self._cut_block(image, row, column)

    def _whole_block(self, image: Value, row: Value, column: Value) -> None:
        rows, columns = self.rows, self.columns
        target = self._target(
            row * rows.period + rows.shift, column * columns.period + columns.shift
        )
        source = self._source(
            row * rows.step + rows.first, column * columns.step + columns.first
        )
        phases = list(product(range(rows.period), range(columns.period)))
        with self._channels() as channel:
            arrays = self._arrays(image, channel, target, source)
            totals = []
            for phase in phases:
                place = self._target(*phase)
                terms = [
                    self._term(arrays, place, self._source(i, j))
                    for i in rows.within(phase[0])
                    for j in columns.within(phase[1])
                ]
                totals.append(self._fold(self.nothing, *terms))
            for phase, total in zip(phases, totals, strict=True):
                self._write(arrays, self._target(*phase), total)

    def _cut_block(self, image: Value, row: Value, column: Value) -> None:
        rows, columns = self.rows, self.columns
        with (
            rows.each_target(row) as row,
            columns.each_target(column) as column,
            self._channels() as channel,
        ):
            place = self._target(row, column)
            arrays = self._arrays(image, channel, place, self.function.integer(0))
            total = self.function.variable(self.nothing.type, self.nothing)
            with rows.each_source(row) as i, columns.each_source(column) as j:
                term = self._term(arrays, 0, self._source(i, j))
                total.set(self._fold(total.get(), term))
            self._write(arrays, 0, total.get())

    @contextmanager
    def _channels(self) -> Iterator[Value]:
        """Where vectors of channels begin; the last two may overlap."""
        channels, lanes = self.pooling.channels, self.lanes
        with self.function.loop(0, channels, lanes) as channel:
            last = channels - lanes
            yield channel.compare("slt", last).select(channel, last)

    def _target(self, row: Operand, column: Operand) -> Operand:
        return row * self.columns.targets + column

    def _source(self, row: Operand, column: Operand) -> Operand:
        return row * self.columns.sources + column

    def _arrays(
        self, image: Value, channel: Value, target: Value, source: Value
    ) -> dict[str, Array]:
        """From a target, and from a source, on."""
        pooling = self.pooling
        places = {
            "values": (pooling.source_size, source),
            "out": (pooling.target_size, target),
        }
        position, window = ("out", "values") if pooling.backward else ("values", "out")
        places |= {"images": places[position], "maxima": places[window]}
        arguments = self.function.arguments
        arrays = {
            name: arguments[name][
                (image * prod(size) + place) * pooling.channels + channel
            ]
            for name, (size, place) in places.items()
        }
        return {**arrays, "counts": arguments["counts"][places[window][1]]}

    def _read(self, array: Array, place: Operand) -> Value:
        return array[place * self.pooling.channels].load(self.lanes)

    def _term(
        self, arrays: dict[str, Array], target: Operand, source: Operand
    ) -> Value:
        """What a source is to a target."""
        pooling = self.pooling
        value = self._read(arrays["values"], source)
        if pooling.backward and pooling.averages:
            return value / arrays["counts"][source].load_all(self.lanes)
        if pooling.mode == "maxima":
            position, window = (
                (target, source) if pooling.backward else (source, target)
            )
            image = self._read(arrays["images"], position)
            is_maximum = image.compare("oeq", self._read(arrays["maxima"], window))
            return is_maximum.select(value, 0)
        return value

    def _fold(self, *values: Value) -> Value:
        if self.pooling.mode == "max":
            return maximum(list(values))
        return sum(values[1:], values[0])

    def _write(self, arrays: dict[str, Array], target: Operand, total: Value) -> None:
        pooling = self.pooling
        if pooling.averages and not pooling.backward:
            total = total / arrays["counts"][target].load_all(self.lanes)
        arrays["out"][target * pooling.channels].store(total)
