"""The windows of images as a tensor: what a filter would meet."""

from collections.abc import Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from pytensor_nnet.kernels.convolution import Convolution
from pytensor_nnet.kernels.geometry import (
    convolution_output_size,
    pads_of_border_mode,
)
from pytensor_nnet.kernels.windows import add_windows, extract_windows
from pytensor_nnet.ops.arguments import (
    as_images,
    as_pair,
    as_size,
    cast_like,
    spatial_shape,
    static_size,
)
from pytensor_nnet.ops.conv import normalize_border_mode

__all__ = ["Windows2d", "Windows2dGrad", "windows_2d"]


class _Windows(Op):
    """What both Ops share: which windows there are."""

    __props__ = ("border_mode", "subsample", "filter_dilation")

    def __init__(
        self,
        border_mode: Any = "valid",
        subsample: Any = (1, 1),
        filter_dilation: Any = (1, 1),
    ):
        self.border_mode = normalize_border_mode(border_mode)
        self.subsample = as_pair(subsample, "subsample")
        self.filter_dilation = as_pair(filter_dilation, "filter_dilation")

    def _pads(self, size: Sequence[Any]) -> tuple[Any, ...]:
        modes = self.border_mode
        if isinstance(modes, str):
            modes = (modes, modes)
        return tuple(
            pads_of_border_mode(*axis)
            for axis in zip(modes, size, self.filter_dilation, strict=True)
        )

    def _counts(self, image_size: Sequence[Any], size: Sequence[Any]) -> list[Any]:
        return [
            convolution_output_size(*axis)
            for axis in zip(
                image_size,
                size,
                self._pads(size),
                self.subsample,
                self.filter_dilation,
                strict=True,
            )
        ]

    def _geometry(self, size: Sequence[int]) -> Convolution:
        return Convolution(self._pads(size), self.subsample, self.filter_dilation)

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [False]]

    def pushforward(
        self,
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        tangents: Sequence[Variable],
    ) -> list[Variable]:
        if isinstance(tangents[0].type, DisconnectedType):
            return [disconnected_type()]
        return [self(tangents[0], inputs[1])]


class Windows2d(_Windows):
    """The windows that a filter would meet, as a tensor.

    Called with images ``(batch, channels, rows, columns)`` and the windows' size, a
    vector of two integers. Gives ``(batch, channels, window rows, window columns,
    rows, columns)``, the last two counting the windows.

    Parameters
    ----------
    border_mode, subsample, filter_dilation
        As for :class:`pytensor_nnet.Conv2d`.
    """

    def make_node(self, images: Any, size: Any) -> Apply:
        images = as_images(4, images, "images")
        size = as_size(size, "the windows' size")
        static = static_size(size)
        shape = (
            *images.type.shape[:2],
            *static,
            *self._counts(images.type.shape[2:], static),
        )
        return Apply(
            self, [images, size], [TensorType(images.type.dtype, shape=shape)()]
        )

    def perform(self, node, inputs, output_storage):
        images, (rows, columns) = inputs
        size = (int(rows), int(columns))
        output_storage[0][0] = extract_windows(images, size, self._geometry(size))

    def infer_shape(self, *arguments):
        # PyTensor 3.0 calls it with (fgraph, node, shapes), 3.3 with (node, shapes).
        node, (image_shape, _) = arguments[-2:]
        size = [node.inputs[1][0], node.inputs[1][1]]
        return [(*image_shape[:2], *size, *self._counts(image_shape[2:], size))]

    def pullback(self, inputs, outputs, cotangents):
        images, _ = inputs
        adjoint = Windows2dGrad(self.border_mode, self.subsample, self.filter_dilation)
        gradient = adjoint(cotangents[0], spatial_shape(images))
        return [cast_like(gradient, images), disconnected_type()]


class Windows2dGrad(_Windows):
    """The gradient of :class:`Windows2d` with respect to the images.

    Called with the windows' gradient and the images' ``(rows, columns)``, a vector
    of integers. Its parameters are those of :class:`Windows2d`.
    """

    def make_node(self, windows: Any, image_size: Any) -> Apply:
        windows = as_images(6, windows, "windows")
        image_size = as_size(image_size, "the images' size")
        shape = (*windows.type.shape[:2], *static_size(image_size))
        return Apply(
            self,
            [windows, image_size],
            [TensorType(windows.type.dtype, shape=shape)()],
        )

    def perform(self, node, inputs, output_storage):
        windows, (rows, columns) = inputs
        geometry = self._geometry(windows.shape[2:4])
        output_storage[0][0] = add_windows(windows, (int(rows), int(columns)), geometry)

    def infer_shape(self, *arguments):
        node, (shape, _) = arguments[-2:]
        return [(*shape[:2], node.inputs[1][0], node.inputs[1][1])]

    def pullback(self, inputs, outputs, cotangents):
        windows, _ = inputs
        adjoint = Windows2d(self.border_mode, self.subsample, self.filter_dilation)
        size = pt.stack([windows.shape[2], windows.shape[3]])
        if None not in windows.type.shape[2:4]:
            size = pt.constant(windows.type.shape[2:4], dtype="int64")
        gradient = adjoint(cotangents[0], size)
        return [cast_like(gradient, windows), disconnected_type()]


def windows_2d(
    images: Any,
    size: Any,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_dilation: Any = (1, 1),
) -> Variable:
    """The windows of ``size`` of images, symbolically: see :class:`Windows2d`."""
    op = Windows2d(border_mode, subsample, filter_dilation)
    return op(images, pt.as_tensor_variable(size))
