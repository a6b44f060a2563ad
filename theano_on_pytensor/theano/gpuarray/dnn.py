"""cuDNN's functions, computed on the CPU.

Parameters that chose between cuDNN's algorithms, or its precision, are ignored.
"""

import pytensor.tensor as pt

from theano.gpuarray.type import gpu_asked_for
from theano.tensor.nnet import abstract_conv, bn
from theano.tensor.nnet.nnet import softmax
from theano.tensor.signal.pool import pool_2d, pool_3d

__all__ = [
    "GpuDnnConv",
    "GpuDnnConvDesc",
    "GpuDnnConvGradI",
    "GpuDnnConvGradW",
    "GpuDnnPool",
    "GpuDnnSoftmax",
    "dnn_available",
    "dnn_batch_normalization_test",
    "dnn_batch_normalization_train",
    "dnn_conv",
    "dnn_conv3d",
    "dnn_gradinput",
    "dnn_gradinput3d",
    "dnn_gradweight",
    "dnn_gradweight3d",
    "dnn_pool",
    "dnn_present",
    "version",
]


def dnn_present():
    """Whether ``device`` asked for a GPU, for which this module stands in."""
    return gpu_asked_for


def dnn_available(context_name=None):
    """The same."""
    return gpu_asked_for


dnn_present.msg = dnn_available.msg = (
    "" if gpu_asked_for else "Theano on PyTensor runs on the CPU"
)


def version(raises=True):
    """The version of cuDNN that programs may take this for."""
    return 6021


class GpuDnnConvDesc:
    """Which convolution is meant.

    Parameters
    ----------
    border_mode : {'valid', 'full', 'half'}, int, or one of int an axis
    subsample, dilation : one of int an axis
    conv_mode : {'conv', 'cross'}
        Whether the filters are turned by 180 degrees.
    num_groups : int

    Called with what cuDNN had to know (shapes), it gives itself.
    """

    def __init__(
        self,
        border_mode,
        subsample=(1, 1),
        dilation=(1, 1),
        conv_mode="conv",
        precision=None,
        num_groups=1,
    ):
        if isinstance(dilation, str):  # Theano 0.8 had conv_mode in this place.
            dilation, conv_mode = (1,) * len(subsample), dilation
        if conv_mode not in ("conv", "cross"):
            raise ValueError(f"conv_mode is {conv_mode!r}; it must be conv or cross")
        self.border_mode = border_mode
        self.subsample = tuple(subsample)
        self.dilation = tuple(dilation) + (1,) * (len(subsample) - len(dilation))
        self.conv_mode = conv_mode
        self.num_groups = num_groups

    def __call__(self, *shapes):
        return self

    @property
    def options(self):
        """The arguments of :mod:`theano.tensor.nnet.abstract_conv`'s functions."""
        return {
            "border_mode": self.border_mode,
            "subsample": self.subsample,
            "filter_flip": self.conv_mode == "conv",
            "filter_dilation": self.dilation,
            "num_groups": self.num_groups,
        }


class _WithDesc:
    """An Op that is called with two tensors, one to write to, and a description.

    What it computes is ``alpha`` times the result plus ``beta`` times the tensor to
    write to.
    """

    def __init__(self, algo=None, inplace=False, workmem=None, num_groups=1):
        self.algo = algo

    def __call__(self, first, second, output, desc, alpha=1.0, beta=0.0):
        result = self._compute(first, second, output, desc)
        if isinstance(alpha, int | float) and alpha == 1:
            scaled = result
        else:
            scaled = alpha * result
        if isinstance(beta, int | float) and beta == 0:
            return scaled
        return scaled + beta * output


class GpuDnnConv(_WithDesc):
    """Convolve; called with images, filters, a tensor shaped like the output, and a
    :class:`GpuDnnConvDesc`.
    """

    @staticmethod
    def _compute(img, kern, output, desc):
        conv = (
            abstract_conv.conv2d if len(desc.subsample) == 2 else abstract_conv.conv3d
        )
        return conv(img, kern, **desc.options)


class GpuDnnConvGradW(_WithDesc):
    """The gradient with respect to the filters; called with images, the output's
    gradient, a tensor shaped like the filters, and a :class:`GpuDnnConvDesc`.
    """

    @staticmethod
    def _compute(img, topgrad, output, desc):
        return _gradweight(img, topgrad, pt.as_tensor_variable(output).shape, desc)


class GpuDnnConvGradI(_WithDesc):
    """The gradient with respect to the images; called with filters, the output's
    gradient, a tensor shaped like the images, and a :class:`GpuDnnConvDesc`.
    """

    @staticmethod
    def _compute(kern, topgrad, output, desc):
        return _gradinput(kern, topgrad, pt.as_tensor_variable(output).shape, desc)


def _gradweight(img, topgrad, kerns_shp, desc):
    axes = len(desc.subsample)
    size = [kerns_shp[axis] for axis in range(2, 2 + axes)]
    gradient = (
        abstract_conv.conv2d_grad_wrt_weights
        if axes == 2
        else abstract_conv.conv3d_grad_wrt_weights
    )
    return gradient(img, topgrad, (None, None, *size), **desc.options)


def _gradinput(kerns, topgrad, img_shp, desc):
    axes = len(desc.subsample)
    size = [img_shp[axis] for axis in range(2, 2 + axes)]
    gradient = (
        abstract_conv.conv2d_grad_wrt_inputs
        if axes == 2
        else abstract_conv.conv3d_grad_wrt_inputs
    )
    return gradient(topgrad, kerns, (None, None, *size), **desc.options)


def dnn_conv(
    img,
    kerns,
    border_mode="valid",
    subsample=(1, 1),
    dilation=(1, 1),
    conv_mode="conv",
    direction_hint=None,
    workmem=None,
    algo=None,
    precision=None,
    num_groups=1,
):
    """Convolve images ``(batch, channels, rows, columns)`` with filters.

    The parameters that count are those of :class:`GpuDnnConvDesc`.
    """
    desc = GpuDnnConvDesc(
        border_mode, subsample, dilation, conv_mode, num_groups=num_groups
    )
    return GpuDnnConv()(img, kerns, None, desc)


def dnn_conv3d(
    img,
    kerns,
    border_mode="valid",
    subsample=(1, 1, 1),
    dilation=(1, 1, 1),
    conv_mode="conv",
    direction_hint=None,
    workmem=None,
    algo=None,
    precision=None,
    num_groups=1,
):
    """The same for images ``(batch, channels, depth, rows, columns)``."""
    return dnn_conv(
        img,
        kerns,
        border_mode,
        subsample,
        dilation,
        conv_mode,
        num_groups=num_groups,
    )


def dnn_gradweight(
    img,
    topgrad,
    kerns_shp,
    border_mode="valid",
    subsample=(1, 1),
    dilation=(1, 1),
    conv_mode="conv",
    precision=None,
    algo=None,
    num_groups=1,
):
    """The gradient of :func:`dnn_conv` with respect to filters of ``kerns_shp``."""
    desc = GpuDnnConvDesc(
        border_mode, subsample, dilation, conv_mode, num_groups=num_groups
    )
    return _gradweight(img, topgrad, kerns_shp, desc)


def dnn_gradinput(
    kerns,
    topgrad,
    img_shp,
    border_mode="valid",
    subsample=(1, 1),
    dilation=(1, 1),
    conv_mode="conv",
    precision=None,
    algo=None,
    num_groups=1,
):
    """The gradient of :func:`dnn_conv` with respect to images of ``img_shp``."""
    desc = GpuDnnConvDesc(
        border_mode, subsample, dilation, conv_mode, num_groups=num_groups
    )
    return _gradinput(kerns, topgrad, img_shp, desc)


def dnn_gradweight3d(
    img,
    topgrad,
    kerns_shp,
    border_mode="valid",
    subsample=(1, 1, 1),
    dilation=(1, 1, 1),
    conv_mode="conv",
    precision=None,
    algo=None,
    num_groups=1,
):
    """The gradient of :func:`dnn_conv3d` with respect to filters of ``kerns_shp``."""
    return dnn_gradweight(
        *(img, topgrad, kerns_shp, border_mode, subsample, dilation, conv_mode),
        num_groups=num_groups,
    )


def dnn_gradinput3d(
    kerns,
    topgrad,
    img_shp,
    border_mode="valid",
    subsample=(1, 1, 1),
    dilation=(1, 1, 1),
    conv_mode="conv",
    precision=None,
    algo=None,
    num_groups=1,
):
    """The gradient of :func:`dnn_conv3d` with respect to images of ``img_shp``."""
    return dnn_gradinput(
        *(kerns, topgrad, img_shp, border_mode, subsample, dilation, conv_mode),
        num_groups=num_groups,
    )


def dnn_pool(img, ws, stride=None, mode="max", pad=None):
    """Pool the last two or three axes, as many as ``ws`` has entries.

    Parameters
    ----------
    img : tensor of 4 or 5 dimensions
    ws, stride, pad : tuple of int
        ``stride`` is 1 by default.
    mode : {'max', 'sum', 'average_inc_pad', 'average_exc_pad'}
    """
    axes = len(ws)
    pool = pool_2d if axes == 2 else pool_3d
    if mode == "average":
        mode = "average_inc_pad"
    return pool(img, ws, True, stride or (1,) * axes, pad or (0,) * axes, mode)


class GpuDnnPool:
    """:func:`dnn_pool` as an Op, called with images, window, steps and pad."""

    def __init__(self, mode="max"):
        self.mode = mode

    def __call__(self, img, ws, stride=None, pad=None):
        return dnn_pool(img, ws, stride, self.mode, pad)


class GpuDnnSoftmax:
    """Softmax over the channels.

    Parameters
    ----------
    algo : {'fast', 'log', 'accurate'}
    mode : {'instance', 'channel'}
        Over all of an image's values, or at each position over the channels.

    Called with images ``(batch, channels, rows, columns)``; the first parameter was
    the order of the axes up to Theano 0.8.
    """

    def __init__(self, *options):
        self.algo, self.mode = options[-2:]
        if self.algo not in ("fast", "log", "accurate") or self.mode not in (
            "instance",
            "channel",
        ):
            raise ValueError(f"GpuDnnSoftmax does not know {options!r}")

    def __call__(self, x):
        x = pt.as_tensor_variable(x)
        order = (0, 1, 2, 3) if self.mode == "instance" else (0, 2, 3, 1)
        moved = x.dimshuffle(order)
        columns = moved.shape[-1] if self.mode == "channel" else x[0].size
        probs = softmax(moved.reshape((-1, columns))).reshape(moved.shape, ndim=4)
        probs = probs.dimshuffle([order.index(axis) for axis in range(4)])
        return pt.log(probs) if self.algo == "log" else probs


def dnn_batch_normalization_train(
    inputs,
    gamma,
    beta,
    mode="per-activation",
    epsilon=1e-4,
    running_average_factor=0.1,
    running_mean=None,
    running_var=None,
):
    """:func:`theano.tensor.nnet.bn.batch_normalization_train`, ``mode`` being its
    ``axes``.
    """
    return bn.batch_normalization_train(
        inputs,
        gamma,
        beta,
        mode,
        epsilon,
        running_average_factor,
        running_mean,
        running_var,
    )


def dnn_batch_normalization_test(
    inputs, gamma, beta, mean, var, mode="per-activation", epsilon=1e-4
):
    """:func:`theano.tensor.nnet.bn.batch_normalization_test`, ``mode`` being its
    ``axes``.
    """
    return bn.batch_normalization_test(inputs, gamma, beta, mean, var, mode, epsilon)
