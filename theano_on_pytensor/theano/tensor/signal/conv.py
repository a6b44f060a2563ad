"""Convolution of signals: images without channels."""

import pytensor.tensor as pt

from theano.tensor.nnet import abstract_conv

__all__ = ["conv2d"]


def conv2d(
    input,
    filters,
    image_shape=None,
    filter_shape=None,
    border_mode="valid",
    subsample=(1, 1),
    **kwargs,
):
    """Convolve one image or several with one filter or several.

    Parameters
    ----------
    input : tensor of shape (rows, columns) or (images, rows, columns)
    filters : tensor of shape (rows, columns) or (filters, rows, columns)
    image_shape, filter_shape : tuple of int, optional
        What is known of these shapes.
    border_mode : {'valid', 'full'}
    subsample : pair of int
        The stride.

    Returns
    -------
    tensor
        ``(images, filters, rows, columns)`` without the axes that the arguments
        do not have.

    Raises
    ------
    ValueError
        If either argument has neither two dimensions nor three.
    """
    input, filters = pt.as_tensor_variable(input), pt.as_tensor_variable(filters)
    for name, variable in (("input", input), ("filters", filters)):
        if variable.type.ndim not in (2, 3):
            raise ValueError(f"{name} must have 2 or 3 dimensions, got {variable.type}")
    several_images, several_filters = input.type.ndim == 3, filters.type.ndim == 3
    images = input.dimshuffle(0, "x", 1, 2) if several_images else input[None, None]
    stacked = (
        filters.dimshuffle(0, "x", 1, 2) if several_filters else filters[None, None]
    )
    out = abstract_conv.conv2d(
        images,
        stacked,
        input_shape=_with_channel(image_shape),
        filter_shape=_with_channel(filter_shape),
        border_mode=border_mode,
        subsample=subsample,
        **kwargs,
    )
    if not several_filters:
        out = out[:, 0]
    return out if several_images else out[0]


def _with_channel(shape):
    """``(1, 1, rows, columns)`` or ``(count, 1, rows, columns)``."""
    if shape is None:
        return None
    shape = tuple(shape)
    return (1, 1, *shape) if len(shape) == 2 else (shape[0], 1, *shape[1:])
