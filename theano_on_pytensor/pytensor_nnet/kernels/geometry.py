"""Sizes and pads of convolutions and pools, one axis at a time.

Sizes are integers, ``None`` where unknown (the result is unknown, too), or
anything else that counts with ``+ - * //``, a symbolic scalar for one.
"""

from collections.abc import Callable
from typing import Any

__all__ = [
    "convolution_output_size",
    "dilated_size",
    "pads_of_border_mode",
    "pool_output_size",
]


def dilated_size(filter_size: Any, dilation: int = 1) -> Any:
    """The extent of a filter with ``dilation - 1`` gaps between its taps.

    >>> dilated_size(3, 2)  # taps at 0, 2, 4
    5
    """
    if filter_size is None:
        return None
    return (filter_size - 1) * dilation + 1


def convolution_output_size(
    size: Any, filter_size: Any, pads: Any, stride: int = 1, dilation: int = 1
) -> Any:
    """How many positions a filter takes along an axis.

    ``pads`` are the zeros before and after the axis, a pair, or ``None``.

    >>> convolution_output_size(28, 5, (0, 0))  # 28 - (5 - 1)
    24
    """
    if size is None or filter_size is None or pads is None:
        return None
    span = size + pads[0] + pads[1] - dilated_size(filter_size, dilation)
    return span // stride + 1


def pads_of_border_mode(border_mode: Any, filter_size: Any, dilation: int = 1) -> Any:
    """The zeros before and after an axis, a pair, or ``None`` where unknown.

    ``border_mode`` is one axis's: ``'valid'`` (none), ``'full'`` (one less than
    the dilated filter), ``'half'`` (half the dilated filter, rounded down), or
    the pair itself.

    >>> pads_of_border_mode("half", 5)
    (2, 2)
    """
    if border_mode == "valid":
        return (0, 0)
    if isinstance(border_mode, tuple):
        return border_mode
    extent = dilated_size(filter_size, dilation)
    if extent is None:
        return None
    pad = {"full": lambda: extent - 1, "half": lambda: extent // 2}[border_mode]()
    return (pad, pad)


def pool_output_size(
    size: Any,
    window: int,
    stride: int,
    pad: int = 0,
    ignore_border: bool = True,
    maximum: Callable[[Any, Any], Any] = max,
) -> Any:
    """How many windows a pool takes along an axis.

    With ``ignore_border`` whole windows only. Without it the last window may
    be cut by the image's edge, and there is no pad. ``maximum`` must suit the
    type of ``size``.

    >>> pool_output_size(5, 2, 2), pool_output_size(5, 2, 2, ignore_border=False)
    (2, 3)
    """
    if size is None:
        return None
    if ignore_border:
        return maximum((size + 2 * pad - window) // stride + 1, 0)
    if stride >= window:
        return (size - 1) // stride + 1
    return maximum((size - 1 - window + stride) // stride, 0) + 1
