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
from pytensor_nnet.kernels.llvm.forward import forward_kernel, pack_filters
from pytensor_nnet.kernels.llvm.layer import Epilogue, Layer
from pytensor_nnet.kernels.llvm.memory import address, empty, zeros
from pytensor_nnet.kernels.llvm.transposition import transpose

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
    gradient, _, _ = _gradients(backward, padded, None, None, None, output_gradient, 1)
    return _filters_of_taps(gradient, filter_shape, geometry.flip)


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
    taps = _taps_of_filters(filters, geometry.flip)
    _gradients(backward, padded, taps, None, None, output_gradient, 1, padded)
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
    taps = _taps_of_filters(filters, geometry.flip) if to_images else None
    to_filters, to_bias, _ = _gradients(
        Backward(layer, to_images=to_images),
        padded,
        taps,
        out,
        mask,
        output_gradient,
        at_zero,
        target,
    )
    return Gradients(
        _filters_of_taps(to_filters, filters.shape, geometry.flip),
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
    dtype = padded.dtype
    taps = _taps_of_filters(filters, geometry.flip)
    packed = pack_filters(taps, layer)
    full_bias = zeros((_whole(layer.filters, dtype),), dtype)
    if bias is not None:
        full_bias[: layer.filters] = bias
    shape = (len(images), *layer.out_size, layer.filters)
    out = empty(shape, dtype)
    mask = None
    if epilogue.keeps_mask:
        mask = empty(shape, _mask_dtype(epilogue))
    addresses = (
        address(padded),
        address(packed),
        address(full_bias),
        address(out),
        0 if mask is None else address(mask),
        int(np.isfinite(taps).all()) if layer.channels <= 4 else 0,
    )
    work = prod(layer.convolved_size) * layer.filters * layer.taps
    spans = _spans(
        len(images), min(4 * threads.threads(), len(images) * work // _SMALL_TASK)
    )
    threads.run(forward_kernel(layer), [(*addresses, *span) for span in spans])
    return _channels_first(out), None if mask is None else _channels_first(mask)


def _gradients(
    backward: Backward,
    padded: Array,
    taps: Array | None,
    out: Array | None,
    mask: Array | None,
    gradient: Array,
    at_zero: float,
    to_images: Array | None = None,
) -> tuple[Array, Array, Array | None]:
    """Gradients of the filters ``(filters, taps)`` and of the bias; those of the
    padded images are written to ``to_images``.
    """
    layer, cpu, dtype = backward.layer, host(), padded.dtype
    spans = _spans(len(padded), _GROUPS)
    keep: list[Array] = []  # what the kernel is given the address of

    def at(array: Array | None) -> int:
        if array is None:
            return 0
        keep.append(array)
        return address(array)

    rows = gradient.transpose(0, 2, 3, 1)
    strides = [stride // dtype.itemsize for stride in rows.strides]
    filters_last = strides[3] == 1 or layer.filters == 1
    to_filters = zeros(
        (len(spans), backward.gradient_size(cpu) if backward.to_filters else 0), dtype
    )
    to_bias = zeros((len(spans), backward.filters(cpu)), dtype)
    n_numbers, n_bits, n_offsets = backward.scratch_sizes(cpu)
    numbers = zeros((len(spans), _line(n_numbers)), dtype)
    bits = zeros((len(spans), _line(n_bits)), _mask_dtype(layer.epilogue))
    offsets = empty((len(spans), _line(n_offsets)), np.int32)
    filters = None if taps is None else backward.pack_filters(taps, cpu)
    shared = (
        at(padded),
        at(filters),
        at(None if out is None else _packed_last(out)),
        at(None if mask is None else _packed_last(mask)),
        at(gradient),
    )
    tasks = [
        (
            *shared,
            at(to_filters[group]),
            at(to_bias[group]),
            at(to_images),
            at(numbers[group]),
            at(bits[group]),
            at(offsets[group]),
            at(_places(backward)),
            *strides,
            at_zero,
            *span,
        )
        for group, span in enumerate(spans)
    ]
    threads.run(backward_kernel(backward, filters_last), tasks)
    total = to_filters.sum(axis=0)
    return (
        backward.unpack_gradient(total, cpu) if backward.to_filters else total,
        to_bias.sum(axis=0)[: layer.filters],
        to_images,
    )


@cache
def _places(backward: Backward) -> Array:
    return backward.places(host())


def _line(size: int) -> int:
    """A size up to a whole number of cache lines, whatever the type."""
    return -(-size // 64) * 64


def _spans(length: int, parts: int) -> list[Pair]:
    """``range(length)`` in so many parts, or fewer, that are nearly equal."""
    parts = max(1, min(parts, length))
    ends = [length * part // parts for part in range(parts + 1)]
    return list(zip(ends, ends[1:], strict=False))


def _whole(filters: int, dtype: np.dtype) -> int:
    lanes = host().lanes(_ELEMENTS[dtype])
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
        return _packed_last(images)
    (top, bottom), (left, right) = pads
    cut = images[
        :,
        :,
        max(0, -top) : images.shape[2] - max(0, -bottom),
        max(0, -left) : images.shape[3] - max(0, -right),
    ]
    top, bottom, left, right = (max(0, pad) for pad in (top, bottom, left, right))
    batch, channels, rows, columns = cut.shape
    padded = zeros(
        (batch, rows + top + bottom, columns + left + right, channels), images.dtype
    )
    padded[:, top : top + rows, left : left + columns] = cut.transpose(0, 2, 3, 1)
    return padded


def _packed_last(images: Array) -> Array:
    """Channels last, in C order; the same memory if it lies so already."""
    last = images.transpose(0, 2, 3, 1)
    if last.flags.c_contiguous:
        return last
    if images.flags.c_contiguous:
        batch, channels, rows, columns = images.shape
        return transpose(images.reshape(batch, channels, rows * columns)).reshape(
            last.shape
        )
    packed = empty(last.shape, last.dtype)
    np.copyto(packed, last)
    return packed


def _channels_first(images: Array) -> Array:
    return images.transpose(0, 3, 1, 2)


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
        return _channels_first(whole)
    return _channels_first(padded[:, top : top + size[0], left : left + size[1]])


def _taps_of_filters(filters: Array, flip: bool) -> Array:
    """``(filters, taps)``, a filter's taps ordered (rows, columns, channels)."""
    oriented = filters[:, :, ::-1, ::-1] if flip else filters
    last = oriented.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(last).reshape(len(filters), -1)


def _filters_of_taps(taps: Array, shape: tuple[int, ...], flip: bool) -> Array:
    n_filters, channels, rows, columns = shape
    filters = taps.reshape(n_filters, rows, columns, channels).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(filters[:, :, ::-1, ::-1] if flip else filters)
