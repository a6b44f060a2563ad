"""Two-dimensional convolution and its two gradients, on NumPy's BLAS.

Images are ``(batch, channels, rows, columns)``, filters ``(filters,
channels // groups, rows, columns)``. The windows that a filter meets are copied
into the columns of a matrix ("im2col"), a block of images or rows at a time, so
that they stay in the cache; a convolution is then a product of matrices.

Arguments are never written to. Nothing here runs on several threads, and the
order of all sums is fixed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from pytensor_nnet.kernels.geometry import convolution_output_size, dilated_size

__all__ = [
    "Convolution",
    "convolve",
    "convolve_filter_gradient",
    "convolve_input_gradient",
]

Pair = tuple[int, int]
Shape = tuple[int, ...]
Array = np.ndarray[Any, Any]

# Half of a second-level cache of today.
_BLOCK_BYTES = 1 << 19


@dataclass(frozen=True)
class Convolution:
    """How filters meet images.

    Parameters
    ----------
    pads : pair of pairs of int
        Zeros around the images, ``((top, bottom), (left, right))``; a negative
        pad cuts.
    strides, dilations : pair of int
        Steps between windows, and between a filter's taps, (vertical, horizontal).
    groups : int
        Channels and filters are split into that many groups that do not meet.
    flip : bool
        Whether the filters are turned by 180 degrees (convolution), or not
        (cross-correlation).
    """

    pads: tuple[Pair, Pair] = ((0, 0), (0, 0))
    strides: Pair = (1, 1)
    dilations: Pair = (1, 1)
    groups: int = 1
    flip: bool = True

    def output_shape(self, image_shape: Shape, filter_shape: Shape) -> Shape:
        """``(batch, filters, rows, columns)`` of the result.

        Raises ``ValueError`` where channels and groups do not fit, or where the
        filter is larger than the padded image.
        """
        if (
            image_shape[1] != filter_shape[1] * self.groups
            or filter_shape[0] % self.groups
        ):
            raise ValueError(
                f"images of shape {image_shape} do not fit filters of shape "
                f"{filter_shape} in {self.groups} group(s): the images need "
                f"{filter_shape[1]} * {self.groups} = {filter_shape[1] * self.groups} "
                f"channels, and the number of filters, {filter_shape[0]}, must be a "
                f"multiple of {self.groups}"
            )
        rows, columns = (
            convolution_output_size(*axis)
            for axis in zip(
                image_shape[2:],
                filter_shape[2:],
                self.pads,
                self.strides,
                self.dilations,
                strict=True,
            )
        )
        if min(filter_shape[2:]) < 1 or min(rows, columns) < 1:
            raise ValueError(
                f"a convolution of images of shape {image_shape} with filters of "
                f"shape {filter_shape} has no output: its size would be {rows} x "
                f"{columns} with {self}; use larger images, smaller filters or more "
                "padding"
            )
        return (image_shape[0], filter_shape[0], rows, columns)


def convolve(
    images: Array, filters: Array, geometry: Convolution = Convolution()
) -> Array:
    """Convolve images with filters: ``(batch, filters, rows, columns)``.

    Raises ``ValueError`` where the shapes do not fit each other.
    """
    lowering = _Lowering(geometry, images.shape, filters.shape)
    dtype = np.result_type(images, filters)
    matrices = lowering.matrices(filters.astype(dtype, copy=False))
    out = np.empty(lowering.out_shape, dtype)
    grouped = lowering.group(out)
    for batch, positions, columns in lowering.columns(images, dtype):
        np.matmul(matrices, columns, out=grouped[batch, :, :, positions])
    return out


def convolve_filter_gradient(
    images: Array,
    output_gradient: Array,
    filter_size: Pair,
    geometry: Convolution = Convolution(),
) -> Array:
    """The gradient of :func:`convolve` with respect to the filters.

    ``filter_size`` is their ``(rows, columns)``. Raises ``ValueError`` where
    the shapes do not fit each other.
    """
    filter_shape = (
        output_gradient.shape[1],
        images.shape[1] // geometry.groups,
        *filter_size,
    )
    lowering = _Lowering(geometry, images.shape, filter_shape)
    lowering.check_gradient(output_gradient.shape)
    dtype = np.result_type(images, output_gradient)
    grouped = lowering.group(output_gradient.astype(dtype, copy=False))
    gradient = np.zeros(lowering.matrices_shape, dtype)
    for batch, positions, columns in lowering.columns(images, dtype):
        of_each_image = np.matmul(
            grouped[batch, :, :, positions], columns.swapaxes(2, 3)
        )
        gradient += of_each_image.sum(axis=0)
    return lowering.filters(gradient)


def convolve_input_gradient(
    filters: Array,
    output_gradient: Array,
    image_size: Pair,
    geometry: Convolution = Convolution(),
) -> Array:
    """The gradient of :func:`convolve` with respect to the images.

    ``image_size`` is their ``(rows, columns)``. Raises ``ValueError`` where
    the shapes do not fit each other.
    """
    image_shape = (
        output_gradient.shape[0],
        filters.shape[1] * geometry.groups,
        *image_size,
    )
    lowering = _Lowering(geometry, image_shape, filters.shape)
    lowering.check_gradient(output_gradient.shape)
    if geometry.strides == (1, 1):
        return _input_gradient_by_convolution(filters, output_gradient, geometry)
    return _input_gradient_by_scattering(filters, output_gradient, lowering)


def _input_gradient_by_convolution(
    filters: Array, output_gradient: Array, geometry: Convolution
) -> Array:
    """With stride 1 the gradient is a convolution, too: with the filters turned,
    and with what the pads lacked of a ``'full'`` convolution.
    """
    n_filters, channels, *size = filters.shape
    grouped = filters.reshape(
        geometry.groups, n_filters // geometry.groups, channels, *size
    )
    swapped = grouped.swapaxes(1, 2).reshape(
        geometry.groups * channels, n_filters // geometry.groups, *size
    )
    (top, bottom), (left, right) = geometry.pads
    down, across = (
        dilated_size(*axis) - 1 for axis in zip(size, geometry.dilations, strict=True)
    )
    turned = replace(
        geometry,
        pads=((down - top, down - bottom), (across - left, across - right)),
        flip=not geometry.flip,
    )
    return convolve(output_gradient, swapped, turned)


def _input_gradient_by_scattering(
    filters: Array, output_gradient: Array, lowering: "_Lowering"
) -> Array:
    """Add what each output gives to the window it came from ("col2im")."""
    geometry, groups = lowering.geometry, lowering.geometry.groups
    batch, _, *image_size = lowering.image_shape
    n_filters, channels, *filter_size = filters.shape
    *_, rows, columns = lowering.out_shape
    dtype = np.result_type(filters, output_gradient)
    taps = (
        _oriented(filters.astype(dtype, copy=False), geometry.flip)
        .reshape(groups, n_filters // groups, channels, *filter_size)
        .transpose(3, 4, 0, 2, 1)
    )
    grouped = lowering.group(output_gradient.astype(dtype, copy=False))
    (top, bottom), (left, right) = geometry.pads
    padded = np.zeros(
        (
            batch,
            groups,
            channels,
            image_size[0] + top + bottom,
            image_size[1] + left + right,
        ),
        dtype,
    )
    (step_down, step_across), (gap_down, gap_across) = (
        geometry.strides,
        geometry.dilations,
    )
    for image in range(batch):
        for i, j in np.ndindex(*filter_size):
            share = np.matmul(taps[i, j], grouped[image])
            padded[
                image,
                :,
                :,
                _progression(i * gap_down, rows, step_down),
                _progression(j * gap_across, columns, step_across),
            ] += share.reshape(groups, channels, rows, columns)
    inner = padded[..., top : top + image_size[0], left : left + image_size[1]]
    return inner.reshape(lowering.image_shape)


def _progression(start: int, count: int, step: int) -> slice:
    return slice(start, start + (count - 1) * step + 1, step)


def _oriented(filters: Array, flip: bool) -> Array:
    return filters[:, :, ::-1, ::-1] if flip else filters


@dataclass(frozen=True)
class _Lowering:
    """A convolution of certain shapes as a product of matrices.

    A row of a group's matrix is a filter, a column of the other factor a window.
    """

    geometry: Convolution
    image_shape: Shape
    filter_shape: Shape

    @cached_property
    def out_shape(self) -> Shape:
        return self.geometry.output_shape(self.image_shape, self.filter_shape)

    @property
    def matrices_shape(self) -> Shape:
        """``(groups, filters // groups, taps)``."""
        groups = self.geometry.groups
        return (groups, self.filter_shape[0] // groups, prod(self.filter_shape[1:]))

    @cached_property
    def channels_last(self) -> bool:
        """Whether a filter's taps are ordered (rows, columns, channels), not
        (channels, rows, columns): whichever copies the longer runs.
        """
        _, channels, _, columns = self.filter_shape
        joined = self.geometry.groups == 1 and self.geometry.dilations[1] == 1
        return channels * (columns if joined else 1) >= self.out_shape[3]

    def matrices(self, filters: Array) -> Array:
        """Filters as one matrix a group."""
        filters = _oriented(filters, self.geometry.flip)
        if self.channels_last:
            filters = filters.transpose(0, 2, 3, 1)
        return np.ascontiguousarray(filters.reshape(self.matrices_shape))

    def filters(self, matrices: Array) -> Array:
        """The inverse of :meth:`matrices`."""
        n_filters, channels, rows, columns = self.filter_shape
        if self.channels_last:
            shape = (n_filters, rows, columns, channels)
            filters = matrices.reshape(shape).transpose(0, 3, 1, 2)
        else:
            filters = matrices.reshape(self.filter_shape)
        return np.ascontiguousarray(_oriented(filters, self.geometry.flip))

    def group(self, outputs: Array) -> Array:
        """``(batch, groups, filters // groups, positions)``, a view if it can be."""
        batch, n_filters, rows, columns = self.out_shape
        groups = self.geometry.groups
        return outputs.reshape(batch, groups, n_filters // groups, rows * columns)

    def check_gradient(self, shape: Shape) -> None:
        """Raises ``ValueError`` unless it is the shape of the output."""
        if shape != self.out_shape:
            raise ValueError(
                f"the output's gradient has shape {shape}; images of shape "
                f"{self.image_shape} and filters of shape {self.filter_shape} need "
                f"{self.out_shape}"
            )

    def columns(
        self, images: Array, dtype: np.dtype[Any]
    ) -> Iterator[tuple[slice, slice, Array]]:
        """Windows as columns, a block that fits the cache at a time.

        Yields which images, which positions of the output, and the windows
        there, ``(images, groups, taps, positions)``. The array's memory is used
        again for the next block.
        """
        groups, _, taps = self.matrices_shape
        batch, _, out_rows, out_columns = self.out_shape
        row_bytes = max(1, groups * taps * out_columns * dtype.itemsize)
        rows = min(out_rows, max(1, _BLOCK_BYTES // row_bytes))
        step = max(1, _BLOCK_BYTES // (row_bytes * out_rows))
        memory = np.empty(min(step, batch) * groups * taps * rows * out_columns, dtype)
        for first in range(0, batch, step):
            windows = self._windows(images[first : first + step])
            for top in range(0, out_rows, rows):
                part = windows[..., top : top + rows, :]
                if self.channels_last:
                    part = part.transpose(0, 1, 5, 6, 3, 4, 2)
                block = memory[: part.size].reshape(part.shape)
                np.copyto(block, part)
                positions = slice(
                    top * out_columns, min(top + rows, out_rows) * out_columns
                )
                count = positions.stop - positions.start
                if self.channels_last:
                    columns = block.reshape(len(part), groups, count, taps)
                    columns = columns.swapaxes(2, 3)
                else:
                    columns = block.reshape(len(part), groups, taps, count)
                yield slice(first, first + step), positions, columns

    def _windows(self, images: Array) -> Array:
        """A view ``(images, groups, channels // groups, filter rows, filter columns,
        rows, columns)``.
        """
        images = _padded(images, self.geometry.pads, self.channels_last)
        over_images, over_channels, down, across = images.strides
        _, channels, *filter_size = self.filter_shape
        strides, dilations = self.geometry.strides, self.geometry.dilations
        return as_strided(
            images,
            (
                len(images),
                self.geometry.groups,
                channels,
                *filter_size,
                *self.out_shape[2:],
            ),
            (
                over_images,
                over_channels * channels,
                over_channels,
                down * dilations[0],
                across * dilations[1],
                down * strides[0],
                across * strides[1],
            ),
            writeable=False,
        )


def _padded(images: Array, pads: tuple[Pair, Pair], channels_last: bool) -> Array:
    """Images with zeros around them; where asked, channels last in memory."""
    if pads == ((0, 0), (0, 0)):
        if not channels_last:
            return images
        return np.ascontiguousarray(images.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    (rows_to, rows_from), (columns_to, columns_from) = (
        _overlap(size, *pad) for size, pad in zip(images.shape[2:], pads, strict=True)
    )
    rows, columns = (
        size + sum(pad) for size, pad in zip(images.shape[2:], pads, strict=True)
    )
    batch, channels = images.shape[:2]
    if channels_last:
        padded = np.zeros((batch, rows, columns, channels), images.dtype)
        padded = padded.transpose(0, 3, 1, 2)
    else:
        padded = np.zeros((batch, channels, rows, columns), images.dtype)
    padded[:, :, rows_to, columns_to] = images[:, :, rows_from, columns_from]
    return padded


def _overlap(size: int, before: int, after: int) -> tuple[slice, slice]:
    """Where an axis lies in the padded one, and which part of it does."""
    start, stop = max(0, -before), size - max(0, -after)
    return slice(start + before, stop + before), slice(start, stop)
