"""Convolution and its gradients under Theano's signatures, and their shapes."""

import warnings
from fractions import Fraction

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
from theano.configdefaults import config

__all__ = [
    "AbstractConv2d",
    "AbstractConv2d_gradInputs",
    "AbstractConv2d_gradWeights",
    "AbstractConv3d",
    "AbstractConv3d_gradInputs",
    "AbstractConv3d_gradWeights",
    "bilinear_kernel_1D",
    "bilinear_kernel_2D",
    "bilinear_upsampling",
    "causal_conv1d",
    "conv2d",
    "conv2d_grad_wrt_inputs",
    "conv2d_grad_wrt_weights",
    "conv2d_transpose",
    "conv3d",
    "conv3d_grad_wrt_inputs",
    "conv3d_grad_wrt_weights",
    "frac_bilinear_upsampling",
    "get_conv_output_shape",
    "get_conv_shape_1axis",
    "separable_conv2d",
    "separable_conv3d",
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


def conv2d_transpose(
    input,
    filters,
    output_shape,
    filter_shape=None,
    border_mode="valid",
    input_dilation=(1, 1),
    filter_flip=True,
    filter_dilation=(1, 1),
    num_groups=1,
    unshared=False,
):
    """A transposed convolution: the gradient of :func:`conv2d` with respect to its
    input, as a layer.

    Parameters
    ----------
    input : tensor of shape (batch, input channels, rows, columns)
    filters : tensor of shape (input channels, output channels, rows, columns)
    output_shape : four of int, scalar variable or None
        Rows and columns given.
    input_dilation : pair of int
        The stride of the convolution of which this is the transpose.

    The other parameters are those of :func:`conv2d`.
    """
    return conv2d_grad_wrt_inputs(
        input,
        filters,
        output_shape,
        filter_shape,
        border_mode,
        input_dilation,
        filter_flip,
        filter_dilation,
        num_groups,
        unshared,
    )


def separable_conv2d(
    input,
    depthwise_filters,
    pointwise_filters,
    num_channels,
    input_shape=None,
    depthwise_filter_shape=None,
    pointwise_filter_shape=None,
    border_mode="valid",
    subsample=(1, 1),
    filter_flip=True,
    filter_dilation=(1, 1),
):
    """Convolve every channel by itself, then mix the channels at every position.

    Parameters
    ----------
    input : tensor of shape (batch, num_channels, rows, columns)
    depthwise_filters : tensor of shape (depthwise channels, 1, rows, columns)
    pointwise_filters : tensor of shape (filters, depthwise channels, 1, 1)
    num_channels : int

    The other parameters are those of :func:`conv2d`, for the first of the two.
    """
    depthwise = conv2d(
        input,
        depthwise_filters,
        input_shape,
        depthwise_filter_shape,
        border_mode,
        subsample,
        filter_flip,
        filter_dilation=filter_dilation,
        num_groups=num_channels,
    )
    return conv2d(depthwise, pointwise_filters, filter_shape=pointwise_filter_shape)


def separable_conv3d(
    input,
    depthwise_filters,
    pointwise_filters,
    num_channels,
    input_shape=None,
    depthwise_filter_shape=None,
    pointwise_filter_shape=None,
    border_mode="valid",
    subsample=(1, 1, 1),
    filter_flip=True,
    filter_dilation=(1, 1, 1),
):
    """:func:`separable_conv2d` of films: depth comes before the rows."""
    depthwise = conv3d(
        input,
        depthwise_filters,
        input_shape,
        depthwise_filter_shape,
        border_mode,
        subsample,
        filter_flip,
        filter_dilation,
        num_channels,
    )
    return conv3d(depthwise, pointwise_filters, filter_shape=pointwise_filter_shape)


def causal_conv1d(
    input,
    filters,
    filter_shape,
    input_shape=None,
    subsample=1,
    filter_flip=True,
    filter_dilation=1,
    num_groups=1,
    unshared=False,
):
    """Convolve sequences so that no output depends on what comes later.

    Parameters
    ----------
    input : tensor of shape (batch, channels, length)
    filters : tensor of shape (filters, channels, length)
    filter_shape : three of int or None
        The length given.
    input_shape : three of int or None, optional
    subsample, filter_dilation, num_groups : int
    filter_flip, unshared : bool
        As for :func:`conv2d`.

    Raises
    ------
    ValueError
        If ``input`` or ``filters`` has not three dimensions.
    """
    input, filters = pt.as_tensor_variable(input), pt.as_tensor_variable(filters)
    for name, variable in (("input", input), ("filters", filters)):
        if variable.type.ndim != 3:
            raise ValueError(
                f"causal_conv1d: {name} must have 3 dimensions, got {variable.type}"
            )
    out = conv2d(
        input.dimshuffle(0, 1, 2, "x"),
        filters.dimshuffle(0, 1, 2, "x"),
        None if input_shape is None else (*input_shape, 1),
        (*filter_shape, 1),
        ((filter_dilation * (filter_shape[2] - 1), 0), 0),
        (subsample, 1),
        filter_flip,
        filter_dilation=(filter_dilation, 1),
        num_groups=num_groups,
        unshared=unshared,
    )
    return out[:, :, :, 0]


def bilinear_kernel_1D(ratio, normalize=True):
    """The weights ``1, 2, ..., ratio, ..., 2, 1``, over ``ratio`` if normalized."""
    half = pt.arange(1, ratio + 1, dtype=config.floatX)
    kernel = pt.concatenate([half, half[-2::-1]])
    return kernel / pt.cast(ratio, config.floatX) if normalize else kernel


def bilinear_kernel_2D(ratio, normalize=True):
    """The outer product of two :func:`bilinear_kernel_1D`.

    ``ratio`` is one number or those of (rows, columns).
    """
    rows, columns = ratio if isinstance(ratio, tuple) else (ratio, ratio)
    return pt.outer(
        bilinear_kernel_1D(rows, normalize), bilinear_kernel_1D(columns, normalize)
    )


def _with_repeated_border(images):
    """Images whose outermost rows and columns are there twice."""
    images = pt.concatenate([images[:, :, :1], images, images[:, :, -1:]], axis=2)
    return pt.concatenate([images[:, :, :, :1], images, images[:, :, :, -1:]], axis=3)


def bilinear_upsampling(
    input,
    ratio=None,
    frac_ratio=None,
    batch_size=None,
    num_input_channels=None,
    use_1D_kernel=True,
):
    """Enlarge images by bilinear interpolation.

    Parameters
    ----------
    input : tensor of shape (batch, channels, rows, columns)
    ratio : int, optional
        How many times as large. Where it is even, the last row and column are
        repeated once more than the first.
    frac_ratio : pair of int or two pairs, optional
        Instead of ``ratio`` a fraction, (numerator, denominator), or those of rows
        and of columns; needs ``use_1D_kernel=False``.
    batch_size, num_input_channels : int, optional
        Ignored.
    use_1D_kernel : bool
        Whether rows and columns are interpolated one after the other; the result
        is the same.

    Raises
    ------
    ValueError
        If both or none of the ratios is given, or a fraction with
        ``use_1D_kernel``.
    """
    if (ratio is None) == (frac_ratio is None):
        raise ValueError("bilinear_upsampling needs either ratio or frac_ratio")
    if frac_ratio is not None:
        if use_1D_kernel:
            raise ValueError("frac_ratio needs use_1D_kernel=False")
        return frac_bilinear_upsampling(input, frac_ratio)
    input = pt.as_tensor_variable(input)
    batch, channels, rows, columns = (input.shape[axis] for axis in range(4))
    images = _with_repeated_border(input.reshape((-1, 1, rows, columns)))
    pad = 2 * ratio - (ratio - 1) // 2 - 1
    kernel = bilinear_kernel_1D(ratio)
    large_rows = conv2d_grad_wrt_inputs(
        images,
        kernel[None, None, :, None],
        (None, 1, rows * ratio, columns + 2),
        (1, 1, None, 1),
        (pad, 0),
        (ratio, 1),
    )
    large = conv2d_grad_wrt_inputs(
        large_rows,
        kernel[None, None, None, :],
        (None, 1, rows * ratio, columns * ratio),
        (1, 1, 1, None),
        (0, pad),
        (1, ratio),
    )
    return large.reshape((batch, channels, rows * ratio, columns * ratio))


def frac_bilinear_upsampling(input, frac_ratio):
    """Enlarge images by a fraction: see :func:`bilinear_upsampling`.

    They are enlarged by its numerator, and of that every denominator-th row and
    column is kept.
    """
    if not isinstance(frac_ratio, tuple):
        raise ValueError(f"frac_ratio must be a tuple, got {frac_ratio!r}")
    pairs = frac_ratio if isinstance(frac_ratio[0], tuple) else (frac_ratio,) * 2
    fractions = [Fraction(*(int(part) for part in pair)) for pair in pairs]
    ratio = tuple(fraction.numerator for fraction in fractions)
    step = tuple(fraction.denominator for fraction in fractions)
    input = pt.as_tensor_variable(input)
    batch, channels, rows, columns = (input.shape[axis] for axis in range(4))
    images = _with_repeated_border(input.reshape((-1, 1, rows, columns)))
    # The images are moved over the kernel: their flip undoes that of the convolution.
    kernel = bilinear_kernel_2D(ratio)[None, None]
    for axis, size in ((2, rows), (3, columns)):
        room = (2 * size - 1) * ratio[axis - 2] + 1
        zeros = [
            pt.zeros(
                [pad if a == axis else kernel.shape[a] for a in range(4)], config.floatX
            )
            for pad in (room // 2, room - room // 2)
        ]
        kernel = pt.concatenate([zeros[0], kernel, zeros[1]], axis=axis)
    large = conv2d(kernel, images, subsample=step, filter_dilation=ratio)
    return large.reshape((batch, channels, large.shape[2], large.shape[3]))
