"""Patches of images as rows of a matrix, and back."""

import pytensor.tensor as pt
from pytensor.raise_op import Assert

from pytensor_nnet.ops.windows import windows_2d

__all__ = ["images2neibs", "neibs2images"]


def images2neibs(ten4, neib_shape, neib_step=None, mode="valid"):
    """The patches of images, each a row.

    Parameters
    ----------
    ten4 : tensor of shape (batch, channels, rows, columns)
    neib_shape : pair of int
        The patch's (rows, columns).
    neib_step : pair of int, optional
        Steps between patches; ``neib_shape`` by default.
    mode : {'valid', 'ignore_borders', 'wrap_centered', 'half', 'full'}
        ``valid``: the patches must cover the images exactly. ``ignore_borders``: what
        they do not cover is left out. ``wrap_centered``: a patch about every
        position a step apart, the images going on from the other side.
        ``half``, ``full``: zeros around the images, half a patch or one less than a
        patch.

    Returns
    -------
    tensor of shape (patches, neib_shape[0] * neib_shape[1])
        In the order batch, channel, row, column.

    Raises
    ------
    ValueError
        For another mode, or an even patch with ``wrap_centered``.
    AssertionError
        When it is computed, for images that ``valid`` patches do not cover.
    """
    ten4 = pt.as_tensor_variable(ten4)
    if ten4.type.ndim != 4:
        raise TypeError(f"ten4 must have 4 dimensions, got {ten4.type}")
    shape = _pair(neib_shape)
    step = shape if neib_step is None else _pair(neib_step)
    if mode == "valid":
        covered = [
            pt.eq((ten4.shape[axis + 2] - shape[axis]) % step[axis], 0)
            for axis in range(2)
        ]
        message = (
            f"images2neibs: patches of {shape} at steps of {step} do not cover the "
            "images exactly, as mode='valid' asks; use mode='ignore_borders'"
        )
        ten4 = Assert(message)(ten4, *covered)
        border = "valid"
    elif mode == "wrap_centered":
        if not all(size % 2 for size in shape):
            raise ValueError(f"wrap_centered needs a patch of odd sizes, got {shape}")
        for axis, size in enumerate(shape, start=2):
            ten4 = _wrapped(ten4, axis, size // 2)
        border = "valid"
    elif mode in ("half", "full", "ignore_borders"):
        border = "valid" if mode == "ignore_borders" else mode
    else:
        raise ValueError(
            f"mode is {mode!r}; it must be valid, ignore_borders, wrap_centered, half "
            "or full"
        )
    windows = windows_2d(ten4, shape, border, step)
    return windows.dimshuffle(0, 1, 4, 5, 2, 3).reshape((-1, shape[0] * shape[1]))


def neibs2images(neibs, neib_shape, original_shape, mode="valid"):
    """Images from their patches side by side: undoes :func:`images2neibs`.

    Parameters
    ----------
    neibs : tensor of shape (patches, neib_shape[0] * neib_shape[1])
    neib_shape : pair of int
    original_shape : four of int or scalar variable, or a vector
    mode : {'valid', 'ignore_borders'}
        With ``ignore_borders`` what the patches left out becomes zero.
    """
    if mode not in ("valid", "ignore_borders"):
        raise NotImplementedError(f"neibs2images knows no mode {mode!r}")
    rows, columns = _pair(neib_shape)
    batch, channels, height, width = (original_shape[axis] for axis in range(4))
    down, across = height // rows, width // columns
    patches = pt.as_tensor_variable(neibs).reshape(
        (batch, channels, down, across, rows, columns)
    )
    images = patches.dimshuffle(0, 1, 2, 4, 3, 5).reshape(
        (batch, channels, down * rows, across * columns)
    )
    if mode == "valid":
        return images
    whole = pt.zeros((batch, channels, height, width), images.dtype)
    return pt.set_subtensor(whole[:, :, : down * rows, : across * columns], images)


def _pair(sizes):
    sizes = getattr(sizes, "data", sizes)
    rows, columns = (int(getattr(size, "data", size)) for size in sizes)
    return rows, columns


def _wrapped(images, axis, pad):
    """Images with ``pad`` rows (or columns) of the other side on each side."""
    if pad == 0:
        return images
    index = [slice(None)] * 4
    before, after = list(index), list(index)
    before[axis], after[axis] = slice(-pad, None), slice(None, pad)
    return pt.concatenate(
        [images[tuple(before)], images, images[tuple(after)]], axis=axis
    )
