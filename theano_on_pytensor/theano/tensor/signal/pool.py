"""Pooling of images under Theano's signatures."""

import warnings

import pytensor.tensor as pt

from pytensor_nnet.kernels.geometry import pool_output_size
from pytensor_nnet.ops import conv3d as _conv3d
from pytensor_nnet.ops import pool as _pool
from pytensor_nnet.ops.pool import MaxPool2dGrad, Pool2d

__all__ = ["Pool", "max_pool_2d_same_size", "pool_2d", "pool_3d"]


def _renamed(value, earlier, name, earlier_name, default):
    """The value given under either name, else the default."""
    if earlier is not None:
        if value is not None:
            raise ValueError(
                f"give {name} or its earlier name {earlier_name}, not both"
            )
        return earlier
    return default if value is None else value


def pool_2d(
    input,
    ws=None,
    ignore_border=None,
    stride=None,
    pad=None,
    mode="max",
    ds=None,
    st=None,
    padding=None,
):
    """Pool the last two axes of ``input``, symbolically.

    Parameters
    ----------
    input : tensor of at least two dimensions
    ws : pair of int
        The window, (vertical, horizontal). Its earlier name is ``ds``.
    ignore_border : bool
        True: whole windows only. False, and Theano's default: the last windows may
        be cut by the edge.
    stride : pair of int, optional
        Steps between windows, ``ws`` by default. Its earlier name is ``st``.
    pad : pair of int, optional
        Its earlier name is ``padding``. Only with ``ignore_border``.
    mode : {'max', 'sum', 'average_inc_pad', 'average_exc_pad'}

    Raises
    ------
    ValueError
        If there is no window, or an argument is given under both of its names.
    NotImplementedError
        For a pad without ``ignore_border``, or one as large as the window.
    """
    return _pool_nd(2, input, ws, ignore_border, stride, pad, mode, ds, st, padding)


def pool_3d(
    input,
    ws=None,
    ignore_border=None,
    stride=None,
    pad=None,
    mode="max",
    ds=None,
    st=None,
    padding=None,
):
    """Pool the last three axes of ``input``, symbolically: depth, rows, columns.

    The parameters, each of three integers, and what is raised are those of
    :func:`pool_2d`.
    """
    return _pool_nd(3, input, ws, ignore_border, stride, pad, mode, ds, st, padding)


def _pool_nd(axes, input, ws, ignore_border, stride, pad, mode, ds, st, padding):
    ws = _renamed(ws, ds, "ws", "ds", None)
    stride = _renamed(stride, st, "stride", "st", None)
    pad = _renamed(pad, padding, "pad", "padding", (0,) * axes)
    if ws is None:
        raise ValueError(f"a pool needs ws, its window: {axes} integers")
    input = pt.as_tensor_variable(input)
    if input.type.ndim < axes:
        raise NotImplementedError(
            f"pool_{axes}d needs a tensor of at least {axes} dimensions, got "
            f"{input.type}"
        )
    if ignore_border is None:
        warnings.warn(
            f"pool_{axes}d: ignore_border is not given and counts as False, Theano's "
            "default; give it",
            stacklevel=3,
        )
        ignore_border = False
    pool = _pool.pool_2d if axes == 2 else _conv3d.pool_3d
    return pool(input, ws, ignore_border, stride, pad, mode)


def max_pool_2d_same_size(input, patch_size):
    """``input`` with every value that is not its window's maximum set to zero.

    Windows of ``patch_size`` do not overlap; all of one that the edge cuts is set to
    zero.
    """
    maxima = pool_2d(input, patch_size, ignore_border=True)
    return MaxPool2dGrad(patch_size, ignore_border=True)(input, maxima, maxima)


class Pool(Pool2d):
    """:class:`pytensor_nnet.Pool2d`, called with what it is made for::

    Pool(ignore_border=True, mode="max")(images, ws, stride, pad)
    """

    def __new__(cls, ignore_border=False, mode="max", ndim=2, openmp=None):
        if ndim not in (2, 3):
            raise NotImplementedError(f"Pool pools 2 or 3 dimensions, not {ndim}")
        pool = pool_2d if ndim == 2 else pool_3d

        def make(images, ws, stride=None, pad=None):
            return pool(images, ws, ignore_border, stride, pad, mode)

        return make

    @staticmethod
    def out_shape(
        imgshape,
        ws=None,
        ignore_border=False,
        stride=None,
        pad=None,
        ndim=None,
        ds=None,
        st=None,
        padding=None,
    ):
        """The shape of the pooled images, as a list.

        >>> Pool.out_shape((3, 5, 5), (2, 2))
        [3, 3, 3]
        """
        ws = tuple(_renamed(ws, ds, "ws", "ds", None))
        stride = tuple(_renamed(stride, st, "stride", "st", ws))
        pad = tuple(_renamed(pad, padding, "pad", "padding", (0,) * len(ws)))
        first = len(imgshape) - len(ws)
        sizes = [
            pool_output_size(*axis, ignore_border)
            for axis in zip(imgshape[first:], ws, stride, pad, strict=True)
        ]
        return [*imgshape[:first], *sizes]
