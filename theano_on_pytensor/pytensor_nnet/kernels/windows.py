"""The windows of images as an array, and what is left of them put back together.

Images are ``(batch, channels, rows, columns)``, windows ``(batch, channels, window
rows, window columns, rows, columns)``, the last two counting the windows.
"""

from typing import Any

import numpy as np

from pytensor_nnet.kernels.convolution import Convolution

__all__ = ["add_windows", "extract_windows"]

Pair = tuple[int, int]
Array = np.ndarray[Any, Any]


def extract_windows(images: Array, size: Pair, geometry: Convolution) -> Array:
    """Copy the windows of ``size`` that a filter of that size would meet.

    Raises ``ValueError`` where a window is larger than the padded image.
    """
    batch, channels = images.shape[:2]
    out_size = _count_windows(images.shape, size, geometry)
    padded = np.pad(images, ((0, 0), (0, 0), *geometry.pads))
    windows = np.empty((batch, channels, *size, *out_size), images.dtype)
    for i, j in np.ndindex(*size):
        rows, columns = _places((i, j), out_size, geometry)
        windows[:, :, i, j] = padded[:, :, rows, columns]
    return windows


def add_windows(windows: Array, image_size: Pair, geometry: Convolution) -> Array:
    """Sum, for every position of the images, what the windows have of it.

    The adjoint of :func:`extract_windows`: its gradient with respect to the images.
    Raises ``ValueError`` where there are not as many windows as images of
    ``image_size`` have.
    """
    batch, channels, *size = windows.shape[:4]
    out_size = _count_windows((batch, channels, *image_size), tuple(size), geometry)
    if windows.shape[4:] != out_size:
        raise ValueError(
            f"windows of shape {windows.shape} are not those of images of "
            f"{image_size[0]} x {image_size[1]}, which have {out_size[0]} x "
            f"{out_size[1]}"
        )
    (top, bottom), (left, right) = geometry.pads
    padded = np.zeros(
        (batch, channels, image_size[0] + top + bottom, image_size[1] + left + right),
        windows.dtype,
    )
    for i, j in np.ndindex(*size):
        rows, columns = _places((i, j), out_size, geometry)
        padded[:, :, rows, columns] += windows[:, :, i, j]
    return padded[:, :, top : top + image_size[0], left : left + image_size[1]]


def _count_windows(
    image_shape: tuple[int, ...], size: tuple[int, ...], geometry: Convolution
) -> Pair:
    filter_shape = (1, image_shape[1], *size)
    _, _, rows, columns = geometry.output_shape(image_shape, filter_shape)
    return rows, columns


def _places(tap: Pair, out_size: Pair, geometry: Convolution) -> tuple[slice, slice]:
    """Where a tap of the windows meets the padded image."""
    rows, columns = (
        slice(offset * dilation, offset * dilation + (count - 1) * stride + 1, stride)
        for offset, dilation, count, stride in zip(
            tap, geometry.dilations, out_size, geometry.strides, strict=True
        )
    )
    return rows, columns
