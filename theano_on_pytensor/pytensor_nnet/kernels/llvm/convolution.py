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
from pytensor_nnet.kernels.llvm.forward import Direct, forward_kernel, skips_blanks
from pytensor_nnet.kernels.llvm.layer import Epilogue, Layer
from pytensor_nnet.kernels.llvm.memory import address, allocate, empty, zeros
from pytensor_nnet.kernels.llvm.padding import pad_images
from pytensor_nnet.kernels.llvm.rearrangement import addition, order_of, rearrangement
from pytensor_nnet.kernels.llvm.transposition import channels_first, packed_last
from pytensor_nnet.kernels.llvm.winograd import (
    Winograd,
    suits_winograd,
    transformation_kernel,
    winograd_kernel,
)

__all__ = [
    "Gradients",
    "convolve",
    "convolve_filter_gradient",
    "convolve_input_gradient",
    "convolve_pooled",
    "convolve_pooled_gradients",
]

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]

_ELEMENTS = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
_DTYPES = {element: dtype for dtype, element in _ELEMENTS.items()}

# Groups of images that have a gradient of the filters each.
_GROUPS = 8
# Multiply-adds below which NumPy is done before a kernel is compiled, and below
# which a second thread is not worth waking.
_SMALL = 1 << 19
_SMALL_TASK = 1 << 18


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
    return _convolve(images, filters, None, geometry, Epilogue())[0]


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
    padded = _channels_last(images, geometry.pads)
    layer = _layer(padded, filter_shape, geometry, Epilogue())
    backward = Backward(layer, to_images=False)
    none = (None, None, None)
    return _gradients(backward, geometry.flip, padded, *none, output_gradient, 1)[0]


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
    if geometry.strides == (1, 1):
        down, across = (
            dilated_size(size, dilation) - 1
            for size, dilation in zip(
                filters.shape[2:], geometry.dilations, strict=True
            )
        )
        pads = ((down - top, down - bottom), (across - left, across - right))
        turned = replace(geometry, pads=pads, flip=not geometry.flip)
        return _convolve(
            output_gradient, filters.swapaxes(0, 1), None, turned, Epilogue()
        )[0]
    rows, columns = image_size
    padded = empty(
        (len(output_gradient), rows + top + bottom, columns + left + right)
        + (filters.shape[1],),
        filters.dtype,
    )
    layer = _layer(padded, filters.shape, geometry, Epilogue())
    backward = Backward(layer, to_filters=False)
    none = (None, None)
    _gradients(
        backward, geometry.flip, padded, filters, *none, output_gradient, 1, padded
    )
    return _without_pads(padded, geometry.pads, image_size)


def convolve_pooled(
    images: Array,
    filters: Array,
    bias: Array,
    geometry: Convolution,
    epilogue: Epilogue,
) -> tuple[Array, Array | None]:
    """Convolve, add a bias ``(filters,)``, rectify and pool: see
    :class:`~pytensor_nnet.kernels.llvm.layer.Epilogue`.

    Returns the output and, if it keeps one, the mask, both ``(batch, filters,
    rows, columns)``. Raises ``ValueError`` where the shapes do not fit each other.
    """
    geometry.output_shape(images.shape, filters.shape)
    return _convolve(images, filters, bias, geometry, epilogue)


def convolve_pooled_gradients(
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
    """The gradients of :func:`convolve_pooled`, which gave ``out`` and ``mask``.

    ``at_zero`` is the rectifier's derivative at 0. A window's gradient goes to all
    of its maxima.
    """
    padded = _channels_last(images, geometry.pads)
    layer = _layer(padded, filters.shape, geometry, epilogue)
    target = empty(padded.shape, padded.dtype) if to_images else None
    to_filters, to_bias = _gradients(
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
        else _without_pads(target, geometry.pads, images.shape[2:]),
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


def _convolve(
    images: Array,
    filters: Array,
    bias: Array | None,
    geometry: Convolution,
    epilogue: Epilogue,
) -> tuple[Array, Array | None]:
    padded = _channels_last(images, geometry.pads)
    layer = _layer(padded, filters.shape, geometry, epilogue)
    plan = _forward_plan(layer, filters.shape, geometry.flip)
    return plan.run(padded, filters, bias)


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
        self._order_address = address(self._order)
        self._n_filters = _whole(layer.filters, cpu.lanes(layer.element))
        self._scratch, transformed = 0, 0
        if self._winograd:
            transformed = self._winograd.transformed_size(cpu)
            self._scratch = _line(self._winograd.scratch(cpu))
        # The bias, the packed filters and the transformed ones, in one array.
        self._places = np.cumsum(
            [0, *map(_line, (self._n_filters, self._order.size, transformed))]
        ).tolist()
        self._task = prod(layer.convolved_size) * layer.filters * layer.taps
        self._skips_blanks = self._winograd is None and skips_blanks(layer, cpu)

    def run(
        self, padded: Array, filters: Array, bias: Array | None
    ) -> tuple[Array, Array | None]:
        layer, dtype, itemsize = self._layer, self._dtype, self._dtype.itemsize
        batch = len(padded)
        filters = np.ascontiguousarray(filters)
        prepared, place = allocate((self._places[-1],), dtype)
        bias_at, packed_at, transformed_at = (
            place + itemsize * start for start in self._places[:3]
        )
        prepared[: self._n_filters] = 0
        if bias is not None:
            prepared[: layer.filters] = bias
        order = self._order
        rearrangement(layer.element)(
            address(filters), self._order_address, packed_at, order.size
        )
        shape = (batch, *layer.out_size, layer.filters)
        out, out_at = allocate(shape, dtype)
        mask, mask_at = None, 0
        if layer.epilogue.keeps_mask:
            mask, mask_at = allocate(shape, _mask_dtype(layer.epilogue))
        spans = threads.spans(
            batch, min(4 * threads.threads(), batch * self._task // _SMALL_TASK)
        )
        images_at = address(padded)
        if self._winograd:
            transformation_kernel(self._winograd)(packed_at, transformed_at)
            scratch, scratch_at = allocate((len(spans), self._scratch), dtype)
            tasks = [
                (images_at, transformed_at, packed_at, bias_at, out_at, mask_at)
                + (scratch_at + number * self._scratch * itemsize, *span)
                for number, span in enumerate(spans)
            ]
            threads.run(winograd_kernel(self._winograd), tasks)
        else:
            finite = self._skips_blanks and bool(np.isfinite(filters).all())
            common = (images_at, packed_at, bias_at, out_at, mask_at, int(finite))
            threads.run(forward_kernel(layer), [(*common, *span) for span in spans])
        return channels_first(out), None if mask is None else channels_first(mask)


def _gradients(
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
    kept = [None if x is None else packed_last(x) for x in (out, mask)]
    return plan.run(padded, filters, *kept, gradient, strides, at_zero, to_images)


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
        self._sizes = (
            size if backward.to_filters else 0,
            backward.filters(cpu),
            self._scratch.numbers,
        )
        self._starts = np.cumsum([0, *map(_line, self._sizes)]).tolist()
        self._places = backward.places(cpu)
        self._addresses = address(self._pack), address(self._unpack)
        self._places_address = address(self._places)

    def run(
        self,
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
        pack_at, unpack_at = self._addresses
        spans = threads.spans(len(padded), _GROUPS)
        parts = len(spans)
        rearrange = rearrangement(layer.element)
        packed_at = 0
        if filters is not None:
            filters = np.ascontiguousarray(filters)
            packed, packed_at = allocate((self._pack.size,), dtype)
            rearrange(address(filters), pack_at, packed_at, self._pack.size)
        # For each group of images: gradients of filters and bias, and scratch.
        pitch = self._starts[-1]
        numbers, numbers_at = allocate((parts, pitch), dtype)
        mask_dtype = _mask_dtype(layer.epilogue)
        bits_pitch, offsets_pitch = map(
            _line, (self._scratch.bits, self._scratch.offsets)
        )
        bits, bits_at = allocate((parts, bits_pitch), mask_dtype)
        offsets, offsets_at = allocate((parts, offsets_pitch), np.int32)
        shared = (
            address(padded),
            packed_at,
            0 if out is None else address(out),
            0 if mask is None else address(mask),
            address(gradient),
        )
        to_images_at = 0 if to_images is None else address(to_images)
        to_filters, to_bias, scratch = (
            numbers_at + itemsize * start for start in self._starts[:3]
        )
        steps = (self._places_address, *strides, at_zero)
        tasks = [
            (
                *shared,
                to_filters + group * pitch * itemsize,
                to_bias + group * pitch * itemsize,
                to_images_at,
                scratch + group * pitch * itemsize,
                bits_at + group * bits_pitch * mask_dtype.itemsize,
                offsets_at + group * offsets_pitch * 4,
                *steps,
                *span,
            )
            for group, span in enumerate(spans)
        ]
        threads.run(self._kernel, tasks)
        add = addition(layer.element)
        add(to_bias, _line(self._sizes[1]), parts, pitch)
        start = self._starts[1]
        bias = numbers[0, start : start + layer.filters].copy()
        if not self._backward.to_filters:
            return None, bias
        add(to_filters, _line(self._sizes[0]), parts, pitch)
        result, result_at = allocate(self._filter_shape, dtype)
        rearrange(to_filters, unpack_at, result_at, result.size)
        return result, bias


def _line(size: int) -> int:
    """A size up to a whole number of cache lines, whatever the type."""
    return -(-size // 64) * 64


def _whole(filters: int, lanes: int) -> int:
    return -(-filters // lanes) * lanes


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


def _channels_last(images: Array, pads: tuple[Pair, Pair]) -> Array:
    """Images ``(batch, rows, columns, channels)`` in C order, with their pads."""
    if pads == ((0, 0), (0, 0)):
        return packed_last(images)
    return pad_images(images, pads)


def _without_pads(padded: Array, pads: tuple[Pair, Pair], size: Any) -> Array:
    (top, bottom), (left, right) = pads
    if min(top, bottom, left, right) < 0:
        whole = zeros((len(padded), *size, padded.shape[3]), padded.dtype)
        inner = whole[
            :,
            max(0, -top) : size[0] - max(0, -bottom),
            max(0, -left) : size[1] - max(0, -right),
        ]
        inner[:] = padded[
            :,
            max(0, top) : max(0, top) + inner.shape[1],
            max(0, left) : max(0, left) + inner.shape[2],
        ]
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
