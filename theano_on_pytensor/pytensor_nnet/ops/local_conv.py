"""Convolution with filters of each position's own ("locally connected")."""

from collections.abc import Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from pytensor_nnet.ops.arguments import as_images, size_vector
from pytensor_nnet.ops.windows import windows_2d

__all__ = ["local_conv2d"]


def local_conv2d(
    input: Any,
    filters: Any,
    border_mode: Any = "valid",
    subsample: Sequence[int] = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Sequence[int] = (1, 1),
    num_groups: int = 1,
) -> Variable:
    """Convolve images with filters that differ from position to position.

    Parameters
    ----------
    input : 4-D tensor
        Images, ``(batch, channels, rows, columns)``.
    filters : 6-D tensor
        ``(filters, out rows, out columns, channels // num_groups, rows, columns)``.
    border_mode, subsample, filter_flip, filter_dilation, num_groups
        As for :func:`pytensor_nnet.conv2d`.

    Returns
    -------
    4-D tensor
        ``(batch, filters, out rows, out columns)``.

    Raises
    ------
    TypeError
        If ``input`` has not four axes or ``filters`` not six.
    """
    input = as_images(4, input, "images")
    filters = as_images(6, filters, "filters of each position's own")
    size = [
        filters.shape[axis]
        if filters.type.shape[axis] is None
        else filters.type.shape[axis]
        for axis in (4, 5)
    ]
    if filter_flip:
        filters = filters[..., ::-1, ::-1]
    windows = windows_2d(
        input, size_vector(*size), border_mode, tuple(subsample), tuple(filter_dilation)
    )
    batch, _, _, _, rows, columns = tuple(windows.shape)
    positions = rows * columns
    # (groups * positions, batch, taps) times (groups * positions, taps, filters)
    left = windows.reshape((batch, num_groups, -1, positions))
    taps = left.shape[2]
    left = left.dimshuffle(1, 3, 0, 2).reshape((num_groups * positions, batch, taps))
    right = filters.reshape((num_groups, -1, positions, taps)).dimshuffle(0, 2, 3, 1)
    right = right.reshape((num_groups * positions, taps, -1))
    out = pt.matmul(left, right)
    out = out.reshape((num_groups, positions, batch, -1)).dimshuffle(2, 0, 3, 1)
    return out.reshape((batch, -1, rows, columns))
