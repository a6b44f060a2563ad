"""Convolution of films by filters in space and time, the time before the channels."""

import pytensor.tensor as pt

from theano.tensor.nnet import abstract_conv

__all__ = ["conv3d"]


def conv3d(
    signals, filters, signals_shape=None, filters_shape=None, border_mode="valid"
):
    """Convolve films with filters.

    Parameters
    ----------
    signals : tensor of shape (batch, time, channels, rows, columns)
    filters : tensor of shape (filters, time, channels, rows, columns)
    signals_shape, filters_shape : five of int or None, optional
        What is known of the shapes.
    border_mode : {'valid', 'full', 'half'} or three of them
        For time, rows, columns; those of rows and columns must be the same.

    Returns
    -------
    tensor of shape (batch, time, filters, rows, columns)

    Raises
    ------
    NotImplementedError
        If the modes for rows and columns differ.
    ValueError
        For another mode.
    """
    modes = (border_mode,) * 3 if isinstance(border_mode, str) else tuple(border_mode)
    for mode in modes:
        if mode not in ("valid", "full", "half"):
            raise ValueError(
                f"border_mode must be 'valid', 'full' or 'half', got {mode!r}"
            )
    if modes[1] != modes[2]:
        raise NotImplementedError(
            f"rows and columns must have the same border_mode, got {modes[1:]}"
        )
    signals, filters = pt.as_tensor_variable(signals), pt.as_tensor_variable(filters)
    sizes = filters.shape if filters_shape is None else filters_shape
    pads = tuple(
        {"valid": 0, "full": size - 1, "half": size // 2}[mode]
        for mode, size in zip(modes, (sizes[1], sizes[3], sizes[4]), strict=True)
    )
    films = signals.dimshuffle(0, 2, 1, 3, 4)
    for axis, pad in enumerate(pads, start=2):
        films = _padded(films, axis, pad)
    out = abstract_conv.conv3d(films, filters.dimshuffle(0, 2, 1, 3, 4))
    return out.dimshuffle(0, 2, 1, 3, 4)


def _padded(x, axis, pad):
    """``x`` with ``pad`` zeros before and after it along ``axis``."""
    if isinstance(pad, int) and pad == 0:
        return x
    shape = [pad if a == axis else x.shape[a] for a in range(x.type.ndim)]
    zeros = pt.zeros(shape, x.dtype)
    return pt.concatenate([zeros, x, zeros], axis=axis)
