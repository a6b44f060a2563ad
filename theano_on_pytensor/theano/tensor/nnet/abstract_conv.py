"""Convolution and its gradients under Theano's signatures, and their shapes."""

import warnings

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import pullback

from pytensor_nnet.kernels.geometry import (
    convolution_output_size,
    pads_of_border_mode,
)
from pytensor_nnet.ops import conv as _conv
from pytensor_nnet.ops.conv3d import (
    conv3d,
    conv3d_grad_wrt_inputs,
    conv3d_grad_wrt_weights,
)
from pytensor_nnet.ops.local_conv import local_conv2d

__all__ = [
    "AbstractConv2d",
    "AbstractConv2d_gradInputs",
    "AbstractConv2d_gradWeights",
    "AbstractConv3d",
    "AbstractConv3d_gradInputs",
    "AbstractConv3d_gradWeights",
    "conv2d",
    "conv2d_grad_wrt_inputs",
    "conv2d_grad_wrt_weights",
    "conv3d",
    "conv3d_grad_wrt_inputs",
    "conv3d_grad_wrt_weights",
    "get_conv_output_shape",
    "get_conv_shape_1axis",
]


def conv2d(
    input,
    filters,
    input_shape=None,
    filter_shape=None,
    border_mode="valid",
    subsample=(1, 1),
    filter_flip=True,
    image_shape=None,
    filter_dilation=(1, 1),
    num_groups=1,
    unshared=False,
    **kwargs,
):
    """Convolve images ``(batch, channels, rows, columns)`` with filters.

    Parameters
    ----------
    filters : 4-D tensor
        ``(filters, channels // num_groups, rows, columns)``.
    input_shape, filter_shape : four of int or None, optional
        What is known of the shapes; ``image_shape`` is the earlier name of
        ``input_shape``.
    border_mode : str, int, pair of int, or pair of pairs of int
        ``'valid'``, ``'full'``, ``'half'``, or the pad.
    subsample : pair of int
        The stride.
    filter_flip : bool
        Whether the filters are turned by 180 degrees, as a convolution asks.
    filter_dilation : pair of int
    num_groups : int
    unshared : bool
        Whether every position has filters of its own: these are then
        ``(filters, out rows, out columns, channels // num_groups, rows, columns)``.
    **kwargs
        Hints for Ops that are gone; ignored, with a warning that names them.

    Raises
    ------
    ValueError
        If both ``input_shape`` and ``image_shape`` are given, or the arguments do
        not fit each other.
    """
    if image_shape is not None:
        if input_shape is not None:
            raise ValueError(
                "give input_shape or its earlier name image_shape, not both"
            )
        input_shape = image_shape
    if kwargs:
        warnings.warn(
            f"conv2d ignores {', '.join(sorted(kwargs))}: it was for an Op of Theano "
            "that is not here",
            stacklevel=2,
        )
    if unshared:
        return local_conv2d(
            _with_shape(input, input_shape),
            _with_shape(filters, filter_shape),
            border_mode,
            subsample,
            filter_flip,
            filter_dilation,
            num_groups,
        )
    return _conv.conv2d(
        input,
        filters,
        input_shape,
        filter_shape,
        border_mode,
        subsample,
        filter_flip,
        filter_dilation,
        num_groups,
    )


def conv2d_grad_wrt_inputs(
    output_grad,
    filters,
    input_shape,
    filter_shape=None,
    border_mode="valid",
    subsample=(1, 1),
    filter_flip=True,
    filter_dilation=(1, 1),
    num_groups=1,
    unshared=False,
):
    """The gradient of :func:`conv2d` with respect to its input.

    ``input_shape`` is that of the wanted gradient: four of int, scalar variable or
    None, rows and columns given. The other parameters are those of :func:`conv2d`.
    """
    options = (border_mode, subsample, filter_flip, filter_dilation, num_groups)
    if not unshared:
        return _conv.conv2d_grad_wrt_inputs(
            output_grad, filters, input_shape, filter_shape, *options
        )
    output_grad = pt.as_tensor_variable(output_grad)
    filters = _with_shape(filters, filter_shape)
    shape = (output_grad.shape[0], filters.shape[3] * num_groups, *input_shape[2:])
    images = pt.zeros(shape, output_grad.dtype)
    return pullback(local_conv2d(images, filters, *options), images, output_grad)


def conv2d_grad_wrt_weights(
    input,
    output_grad,
    filter_shape,
    input_shape=None,
    border_mode="valid",
    subsample=(1, 1),
    filter_flip=True,
    filter_dilation=(1, 1),
    num_groups=1,
    unshared=False,
):
    """The gradient of :func:`conv2d` with respect to its filters.

    ``filter_shape`` is that of the wanted gradient: four (unshared: six) of int,
    scalar variable or None, rows and columns given. The other parameters are those
    of :func:`conv2d`.
    """
    options = (border_mode, subsample, filter_flip, filter_dilation, num_groups)
    if not unshared:
        return _conv.conv2d_grad_wrt_weights(
            input, output_grad, filter_shape, input_shape, *options
        )
    input = _with_shape(input, input_shape)
    output_grad = pt.as_tensor_variable(output_grad)
    shape = (
        *(output_grad.shape[axis] for axis in (1, 2, 3)),
        input.shape[1] // num_groups,
        *filter_shape[-2:],
    )
    filters = pt.zeros(shape, output_grad.dtype)
    return pullback(local_conv2d(input, filters, *options), filters, output_grad)


def _with_shape(variable, shape):
    """``variable`` with what is known of its shape, integers, said and checked."""
    variable = pt.as_tensor_variable(variable)
    if shape is None:
        return variable
    known = [
        int(size) if isinstance(size, int | np.integer) else None for size in shape
    ]
    return pt.specify_shape(variable, known)


def _entries(shape, count):
    """The entries of a shape, which may be a vector variable."""
    if isinstance(shape, pt.TensorVariable):
        return [shape[axis] for axis in range(count)]
    return list(shape)


class _AbstractConv2d:
    """What the three below keep until they are called."""

    def __init__(
        self,
        imshp=None,
        kshp=None,
        border_mode="valid",
        subsample=(1, 1),
        filter_flip=True,
        filter_dilation=(1, 1),
        num_groups=1,
        unshared=False,
    ):
        self.imshp, self.kshp = imshp, kshp
        self.options = (
            border_mode,
            subsample,
            filter_flip,
            filter_dilation,
            num_groups,
        )
        self.unshared = unshared


class AbstractConv2d(_AbstractConv2d):
    """:func:`conv2d` with the arguments of Theano's Op.

    Called with the images and the filters.
    """

    def __call__(self, images, filters):
        border_mode, subsample, filter_flip, filter_dilation, num_groups = self.options
        return conv2d(
            images,
            filters,
            self.imshp,
            self.kshp,
            border_mode,
            subsample,
            filter_flip,
            filter_dilation=filter_dilation,
            num_groups=num_groups,
            unshared=self.unshared,
        )


class AbstractConv2d_gradWeights(_AbstractConv2d):
    """:func:`conv2d_grad_wrt_weights` with the arguments of Theano's Op.

    Called with the images, the output's gradient and the filters' rows and columns,
    a vector.
    """

    def __call__(self, images, output_grad, shape):
        wanted = (None,) * (4 if self.unshared else 2)
        return conv2d_grad_wrt_weights(
            images,
            output_grad,
            (*wanted, *_entries(shape, 2)),
            self.imshp,
            *self.options,
            self.unshared,
        )


class AbstractConv2d_gradInputs(_AbstractConv2d):
    """:func:`conv2d_grad_wrt_inputs` with the arguments of Theano's Op.

    Called with the filters, the output's gradient and the images' rows and columns,
    a vector.
    """

    def __call__(self, filters, output_grad, shape):
        return conv2d_grad_wrt_inputs(
            output_grad,
            filters,
            (None, None, *_entries(shape, 2)),
            self.kshp,
            *self.options,
            self.unshared,
        )


class _AbstractConv3d:
    """What the three below keep until they are called."""

    def __init__(
        self,
        imshp=None,
        kshp=None,
        border_mode="valid",
        subsample=(1, 1, 1),
        filter_flip=True,
        filter_dilation=(1, 1, 1),
        num_groups=1,
    ):
        self.imshp, self.kshp = imshp, kshp
        self.options = (
            border_mode,
            subsample,
            filter_flip,
            filter_dilation,
            num_groups,
        )


class AbstractConv3d(_AbstractConv3d):
    """:func:`conv3d` with the arguments of Theano's Op.

    Called with the images and the filters.
    """

    def __call__(self, images, filters):
        return conv3d(images, filters, self.imshp, self.kshp, *self.options)


class AbstractConv3d_gradWeights(_AbstractConv3d):
    """:func:`conv3d_grad_wrt_weights` with the arguments of Theano's Op.

    Called with the images, the output's gradient and the filters' depth, rows and
    columns, a vector.
    """

    def __call__(self, images, output_grad, shape):
        wanted = (None, None, *_entries(shape, 3))
        return conv3d_grad_wrt_weights(
            images, output_grad, wanted, self.imshp, *self.options
        )


class AbstractConv3d_gradInputs(_AbstractConv3d):
    """:func:`conv3d_grad_wrt_inputs` with the arguments of Theano's Op.

    Called with the filters, the output's gradient and the images' depth, rows and
    columns, a vector.
    """

    def __call__(self, filters, output_grad, shape):
        wanted = (None, None, *_entries(shape, 3))
        return conv3d_grad_wrt_inputs(
            output_grad, filters, wanted, self.kshp, *self.options
        )


def get_conv_shape_1axis(image_shape, kernel_shape, border_mode, subsample, dilation=1):
    """How many positions a filter takes along one axis; ``None`` if unknown.

    >>> get_conv_shape_1axis(28, 5, "valid", 1)  # 28 - (5 - 1)
    24
    """
    if isinstance(border_mode, int):
        border_mode = (border_mode, border_mode)
    pads = pads_of_border_mode(border_mode, kernel_shape, dilation)
    return convolution_output_size(image_shape, kernel_shape, pads, subsample, dilation)


def get_conv_output_shape(
    image_shape, kernel_shape, border_mode, subsample, filter_dilation=None
):
    """The shape of a convolution's output, for any number of axes of space.

    Parameters
    ----------
    image_shape : tuple of int or None
        ``(batch, channels, *sizes)``.
    kernel_shape : tuple of int or None
        ``(filters, channels, *sizes)``.
    border_mode : str, int, or tuple of int or pairs, one an axis
    subsample, filter_dilation : tuple of int, one an axis

    Returns
    -------
    tuple
        ``(batch, filters, *sizes)``.
    """
    axes = len(subsample)
    modes = border_mode if isinstance(border_mode, tuple) else (border_mode,) * axes
    dilations = filter_dilation or (1,) * axes
    sizes = (
        get_conv_shape_1axis(*axis)
        for axis in zip(
            image_shape[2:], kernel_shape[2:], modes, subsample, dilations, strict=True
        )
    )
    return (image_shape[0], kernel_shape[0], *sizes)
