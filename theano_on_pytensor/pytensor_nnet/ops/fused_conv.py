"""A convolutional layer in one Op each way: convolution, bias, rectifier, max pool.

What lies between is never written to memory; gradients visit only what is not
zero. :mod:`pytensor_nnet.rewrites.fusion_conv` puts these Ops in the place of the
plain ones.
"""

from typing import Any

from pytensor.graph.basic import Apply
from pytensor.tensor.type import TensorType

from pytensor_nnet.kernels.llvm.convolution import add_layer, add_layer_gradients
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.layer import Epilogue
from pytensor_nnet.ops.conv import Conv2d
from pytensor_nnet.ops.launching import Launching

__all__ = ["FusedConv2d", "FusedConv2dGrad"]


class _Layer(Launching):
    """What the two Ops share: how the layer is made.

    Parameters
    ----------
    conv : Conv2d
    window : pair of int
        Of the max pool, which takes whole windows that do not overlap.
    slope : float or None
        Of the rectifier, below zero; ``None``: there is none.
    """

    conv: Conv2d
    window: tuple[int, int]
    slope: float | None

    def _epilogue(self, keeps_mask: bool) -> Epilogue:
        return Epilogue(self.window, self.slope, keeps_mask)


class FusedConv2d(_Layer):
    """``max_pool(rectify(conv2d(images, filters) + bias))``.

    Images are ``(batch, channels, rows, columns)``, the bias ``(filters,)``. With
    ``keeps_mask`` there is a second output, shaped as the first, of integers: bit
    by bit, which of its window's positions hold the maximum. The gradient needs it.

    The other parameters are those of the layer: ``conv``, ``window``, ``slope``.
    """

    __props__ = ("conv", "window", "slope", "keeps_mask")

    def __init__(
        self,
        conv: Conv2d,
        window: tuple[int, int] = (1, 1),
        slope: float | None = None,
        keeps_mask: bool = False,
    ):
        self.conv, self.window, self.slope = conv, tuple(window), slope
        self.keeps_mask = keeps_mask

    def make_node(self, images: Any, filters: Any, bias: Any) -> Apply:
        (convolved,) = self.conv.make_node(images, filters).outputs
        size = [
            None if length is None else length // step
            for length, step in zip(convolved.type.shape[2:], self.window, strict=True)
        ]
        shape = (*convolved.type.shape[:2], *size)
        outputs = [TensorType(convolved.type.dtype, shape=shape)()]
        if self.keeps_mask:
            width = self._epilogue(True).mask_type[1:]
            outputs.append(TensorType(f"uint{width}", shape=shape)())
        return Apply(self, [images, filters, bias], outputs)

    def launch(self, node, inputs):
        images, filters, bias = inputs
        self.conv.check_shapes(images, filters)
        launch = Launch()
        out, mask = add_layer(
            launch,
            images,
            filters,
            bias,
            self.conv.geometry(filters.shape[2:]),
            self._epilogue(self.keeps_mask),
        )
        launch.outputs = [out] if mask is None else [out, mask]
        return launch

    def infer_shape(self, *arguments):
        node, (image_shape, filter_shape, _) = arguments[-2:]
        ((batch, filters, *size),) = self.conv.infer_shape(
            node, [image_shape, filter_shape]
        )
        size = [length // step for length, step in zip(size, self.window, strict=True)]
        return [(batch, filters, *size)] * len(node.outputs)


class FusedConv2dGrad(_Layer):
    """The gradients of :class:`FusedConv2d`: of its filters, bias and images.

    Called with the images, the filters, both outputs of the layer, and the gradient
    of the first. Without ``to_images`` there are two outputs. ``at_zero`` is the
    rectifier's derivative there.
    """

    __props__ = ("conv", "window", "slope", "at_zero", "to_images")

    def __init__(
        self,
        conv: Conv2d,
        window: tuple[int, int] = (1, 1),
        slope: float | None = None,
        at_zero: float = 1.0,
        to_images: bool = True,
    ):
        self.conv, self.window, self.slope = conv, tuple(window), slope
        self.at_zero, self.to_images = at_zero, to_images

    def make_node(
        self, images: Any, filters: Any, out: Any, mask: Any, gradient: Any
    ) -> Apply:
        dtype = out.type.dtype
        batch, channels, *image_size = images.type.shape
        n_filters, of_filters, *filter_size = filters.type.shape
        n_filters = _known(n_filters, gradient.type.shape[1])
        channels = _known(channels, of_filters)
        batch = _known(batch, gradient.type.shape[0])
        outputs = [
            TensorType(dtype, shape=(n_filters, channels, *filter_size))(),
            TensorType(dtype, shape=(n_filters,))(),
        ]
        if self.to_images:
            outputs.append(TensorType(dtype, shape=(batch, channels, *image_size))())
        return Apply(self, [images, filters, out, mask, gradient], outputs)

    def launch(self, node, inputs):
        images, filters, out, mask, gradient = inputs
        launch = Launch()
        gradients = add_layer_gradients(
            launch,
            images,
            filters,
            out,
            mask,
            gradient,
            self.conv.geometry(filters.shape[2:]),
            self._epilogue(True),
            self.at_zero,
            self.to_images,
        )
        launch.outputs = [one for one in gradients if one is not None]
        return launch

    def infer_shape(self, *arguments):
        image_shape, filter_shape, *_ = arguments[-1]
        shapes = [filter_shape, filter_shape[:1], image_shape]
        return shapes if self.to_images else shapes[:2]


def _known(size: int | None, other: int | None) -> int | None:
    return other if size is None else size
