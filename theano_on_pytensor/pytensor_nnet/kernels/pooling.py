"""Two-dimensional pooling and its gradients, in NumPy.

The last two axes are pooled, whatever comes before them. A :class:`Pool` says
which windows there are; the functions take one. Instead of visiting windows,
they visit the positions *within* a window: ``window[0] * window[1]`` operations
on strided views, each over all the windows at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from pytensor_nnet.kernels.geometry import pool_output_size

__all__ = [
    "MODES",
    "Pool",
    "pool",
    "pool_max_gather",
    "pool_max_scatter",
    "pool_sum_scatter",
]

Pair = tuple[int, int]
Array = np.ndarray[Any, Any]

# About a second-level cache of today.
_BLOCK_BYTES = 1 << 20

MODES = ("max", "sum", "average_inc_pad", "average_exc_pad")


@dataclass(frozen=True)
class Pool:
    """Windows of a pool, each pair ``(vertical, horizontal)``.

    Without ``ignore_border`` the windows at the lower and right edge may be cut
    by it, and there is no pad.
    """

    window: Pair
    stride: Pair
    pad: Pair = (0, 0)
    ignore_border: bool = True

    @property
    def overlaps(self) -> bool:
        """Whether a position may be in several windows."""
        return any(s < w for s, w in zip(self.stride, self.window, strict=True))

    def output_size(self, image_size: tuple[int, ...]) -> Pair:
        """Windows down and across an image of ``(rows, columns)``."""
        rows, columns = (
            pool_output_size(*axis, self.ignore_border)
            for axis in zip(image_size, self.window, self.stride, self.pad, strict=True)
        )
        return rows, columns

    def counts(self, image_size: tuple[int, ...], with_pad: bool) -> Array:
        """How many positions each window covers, ``(rows, columns)``.

        ``with_pad`` counts the pad as well as the image.
        """
        rows, columns = (
            _counts(size, window, stride, pad, out, with_pad)
            for size, window, stride, pad, out in zip(
                image_size,
                self.window,
                self.stride,
                self.pad,
                self.output_size(image_size),
                strict=True,
            )
        )
        return np.outer(rows, columns)

    def positions(
        self, image_size: tuple[int, ...]
    ) -> Iterator[tuple[tuple[slice, slice], tuple[slice, slice]]]:
        """For each position within a window: where it lies in the image, and
        which windows have it inside the image (two slices each).
        """
        vertical, horizontal = (
            [_meet(i, *axis) for i in range(axis[1])]
            for axis in zip(
                image_size,
                self.window,
                self.stride,
                self.pad,
                self.output_size(image_size),
                strict=True,
            )
        )
        for rows in vertical:
            for columns in horizontal:
                if rows is not None and columns is not None:
                    yield (rows[0], columns[0]), (rows[1], columns[1])


def pool(images: Array, geometry: Pool, mode: str = "max") -> Array:
    """Pool images ``(..., rows, columns)``; the result has their dtype.

    ``mode`` is ``'max'`` (NaN where a window has one), ``'sum'``,
    ``'average_inc_pad'`` (the pad counts as zeros) or ``'average_exc_pad'`` (it
    does not count). An average of integers is rounded towards zero.
    """
    size = images.shape[-2:]
    out_size = geometry.output_size(size)
    _check_image(images.shape, out_size)
    if mode == "max":
        out = np.full((*images.shape[:-2], *out_size), _lowest(images.dtype))
        for place, windows in geometry.positions(size):
            part = out[(..., *windows)]
            np.maximum(part, images[(..., *place)], out=part)
        return out
    averaged = mode != "sum"
    exact = images.dtype.kind in "fc" or not averaged
    out = np.zeros(
        (*images.shape[:-2], *out_size), images.dtype if exact else np.float64
    )
    for place, windows in geometry.positions(size):
        out[(..., *windows)] += images[(..., *place)]
    if averaged:
        out /= geometry.counts(size, mode == "average_inc_pad").astype(out.dtype)
    return out.astype(images.dtype, copy=False)


def pool_max_scatter(
    images: Array, maxima: Array, output_gradient: Array, geometry: Pool
) -> Array:
    """The gradient of a max pool with respect to its images.

    Each window's gradient goes to *every* position that equals its maximum.
    """
    gradient = np.zeros(images.shape, output_gradient.dtype)
    for image, maximum, given, result in _blocks(
        images, maxima, output_gradient, gradient
    ):
        for place, windows in geometry.positions(images.shape[-2:]):
            chosen = image[(..., *place)] == maximum[(..., *windows)]
            if geometry.overlaps:
                result[(..., *place)] += _where(chosen, given[(..., *windows)])
            else:
                _where(chosen, given[(..., *windows)], out=result[(..., *place)])
    return gradient


def pool_max_gather(
    images: Array, maxima: Array, values: Array, geometry: Pool
) -> Array:
    """Sum ``values``, shaped like ``images``, where these are a window's maximum.

    The adjoint of :func:`pool_max_scatter`: its gradient with respect to the
    output's gradient, and a max pool's derivative in the direction ``values``.
    """
    total = np.zeros(maxima.shape, values.dtype)
    for image, maximum, value, result in _blocks(images, maxima, values, total):
        for place, windows in geometry.positions(images.shape[-2:]):
            chosen = image[(..., *place)] == maximum[(..., *windows)]
            result[(..., *windows)] += _where(chosen, value[(..., *place)])
    return total


def pool_sum_scatter(
    output_gradient: Array, image_size: Pair, geometry: Pool, mode: str
) -> Array:
    """The gradient of a sum or average pool with respect to its images."""
    share = output_gradient
    if mode != "sum":
        counts = geometry.counts(image_size, mode == "average_inc_pad")
        share = output_gradient / counts.astype(output_gradient.dtype)
    gradient = np.zeros((*output_gradient.shape[:-2], *image_size), share.dtype)
    for place, windows in geometry.positions(image_size):
        gradient[(..., *place)] += share[(..., *windows)]
    return gradient


def _blocks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """Views of a few images at a time, ``(images, rows, columns)``.

    The last array must be contiguous, for results to be written to.
    """
    planes = [a.reshape(prod(a.shape[:-2]), *a.shape[-2:]) for a in arrays]
    bytes_a_plane = sum(prod(a.shape[1:]) * a.itemsize for a in planes)
    step = max(1, _BLOCK_BYTES // max(1, bytes_a_plane))
    for first in range(0, len(planes[0]), step):
        yield tuple(plane[first : first + step] for plane in planes)


def _where(chosen: Array, values: Array, out: Array | None = None) -> Array:
    """``values`` where ``chosen``, else 0, infinities and NaN included.

    As integers, for a product of bits with 0 or 1 is the fastest way in NumPy.
    """
    bits = np.dtype(f"i{values.itemsize}")
    if out is not None:
        np.multiply(values.view(bits), chosen, out=out.view(bits))
        return out
    return np.multiply(values.view(bits), chosen).view(values.dtype)


def _meet(
    offset: int, size: int, window: int, stride: int, pad: int, out: int
) -> tuple[slice, slice] | None:
    """Where position ``offset`` of the windows along an axis meets the image.

    Returns the positions in the image and the windows, or ``None``.
    """
    first = max(0, -((offset - pad) // stride))
    last = min(out - 1, (size - 1 - offset + pad) // stride)
    if last < first:
        return None
    start = first * stride + offset - pad
    stop = last * stride + offset - pad + 1
    return slice(start, stop, stride), slice(first, last + 1)


def _counts(
    size: int, window: int, stride: int, pad: int, out: int, with_pad: bool
) -> Array:
    start = np.arange(out) * stride
    stop = np.minimum(start + window, size + 2 * pad)
    if not with_pad:
        start = np.maximum(start, pad)
        stop = np.minimum(stop, size + pad)
    return stop - start


def _lowest(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "f":
        return dtype.type(-np.inf)
    if dtype.kind == "b":
        return np.False_
    return dtype.type(np.iinfo(dtype).min)


def _check_image(shape: tuple[int, ...], out_size: Pair) -> None:
    if 0 in shape[-2:] and 0 not in out_size:
        raise ValueError(
            f"cannot pool images of shape {shape}: they have no rows or no columns"
        )
