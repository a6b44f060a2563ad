"""Three-dimensional convolution and pooling, made of the two-dimensional Ops.

Images are ``(batch, channels, depth, rows, columns)``. Of a convolution the windows
along the depth are laid side by side as channels; a pool goes along rows and columns
first, then along the depth. Both are exact, and so are their gradients.
"""

from collections.abc import Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.gradient import pullback
from pytensor.graph.basic import Variable

from pytensor_nnet.ops.arguments import as_images, size_vector
from pytensor_nnet.ops.conv import conv2d
from pytensor_nnet.ops.pool import pool_2d
from pytensor_nnet.ops.windows import windows_2d

__all__ = ["conv3d", "conv3d_grad_wrt_inputs", "conv3d_grad_wrt_weights", "pool_3d"]


def conv3d(
    input: Any,
    filters: Any,
    input_shape: Sequence[int | None] | None = None,
    filter_shape: Sequence[int | None] | None = None,
    border_mode: Any = "valid",
    subsample: Sequence[int] = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: Sequence[int] = (1, 1, 1),
    num_groups: int = 1,
) -> Variable:
    """Convolve images of three dimensions with filters, symbolically.

    Parameters
    ----------
    input : 5-D tensor
        ``(batch, channels, depth, rows, columns)``.
    filters : 5-D tensor
        ``(filters, channels // num_groups, depth, rows, columns)``.
    input_shape, filter_shape : five of int or None, optional
        What is known of the shapes.
    border_mode : {'valid', 'full', 'half'}, int, or three of int
        The zeros around the images, as for :func:`pytensor_nnet.conv2d`.
    subsample, filter_dilation : three of int
    filter_flip : bool
    num_groups : int

    Returns
    -------
    5-D tensor
        ``(batch, filters, depth, rows, columns)``.

    Raises
    ------
    TypeError
        If ``input`` or ``filters`` has not five axes.
    ValueError
        If the other arguments do not fit three axes of space.
    """
    input = _with_shape(as_images(5, input, "images"), input_shape)
    filters = _with_shape(as_images(5, filters, "filters"), filter_shape)
    depth_mode, plane_mode = _split(border_mode)
    depth_step, *plane_steps = _three(subsample, "subsample")
    depth_gap, *plane_gaps = _three(filter_dilation, "filter_dilation")

    batch, channels, depth, rows, columns = _sizes(input)
    n_filters, group_channels, taps, *filter_size = _sizes(filters)
    windows = windows_2d(
        input.reshape((batch, channels, depth, rows * columns)),
        size_vector(taps, 1),
        depth_mode,
        (depth_step, 1),
        (depth_gap, 1),
    )
    out_depth = windows.shape[4]
    images = windows[:, :, :, 0].dimshuffle(0, 3, 1, 2, 4)
    images = images.reshape((batch * out_depth, channels * taps, rows, columns))
    if filter_flip:
        filters = filters[:, :, ::-1]
    out = conv2d(
        images,
        filters.reshape((n_filters, group_channels * taps, *filter_size)),
        border_mode=plane_mode,
        subsample=tuple(plane_steps),
        filter_flip=filter_flip,
        filter_dilation=tuple(plane_gaps),
        num_groups=num_groups,
    )
    out = out.reshape((batch, out_depth, n_filters, out.shape[2], out.shape[3]))
    return out.dimshuffle(0, 2, 1, 3, 4)


def conv3d_grad_wrt_inputs(
    output_grad: Any,
    filters: Any,
    input_shape: Sequence[Any],
    filter_shape: Sequence[int | None] | None = None,
    border_mode: Any = "valid",
    subsample: Sequence[int] = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: Sequence[int] = (1, 1, 1),
    num_groups: int = 1,
) -> Variable:
    """The gradient of :func:`conv3d` with respect to its input, symbolically.

    Parameters
    ----------
    output_grad : 5-D tensor
        The gradient of the convolution's output.
    filters : 5-D tensor
    input_shape : five of int, scalar variable or None
        The shape of the wanted gradient; its last three sizes must be given.
    filter_shape, border_mode, subsample, filter_flip, filter_dilation, num_groups
        As for :func:`conv3d`.
    """
    output_grad = as_images(5, output_grad, "the output's gradient")
    filters = _with_shape(as_images(5, filters, "filters"), filter_shape)
    channels = _sizes(filters)[1] * num_groups
    size = _wanted_size(input_shape, "input_shape")
    # A convolution is linear: where it is differentiated does not matter.
    images = pt.zeros((_sizes(output_grad)[0], channels, *size), output_grad.dtype)
    out = conv3d(
        images,
        filters,
        None,
        None,
        border_mode,
        subsample,
        filter_flip,
        filter_dilation,
        num_groups,
    )
    return pullback(out, images, output_grad)


def conv3d_grad_wrt_weights(
    input: Any,
    output_grad: Any,
    filter_shape: Sequence[Any],
    input_shape: Sequence[int | None] | None = None,
    border_mode: Any = "valid",
    subsample: Sequence[int] = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: Sequence[int] = (1, 1, 1),
    num_groups: int = 1,
) -> Variable:
    """The gradient of :func:`conv3d` with respect to its filters, symbolically.

    Parameters
    ----------
    input : 5-D tensor
        Images.
    output_grad : 5-D tensor
        The gradient of the convolution's output.
    filter_shape : five of int, scalar variable or None
        The shape of the wanted gradient; its last three sizes must be given.
    input_shape, border_mode, subsample, filter_flip, filter_dilation, num_groups
        As for :func:`conv3d`.
    """
    input = _with_shape(as_images(5, input, "images"), input_shape)
    output_grad = as_images(5, output_grad, "the output's gradient")
    channels = _sizes(input)[1] // num_groups
    size = _wanted_size(filter_shape, "filter_shape")
    filters = pt.zeros((_sizes(output_grad)[1], channels, *size), output_grad.dtype)
    out = conv3d(
        input,
        filters,
        None,
        None,
        border_mode,
        subsample,
        filter_flip,
        filter_dilation,
        num_groups,
    )
    return pullback(out, filters, output_grad)


def pool_3d(
    input: Any,
    ws: Sequence[int],
    ignore_border: bool = True,
    stride: Sequence[int] | None = None,
    pad: Sequence[int] = (0, 0, 0),
    mode: str = "max",
) -> Variable:
    """Pool the last three axes of ``input``, a tensor of at least three.

    Parameters
    ----------
    ws, stride, pad : three of int
        Window, steps and pad along depth, rows and columns.
    ignore_border, mode
        As for :func:`pytensor_nnet.pool_2d`.
    """
    input = pt.as_tensor_variable(input)
    as_images(max(input.type.ndim, 3), input, "the input of a pool")
    windows, pads = _three(ws, "ws"), _three(pad, "pad", at_least=0)
    steps = windows if stride is None else _three(stride, "stride")
    of_planes = pool_2d(input, windows[1:], ignore_border, steps[1:], pads[1:], mode)
    *leading, depth, rows, columns = _sizes(of_planes)
    out = pool_2d(
        of_planes.reshape((*leading, depth, rows * columns)),
        (windows[0], 1),
        ignore_border,
        (steps[0], 1),
        (pads[0], 0),
        mode,
    )
    return out.reshape((*leading, _sizes(out)[-2], rows, columns))


def _three(values: Any, name: str, at_least: int = 1) -> tuple[int, int, int]:
    values = [values] * 3 if isinstance(values, int) else list(values)
    if len(values) != 3 or not all(int(v) == v >= at_least for v in values):
        raise ValueError(
            f"{name} is {tuple(values)!r}; it must be three integers of at least "
            f"{at_least}, (depth, rows, columns)"
        )
    depth, rows, columns = (int(v) for v in values)
    return depth, rows, columns


def _split(border_mode: Any) -> tuple[Any, Any]:
    """The border modes of depth and planes. A window along the depth is one column
    wide, so that ``'full'`` and ``'half'`` pad no columns.
    """
    if border_mode in ("valid", "full", "half"):
        return border_mode, border_mode
    modes = [border_mode] * 3 if isinstance(border_mode, int) else border_mode
    if not isinstance(modes, tuple | list) or len(modes) != 3:
        raise ValueError(
            f"border_mode is {border_mode!r}; it must be 'valid', 'full', 'half', a "
            "pad, or three pads (depth, rows, columns)"
        )
    return (modes[0], 0), (modes[1], modes[2])


def _sizes(tensor: Any) -> list[Any]:
    """The sizes of a tensor: integers where its type knows them."""
    return [
        tensor.shape[axis] if known is None else known
        for axis, known in enumerate(tensor.type.shape)
    ]


def _with_shape(tensor: Any, shape: Sequence[Any] | None) -> Any:
    if shape is None:
        return tensor
    return pt.specify_shape(tensor, [s if isinstance(s, int) else None for s in shape])


def _wanted_size(shape: Sequence[Any], name: str) -> Sequence[Any]:
    if len(shape) != 5 or any(size is None for size in shape[2:]):
        raise ValueError(
            f"{name} is {shape!r}; it must be five sizes, the last three not None"
        )
    return shape[2:]
