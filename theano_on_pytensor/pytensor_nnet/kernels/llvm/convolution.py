"""Convolution, with bias, rectifier and max pool, and its gradients: compiled.

The functions take and return what their NumPy counterparts in
:mod:`pytensor_nnet.kernels.convolution` do, images ``(batch, channels, rows,
columns)``. What they return may lie channels-last in memory; so may what they are
given, and then nothing is copied.

Results do not depend on the number of threads, bit for bit: an image's output
needs no other image, and the gradient of the filters is the sum, in order, of
those of a fixed number of groups of images.
"""

from dataclasses import replace
from functools import cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from pytensor_nnet.kernels import convolution as reference
from pytensor_nnet.kernels.convolution import Convolution
from pytensor_nnet.kernels.geometry import dilated_size
from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.backward import Backward, backward_kernel
from pytensor_nnet.kernels.llvm.compiler import host
from pytensor_nnet.kernels.llvm.forward import Direct, forward_kernel
from pytensor_nnet.kernels.llvm.launch import Launch, run_at_once
from pytensor_nnet.kernels.llvm.layer import Epilogue, Layer, round_up
from pytensor_nnet.kernels.llvm.memory import address, zeros
from pytensor_nnet.kernels.llvm.padding import pad_images
from pytensor_nnet.kernels.llvm.rearrangement import (
    add_rearrangements,
    add_sums,
    order_of,
)
from pytensor_nnet.kernels.llvm.transposition import channels_first, packed_last
from pytensor_nnet.kernels.llvm.winograd import (
    Winograd,
    suits_winograd,
    transformation_kernel,
    winograd_kernel,
)

__all__ = [
    "Gradients",
    "add_layer",
    "add_layer_gradients",
    "convolve",
    "convolve_filter_gradient",
    "convolve_input_gradient",
]

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]

_ELEMENTS = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
_DTYPES = {element: dtype for dtype, element in _ELEMENTS.items()}

# Groups of images that have a gradient of the filters each.
_GROUPS = 12
# Multiply-adds below which NumPy is done before a kernel is compiled, and below
# which a second thread is not worth waking.
_SMALL = 1 << 19
_SMALL_TASK = 1 << 18
# Multiply-adds of a convolution, as it is defined or by Winograd, that take as long
# as one of a sum over positions: measured for 3 to 64 channels, filters 3x3 to 7x7.
_DIRECT, _WINOGRAD = 1.5, 2.4


class Gradients(NamedTuple):
    """With respect to a layer's filters, bias and images (``None``: not wanted)."""

    filters: Array
    bias: Array
    images: Array | None


PLAIN = Convolution()
"""Every whole window, the filters turned, no pad, stride or group."""


def convolve(images: Array, filters: Array, geometry: Convolution = PLAIN) -> Array:
    """As :func:`pytensor_nnet.kernels.convolution.convolve`."""
    out_shape = geometry.output_shape(images.shape, filters.shape)
    if not _is_served(images, filters, geometry, out_shape):
        return reference.convolve(images, filters, geometry)
    return run_at_once(add_layer, images, filters, None, geometry, Epilogue())[0]


def convolve_filter_gradient(
    images: Array,
    output_gradient: Array,
    filter_size: Pair,
    geometry: Convolution = PLAIN,
) -> Array:
    """As :func:`pytensor_nnet.kernels.convolution.convolve_filter_gradient`."""
    filter_shape = (output_gradient.shape[1], images.shape[1], *filter_size)
    if not _is_served(
        images, output_gradient, geometry, output_gradient.shape
    ) or output_gradient.shape != geometry.output_shape(images.shape, filter_shape):
        return reference.convolve_filter_gradient(
            images, output_gradient, filter_size, geometry
        )
    launch = Launch()
    padded = _channels_last(launch, images, geometry.pads)
    layer = _layer(padded, filter_shape, geometry, Epilogue())
    backward = Backward(layer, to_images=False)
    none = (None, None, None)
    gradient, _ = _add_gradients(
        launch, backward, geometry.flip, padded, *none, output_gradient, 1
    )
    launch.run()
    return gradient


def convolve_input_gradient(
    filters: Array,
    output_gradient: Array,
    image_size: Pair,
    geometry: Convolution = PLAIN,
) -> Array:
    """As :func:`pytensor_nnet.kernels.convolution.convolve_input_gradient`."""
    image_shape = (output_gradient.shape[0], filters.shape[1], *image_size)
    if not _is_served(
        filters, output_gradient, geometry, output_gradient.shape
    ) or output_gradient.shape != geometry.output_shape(image_shape, filters.shape):
        return reference.convolve_input_gradient(
            filters, output_gradient, image_size, geometry
        )
    (top, bottom), (left, right) = geometry.pads
    if geometry.strides == (1, 1) and _is_faster_turned(
        filters, output_gradient.shape[2:], image_size
    ):
        down, across = (
            dilated_size(size, dilation) - 1
            for size, dilation in zip(
                filters.shape[2:], geometry.dilations, strict=True
            )
        )
        pads = ((down - top, down - bottom), (across - left, across - right))
        turned = replace(geometry, pads=pads, flip=not geometry.flip)
        turned_filters = filters.swapaxes(0, 1)
        return run_at_once(
            add_layer, output_gradient, turned_filters, None, turned, Epilogue()
        )[0]
    launch = Launch()
    rows, columns = image_size
    padded, _ = launch.allocate(
        (len(output_gradient), rows + top + bottom, columns + left + right)
        + (filters.shape[1],),
        filters.dtype,
    )
    layer = _layer(padded, filters.shape, geometry, Epilogue())
    backward = Backward(layer, to_filters=False)
    none = (None, None)
    _add_gradients(
        *(launch, backward, geometry.flip, padded, filters, *none),
        *(output_gradient, 1, padded),
    )
    images = _without_pads(launch, padded, geometry.pads, image_size)
    launch.run()
    return images


def add_layer(
    launch: Launch,
    images: Array,
    filters: Array,
    bias: Array | None,
    geometry: Convolution,
    epilogue: Epilogue,
) -> tuple[Array, Array | None]:
    """Convolve, add a bias ``(filters,)``, rectify and pool: see
    :class:`~pytensor_nnet.kernels.llvm.layer.Epilogue`.

    Returns the output and, if it keeps one, the mask, both ``(batch, filters,
    rows, columns)``, which a launch will fill.
    Raises ``ValueError`` where the shapes do not fit each other.
    """
    geometry.output_shape(images.shape, filters.shape)
    padded = _channels_last(launch, images, geometry.pads)
    layer = _layer(padded, filters.shape, geometry, epilogue)
    plan = _forward_plan(layer, filters.shape, geometry.flip)
    return plan.add_to(launch, padded, filters, bias)


def add_layer_gradients(
    launch: Launch,
    images: Array,
    filters: Array,
    out: Array,
    mask: Array | None,
    output_gradient: Array,
    geometry: Convolution,
    epilogue: Epilogue,
    at_zero: float,
    to_images: bool = True,
) -> Gradients:
    """The gradients of :func:`add_layer`, which gave ``out`` and ``mask``: what a
    launch will fill.

    ``at_zero`` is the rectifier's derivative at 0. A window's gradient goes to all
    of its maxima.
    """
    padded = _channels_last(launch, images, geometry.pads)
    layer = _layer(padded, filters.shape, geometry, epilogue)
    target = None
    if to_images:
        target, _ = launch.allocate(padded.shape, padded.dtype)
    to_filters, to_bias = _add_gradients(
        launch,
        Backward(layer, to_images=to_images),
        geometry.flip,
        padded,
        filters if to_images else None,
        out,
        mask,
        output_gradient,
        at_zero,
        target,
    )
    return Gradients(
        to_filters,
        to_bias,
        None
        if target is None
        else _without_pads(launch, target, geometry.pads, images.shape[2:]),
    )


def _is_served(
    one: Array, other: Array, geometry: Convolution, out_shape: tuple[int, ...]
) -> bool:
    """Whether there is a kernel for these, and it is worth compiling."""
    filters = one if one.shape[0] == out_shape[1] else other
    return (
        one.dtype == other.dtype
        and one.dtype in _ELEMENTS
        and geometry.groups == 1
        and min(one.size, other.size) > 0
        and prod(out_shape) * max(1, prod(filters.shape[1:])) >= _SMALL
    )


def _is_faster_turned(filters: Array, out_size: Any, image_size: Pair) -> bool:
    """Whether the images' gradient is best had as a convolution of the output's, of
    the multiply-adds that it takes in whole vectors; else as a sum over positions.
    """
    n_filters, channels, rows, columns = filters.shape
    element = _ELEMENTS[filters.dtype]
    lanes = host().lanes(element)
    padded = image_size[0] + rows - 1, image_size[1] + columns - 1
    layer = Layer(element, n_filters, padded, channels, (rows, columns))
    turned = prod(image_size) * rows * columns * n_filters * -(-channels // lanes)
    summed = prod(out_size) * rows * n_filters * -(-columns * channels // lanes)
    return turned < summed * (_WINOGRAD if suits_winograd(layer) else _DIRECT)


@cache
def _forward_plan(
    layer: Layer, filter_shape: tuple[int, ...], flip: bool
) -> "_ForwardPlan":
    return _ForwardPlan(layer, filter_shape, flip)


class _ForwardPlan:
    """All of a layer's forward pass that does not depend on the numbers."""

    def __init__(self, layer: Layer, filter_shape: tuple[int, ...], flip: bool):
        cpu = host()
        self._layer, self._dtype = layer, _DTYPES[layer.element]
        self._winograd = Winograd(layer) if suits_winograd(layer) else None
        pack = (self._winograd or Direct(layer)).pack_filters
        self._order = order_of(
            filter_shape, lambda filters: pack(_taps_of_filters(filters, flip))
        )
        lanes = cpu.lanes(layer.element)
        self._bias_order = order_of((layer.filters,), lambda bias: _padded(bias, lanes))
        self._nothing = np.full_like(self._bias_order, -1)
        self._scratch, transformed = 0, 0
        if self._winograd:
            transformed = self._winograd.transformed_size(cpu)
            self._scratch = _line(self._winograd.scratch(cpu))
        # The bias, the packed filters and the transformed ones, in one array.
        self._places = np.cumsum(
            [0, *map(_line, (self._bias_order.size, self._order.size, transformed))]
        ).tolist()
        self._task = prod(layer.convolved_size) * layer.filters * layer.taps

    def add_to(
        self, launch: Launch, padded: Array, filters: Array, bias: Array | None
    ) -> tuple[Array, Array | None]:
        layer, dtype, itemsize = self._layer, self._dtype, self._dtype.itemsize
        batch = len(padded)
        spans = threads.shares(
            batch, min(6 * threads.threads(), batch * self._task // _SMALL_TASK)
        )
        shape = (batch, *layer.out_size, layer.filters)
        out, out_at = launch.allocate(shape, dtype)
        mask, mask_at = None, 0
        if layer.epilogue.keeps_mask:
            mask, mask_at = launch.allocate(shape, _mask_dtype(layer.epilogue))
        numbers = self._places[-1] + self._scratch * len(spans)
        scratch_at = launch.scratch(itemsize * numbers)
        bias_at, packed_at, transformed_at, scratch_at = (
            scratch_at + itemsize * place for place in self._places
        )
        filters = launch.in_order(filters)
        rows = [(address(filters), self._order, packed_at)]
        if bias is None:
            rows.append((0, self._nothing, bias_at))
        else:
            rows.append((address(launch.in_order(bias)), self._bias_order, bias_at))
        add_rearrangements(launch, dtype, rows)
        images_at = address(padded)
        if self._winograd:
            transform = transformation_kernel(self._winograd)
            launch.add(transform, [(packed_at, transformed_at)])
            common = (images_at, transformed_at, packed_at, bias_at, out_at, mask_at)
            tasks = [
                (*common, scratch_at + number * self._scratch * itemsize, *span)
                for number, span in enumerate(spans)
            ]
            launch.add(winograd_kernel(self._winograd), tasks)
        else:
            common = (images_at, packed_at, bias_at, out_at, mask_at)
            launch.add(forward_kernel(layer), [(*common, *span) for span in spans])
        return channels_first(out), None if mask is None else channels_first(mask)


def _add_gradients(
    launch: Launch,
    backward: Backward,
    flip: bool,
    padded: Array,
    filters: Array | None,
    out: Array | None,
    mask: Array | None,
    gradient: Array,
    at_zero: float,
    to_images: Array | None = None,
) -> tuple[Array | None, Array]:
    """Gradients of the filters and of the bias; those of the padded images are
    written to ``to_images``.
    """
    shape = (backward.layer.filters, padded.shape[3], *backward.layer.filter_size)
    rows = gradient.transpose(0, 2, 3, 1)
    strides = [stride // gradient.itemsize for stride in rows.strides]
    filters_last = strides[3] == 1 or backward.layer.filters == 1
    plan = _backward_plan(backward, shape, flip, filters_last)
    kept = [None if x is None else packed_last(launch, x) for x in (out, mask)]
    return plan.add_to(
        launch, padded, filters, *kept, gradient, strides, at_zero, to_images
    )


@cache
def _backward_plan(
    backward: Backward, filter_shape: tuple[int, ...], flip: bool, filters_last: bool
) -> "_BackwardPlan":
    return _BackwardPlan(backward, filter_shape, flip, filters_last)


class _BackwardPlan:
    """All of a layer's gradients that does not depend on the numbers."""

    def __init__(
        self,
        backward: Backward,
        filter_shape: tuple[int, ...],
        flip: bool,
        filters_last: bool,
    ):
        cpu, layer = host(), backward.layer
        self._backward, self._filter_shape = backward, filter_shape
        self._dtype = _DTYPES[layer.element]
        self._kernel = backward_kernel(backward, filters_last)
        self._scratch = backward.scratch(cpu)
        self._pack = order_of(
            filter_shape,
            lambda filters: backward.pack_filters(_taps_of_filters(filters, flip), cpu),
        )
        # The gradient of each filter's taps, as the kernel has them.
        size = prod(backward.filter_shape(cpu))
        self._unpack = order_of(
            (size,),
            lambda packed: _filters_of_taps(
                backward.unpack_gradient(packed, cpu), filter_shape, flip
            ),
        )
        lanes = backward.filters(cpu)
        self._unpack_bias = order_of((lanes,), lambda bias: bias[: layer.filters])
        # For each group of images: gradients of filters and bias, and scratch.
        self._sizes = (
            _line(size if backward.to_filters else 0),
            _line(lanes),
            _line(self._scratch.numbers),
        )
        self._places = backward.places(cpu)

    def add_to(
        self,
        launch: Launch,
        padded: Array,
        filters: Array | None,
        out: Array | None,
        mask: Array | None,
        gradient: Array,
        strides: list[int],
        at_zero: float,
        to_images: Array | None,
    ) -> tuple[Array | None, Array]:
        layer, dtype, itemsize = self._backward.layer, self._dtype, self._dtype.itemsize
        spans = threads.shares(len(padded), _GROUPS)
        parts, pitch = len(spans), sum(self._sizes)
        steps = (
            pitch * itemsize,
            _line(self._scratch.bits) * _mask_dtype(layer.epilogue).itemsize,
            _line(self._scratch.offsets) * 4,
        )
        packed_size = _line(self._pack.size * itemsize)
        numbers_at = launch.scratch(parts * sum(steps) + packed_size)
        bits_at = numbers_at + parts * steps[0]
        offsets_at = bits_at + parts * steps[1]
        packed_at = offsets_at + parts * steps[2]
        if filters is None:
            packed_at = 0
        else:
            source = address(launch.in_order(filters))
            add_rearrangements(launch, dtype, [(source, self._pack, packed_at)])
        shared = (address(padded), packed_at)
        kept = *(0 if x is None else address(x) for x in (out, mask)), address(gradient)
        to_images_at = 0 if to_images is None else address(to_images)
        to_bias = numbers_at + itemsize * self._sizes[0]
        scratch = to_bias + itemsize * self._sizes[1]
        tasks = [
            (
                *(*shared, *kept),
                *(numbers_at + group * steps[0], to_bias + group * steps[0]),
                to_images_at,
                *(scratch + group * steps[0], bits_at + group * steps[1]),
                offsets_at + group * steps[2],
                *(address(self._places), *strides, at_zero, *span),
            )
            for group, span in enumerate(spans)
        ]
        launch.add(self._kernel, tasks)
        bias, bias_at = launch.allocate((layer.filters,), dtype)
        sums = [(to_bias, self._sizes[1])]
        rows = [(to_bias, self._unpack_bias, bias_at)]
        result = None
        if self._backward.to_filters:
            result, result_at = launch.allocate(self._filter_shape, dtype)
            sums.append((numbers_at, self._sizes[0]))
            rows.append((numbers_at, self._unpack, result_at))
        add_sums(launch, dtype, sums, parts, pitch)
        add_rearrangements(launch, dtype, rows)
        return result, bias


def _line(size: int) -> int:
    """A size up to a whole number of cache lines, whatever the type."""
    return round_up(size, 64)


def _padded(bias: Array, lanes: int) -> Array:
    """With zeros up to a whole number of vectors."""
    return np.pad(bias, (0, -len(bias) % lanes))


def _mask_dtype(epilogue: Epilogue) -> Any:
    return np.dtype(f"u{int(epilogue.mask_type[1:]) // 8}")


def _layer(
    padded: Array,
    filter_shape: tuple[int, ...],
    geometry: Convolution,
    epilogue: Epilogue,
) -> Layer:
    _, rows, columns, channels = padded.shape
    return Layer(
        _ELEMENTS[padded.dtype],
        channels,
        (rows, columns),
        filter_shape[0],
        (filter_shape[2], filter_shape[3]),
        geometry.strides,
        geometry.dilations,
        epilogue,
    )


def _channels_last(launch: Launch, images: Array, pads: tuple[Pair, Pair]) -> Array:
    """Images ``(batch, rows, columns, channels)`` in C order, with their pads."""
    if pads == ((0, 0), (0, 0)):
        return packed_last(launch, images)
    return pad_images(launch, images, pads)


def _without_pads(
    launch: Launch, padded: Array, pads: tuple[Pair, Pair], size: Any
) -> Array:
    (top, bottom), (left, right) = pads
    if min(top, bottom, left, right) < 0:
        whole = zeros((len(padded), *size, padded.shape[3]), padded.dtype)
        inner = whole[
            :,
            max(0, -top) : size[0] - max(0, -bottom),
            max(0, -left) : size[1] - max(0, -right),
        ]
        cut = padded[
            :,
            max(0, top) : max(0, top) + inner.shape[1],
            max(0, left) : max(0, left) + inner.shape[2],
        ]
        launch.after = lambda: np.copyto(inner, cut)
        return channels_first(whole)
    return channels_first(padded[:, top : top + size[0], left : left + size[1]])


def _taps_of_filters(filters: Array, flip: bool) -> Array:
    """``(filters, taps)``, a filter's taps ordered (rows, columns, channels)."""
    oriented = filters[:, :, ::-1, ::-1] if flip else filters
    last = oriented.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(last).reshape(len(filters), -1)


def _filters_of_taps(taps: Array, shape: tuple[int, ...], flip: bool) -> Array:
    n_filters, channels, rows, columns = shape
    filters = taps.reshape(n_filters, rows, columns, channels).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(filters[:, :, ::-1, ::-1] if flip else filters)
