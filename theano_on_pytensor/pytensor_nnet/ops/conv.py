"""Two-dimensional convolution: three Ops, each one's gradient made of the others.

Images are ``(batch, channels, rows, columns)``, filters ``(filters,
channels // num_groups, rows, columns)``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.op import Op
from pytensor.scalar import upcast
from pytensor.tensor.type import TensorType

from pytensor_nnet.kernels.convolution import Convolution
from pytensor_nnet.kernels.geometry import (
    convolution_output_size,
    pads_of_border_mode,
)
from pytensor_nnet.kernels.llvm.convolution import (
    convolve,
    convolve_filter_gradient,
    convolve_input_gradient,
)
from pytensor_nnet.ops.arguments import (
    as_images,
    as_pair,
    as_size,
    cast_like,
    size_vector,
    spatial_shape,
    static_size,
)

__all__ = [
    "Conv2d",
    "Conv2dGradFilters",
    "Conv2dGradInputs",
    "ShapeMismatchError",
    "conv2d",
    "conv2d_grad_wrt_inputs",
    "conv2d_grad_wrt_weights",
]


class ShapeMismatchError(ValueError, AssertionError):
    """An array does not have the shape that was announced for it."""


def normalize_border_mode(border_mode: Any) -> str | tuple[Any, Any]:
    """``'valid'``, ``'full'``, ``'half'``, or ``((top, bottom), (left, right))``.

    Raises ``ValueError`` for what is no border mode.

    >>> normalize_border_mode((1, (0, 2)))
    ((1, 1), (0, 2))
    """
    if border_mode in ("valid", "full", "half"):
        return str(border_mode)
    if isinstance(border_mode, (int, np.integer)):
        border_mode = (border_mode, border_mode)
    if isinstance(border_mode, (tuple, list)):
        pads = [
            [mode, mode] if isinstance(mode, (int, np.integer)) else mode
            for mode in border_mode
        ]
        if len(pads) == 2 and all(_is_pair_of_pads(pad) for pad in pads):
            (top, bottom), (left, right) = pads
            return (int(top), int(bottom)), (int(left), int(right))
    raise ValueError(
        f"border_mode is {border_mode!r}; it must be 'valid', 'full', 'half', a pad, "
        "a pair of pads (vertical, horizontal), or a pair of pairs of pads "
        "((top, bottom), (left, right)); pads are integers of at least 0"
    )


def _is_pair_of_pads(pads: Any) -> bool:
    return (
        isinstance(pads, (tuple, list))
        and len(pads) == 2
        and all(isinstance(pad, (int, np.integer)) and pad >= 0 for pad in pads)
    )


class _Convolution(Op):
    """What the three Ops share: their parameters and the arithmetic of sizes."""

    __props__: tuple[str, ...] = (
        "border_mode",
        "subsample",
        "filter_flip",
        "filter_dilation",
        "num_groups",
    )

    def __init__(
        self,
        border_mode: Any = "valid",
        subsample: Any = (1, 1),
        filter_flip: bool = True,
        filter_dilation: Any = (1, 1),
        num_groups: int = 1,
    ):
        self.border_mode = normalize_border_mode(border_mode)
        self.subsample = as_pair(subsample, "subsample")
        self.filter_flip = bool(filter_flip)
        self.filter_dilation = as_pair(filter_dilation, "filter_dilation")
        self.num_groups = int(num_groups)
        if self.num_groups < 1:
            raise ValueError(f"num_groups is {num_groups}; it must be at least 1")

    def _with_same_parameters(self, op_type: type) -> Any:
        return op_type(
            self.border_mode,
            self.subsample,
            self.filter_flip,
            self.filter_dilation,
            self.num_groups,
        )

    def _pads(self, filter_size: Sequence[Any]) -> tuple[Any, Any]:
        modes = self.border_mode
        if isinstance(modes, str):
            modes = (modes, modes)
        vertical, horizontal = (
            pads_of_border_mode(*axis)
            for axis in zip(modes, filter_size, self.filter_dilation, strict=True)
        )
        return vertical, horizontal

    def _output_size(
        self, image_size: Sequence[Any], filter_size: Sequence[Any]
    ) -> tuple[Any, Any]:
        rows, columns = (
            convolution_output_size(*axis)
            for axis in zip(
                image_size,
                filter_size,
                self._pads(filter_size),
                self.subsample,
                self.filter_dilation,
                strict=True,
            )
        )
        return rows, columns

    def geometry(self, filter_size: Sequence[int]) -> Convolution:
        """The parameters, as the kernels take them."""
        return Convolution(
            self._pads(filter_size),
            self.subsample,
            self.filter_dilation,
            self.num_groups,
            self.filter_flip,
        )

    def pushforward(
        self,
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        tangents: Sequence[Variable],
    ) -> list[Variable]:
        """All three are linear in their first input, and in their second."""
        terms = []
        for i in range(2):
            if not isinstance(tangents[i].type, DisconnectedType):
                arguments = list(inputs)
                arguments[i] = tangents[i]
                terms.append(self(*arguments))
        if not terms:
            return [disconnected_type()]
        return [terms[0] if len(terms) == 1 else terms[0] + terms[1]]


class Conv2d(_Convolution):
    """Convolve images with filters.

    Parameters
    ----------
    border_mode : {'valid', 'full', 'half'}, int, pair of int, or pair of pairs
        The zeros around the images. ``'valid'``: none. ``'full'``: one less than
        the (dilated) filter on each side. ``'half'``: half of the filter, rounded
        down. Else the pads: of every side; (vertical, horizontal);
        ((top, bottom), (left, right)).
    subsample : pair of int
        Steps between the filter's positions, (vertical, horizontal).
    filter_flip : bool
        True turns the filters by 180 degrees (convolution), False does not
        (cross-correlation).
    filter_dilation : pair of int
        Steps between a filter's taps, (vertical, horizontal).
    num_groups : int
        Channels and filters are split into that many groups that do not meet.
    imshp, kshp : four of int or None, optional
        Shapes announced for the images and the filters: used where the graph's own
        types know less, and checked when the Op runs.
    """

    __props__ = (*_Convolution.__props__, "imshp", "kshp")

    def __init__(
        self,
        border_mode: Any = "valid",
        subsample: Any = (1, 1),
        filter_flip: bool = True,
        filter_dilation: Any = (1, 1),
        num_groups: int = 1,
        imshp: Sequence[int | None] | None = None,
        kshp: Sequence[int | None] | None = None,
    ):
        super().__init__(
            border_mode, subsample, filter_flip, filter_dilation, num_groups
        )
        self.imshp = None if imshp is None else tuple(imshp)
        self.kshp = None if kshp is None else tuple(kshp)

    def make_node(self, images: Any, filters: Any) -> Apply:
        images = as_images(4, images, "images")
        filters = as_images(4, filters, "filters")
        image_shape = _merged(images, self.imshp, "images")
        filter_shape = _merged(filters, self.kshp, "filters")
        _check_static_channels(image_shape, filter_shape, self.num_groups)
        out_shape = (
            image_shape[0],
            filter_shape[0],
            *self._output_size(image_shape[2:], filter_shape[2:]),
        )
        if any(size is not None and size < 1 for size in out_shape[2:]):
            raise ValueError(
                f"a convolution of images of shape {image_shape} with filters of "
                f"shape {filter_shape} has no output: its shape would be {out_shape} "
                f"with border_mode {self.border_mode}, subsample {self.subsample} and "
                f"filter_dilation {self.filter_dilation}"
            )
        dtype = upcast(images.type.dtype, filters.type.dtype)
        return Apply(self, [images, filters], [TensorType(dtype, shape=out_shape)()])

    def perform(self, node, inputs, output_storage):
        images, filters = inputs
        self.check_shapes(images, filters)
        output_storage[0][0] = convolve(
            images, filters, self.geometry(filters.shape[2:])
        )

    def check_shapes(self, images: np.ndarray, filters: np.ndarray) -> None:
        """Raises :class:`ShapeMismatchError` where arrays are not as announced."""
        _check_shape(images, self.imshp, "images")
        _check_shape(filters, self.kshp, "filters")

    def infer_shape(self, *arguments):
        # PyTensor 3.0 calls it with (fgraph, node, shapes), 3.3 with (node, shapes).
        image_shape, filter_shape = arguments[-1]
        size = self._output_size(image_shape[2:], filter_shape[2:])
        return [(image_shape[0], filter_shape[0], *size)]

    def pullback(self, inputs, outputs, cotangents):
        images, filters = inputs
        (gradient,) = cotangents
        to_images = self._with_same_parameters(Conv2dGradInputs)
        to_filters = self._with_same_parameters(Conv2dGradFilters)
        return [
            cast_like(to_images(filters, gradient, spatial_shape(images)), images),
            cast_like(to_filters(images, gradient, spatial_shape(filters)), filters),
        ]


class Conv2dGradFilters(_Convolution):
    """The gradient of :class:`Conv2d` with respect to the filters.

    Called with the images, the gradient of the convolution's output, and the
    filters' ``(rows, columns)`` as a vector of integers.
    Its parameters are those of :class:`Conv2d`.
    """

    def make_node(self, images: Any, gradient: Any, filter_size: Any) -> Apply:
        images = as_images(4, images, "images")
        gradient = as_images(4, gradient, "the output's gradient")
        filter_size = as_size(filter_size, "the filters' size")
        channels = images.type.shape[1]
        out_shape = (
            gradient.type.shape[1],
            None if channels is None else channels // self.num_groups,
            *static_size(filter_size),
        )
        dtype = upcast(images.type.dtype, gradient.type.dtype)
        return Apply(
            self,
            [images, gradient, filter_size],
            [TensorType(dtype, shape=out_shape)()],
        )

    def perform(self, node, inputs, output_storage):
        images, gradient, (rows, columns) = inputs
        filter_size = (int(rows), int(columns))
        output_storage[0][0] = convolve_filter_gradient(
            images, gradient, filter_size, self.geometry(filter_size)
        )

    def infer_shape(self, *arguments):
        node, (image_shape, gradient_shape, _) = arguments[-2:]
        filter_size = node.inputs[2]
        channels = image_shape[1] // self.num_groups
        return [(gradient_shape[1], channels, filter_size[0], filter_size[1])]

    def connection_pattern(self, node):
        return [[True], [True], [False]]

    def pullback(self, inputs, outputs, cotangents):
        images, gradient, _ = inputs
        (filters,) = cotangents
        to_images = self._with_same_parameters(Conv2dGradInputs)
        forward = self._with_same_parameters(Conv2d)
        return [
            cast_like(to_images(filters, gradient, spatial_shape(images)), images),
            cast_like(forward(images, filters), gradient),
            disconnected_type(),
        ]


class Conv2dGradInputs(_Convolution):
    """The gradient of :class:`Conv2d` with respect to the images.

    Called with the filters, the gradient of the convolution's output, and the
    images' ``(rows, columns)`` as a vector of integers.
    Its parameters are those of :class:`Conv2d`.
    """

    def make_node(self, filters: Any, gradient: Any, image_size: Any) -> Apply:
        filters = as_images(4, filters, "filters")
        gradient = as_images(4, gradient, "the output's gradient")
        image_size = as_size(image_size, "the images' size")
        channels = filters.type.shape[1]
        out_shape = (
            gradient.type.shape[0],
            None if channels is None else channels * self.num_groups,
            *static_size(image_size),
        )
        dtype = upcast(filters.type.dtype, gradient.type.dtype)
        return Apply(
            self,
            [filters, gradient, image_size],
            [TensorType(dtype, shape=out_shape)()],
        )

    def perform(self, node, inputs, output_storage):
        filters, gradient, (rows, columns) = inputs
        output_storage[0][0] = convolve_input_gradient(
            filters,
            gradient,
            (int(rows), int(columns)),
            self.geometry(filters.shape[2:]),
        )

    def infer_shape(self, *arguments):
        node, (filter_shape, gradient_shape, _) = arguments[-2:]
        image_size = node.inputs[2]
        channels = filter_shape[1] * self.num_groups
        return [(gradient_shape[0], channels, image_size[0], image_size[1])]

    def connection_pattern(self, node):
        return [[True], [True], [False]]

    def pullback(self, inputs, outputs, cotangents):
        filters, gradient, _ = inputs
        (images,) = cotangents
        to_filters = self._with_same_parameters(Conv2dGradFilters)
        forward = self._with_same_parameters(Conv2d)
        return [
            cast_like(to_filters(images, gradient, spatial_shape(filters)), filters),
            cast_like(forward(images, filters), gradient),
            disconnected_type(),
        ]


def conv2d(
    input: Any,
    filters: Any,
    input_shape: Sequence[Any] | None = None,
    filter_shape: Sequence[Any] | None = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
) -> Variable:
    """Convolve images with filters, symbolically.

    Parameters
    ----------
    input : 4-D tensor
        Images, ``(batch, channels, rows, columns)``.
    filters : 4-D tensor
        ``(filters, channels // num_groups, rows, columns)``.
    input_shape, filter_shape : four of int or None, optional
        What is known of the shapes. An array of another shape raises
        :class:`ShapeMismatchError` when the graph runs, or at once where the
        type of a variable contradicts.
    border_mode, subsample, filter_flip, filter_dilation, num_groups
        As for :class:`Conv2d`.

    Returns
    -------
    4-D tensor
        ``(batch, filters, rows, columns)`` with
        ``(rows + pads - dilated filter rows) // subsample + 1`` rows.
    """
    op = Conv2d(
        border_mode,
        subsample,
        filter_flip,
        filter_dilation,
        num_groups,
        _announced(input_shape, "input_shape"),
        _announced(filter_shape, "filter_shape"),
    )
    return op(input, filters)


def conv2d_grad_wrt_inputs(
    output_grad: Any,
    filters: Any,
    input_shape: Sequence[Any],
    filter_shape: Sequence[Any] | None = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
) -> Variable:
    """The gradient of :func:`conv2d` with respect to its input, symbolically.

    Parameters
    ----------
    output_grad : 4-D tensor
        The gradient of the convolution's output.
    filters : 4-D tensor
    input_shape : four of int, scalar variable or None
        The shape of the wanted gradient; its rows and columns must be given.
    filter_shape : four of int or None, optional
        What is known of the shape of ``filters``.
    border_mode, subsample, filter_flip, filter_dilation, num_groups
        As for :class:`Conv2d`.
    """
    filters = as_images(4, filters, "filters")
    if filter_shape is not None:
        filters = pt.specify_shape(filters, _announced(filter_shape, "filter_shape"))
    op = Conv2dGradInputs(
        border_mode, subsample, filter_flip, filter_dilation, num_groups
    )
    return op(filters, output_grad, _wanted_size(input_shape, "input_shape"))


def conv2d_grad_wrt_weights(
    input: Any,
    output_grad: Any,
    filter_shape: Sequence[Any],
    input_shape: Sequence[Any] | None = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
) -> Variable:
    """The gradient of :func:`conv2d` with respect to its filters, symbolically.

    Parameters
    ----------
    input : 4-D tensor
        Images.
    output_grad : 4-D tensor
        The gradient of the convolution's output.
    filter_shape : four of int, scalar variable or None
        The shape of the wanted gradient; its rows and columns must be given.
    input_shape : four of int or None, optional
        What is known of the shape of ``input``.
    border_mode, subsample, filter_flip, filter_dilation, num_groups
        As for :class:`Conv2d`.
    """
    input = as_images(4, input, "images")
    if input_shape is not None:
        input = pt.specify_shape(input, _announced(input_shape, "input_shape"))
    op = Conv2dGradFilters(
        border_mode, subsample, filter_flip, filter_dilation, num_groups
    )
    return op(input, output_grad, _wanted_size(filter_shape, "filter_shape"))


def _announced(shape: Sequence[Any] | None, name: str) -> Any:
    """What is announced of a shape; ``None`` for what only the graph will know."""
    if shape is None:
        return None
    sizes = [size.data if isinstance(size, Constant) else size for size in shape]
    sizes = [None if isinstance(size, Variable) else size for size in sizes]
    if len(sizes) != 4 or any(size is not None and int(size) != size for size in sizes):
        raise ValueError(f"{name} is {shape!r}; it must be four integers or None")
    return tuple(None if size is None else int(size) for size in sizes)


def _wanted_size(shape: Sequence[Any], name: str) -> Any:
    """The last two of four sizes, as a vector."""
    if len(shape) != 4 or any(size is None for size in shape[2:]):
        raise ValueError(
            f"{name} is {shape!r}; it must be four sizes, the last two not None"
        )
    return size_vector(shape[2], shape[3])


def _merged(
    variable: Any, announced: tuple[int | None, ...] | None, name: str
) -> tuple[int | None, ...]:
    """The type's static shape, completed by the announced one."""
    static = variable.type.shape
    if announced is None:
        return static
    if any(
        a is not None and b is not None and a != b
        for a, b in zip(static, announced, strict=True)
    ):
        raise ShapeMismatchError(
            f"the {name} have shape {static}, but {announced} was announced for them"
        )
    return tuple(b if a is None else a for a, b in zip(static, announced, strict=True))


def _check_shape(
    array: np.ndarray, announced: tuple[int | None, ...] | None, name: str
) -> None:
    if announced is not None and any(
        size is not None and size != actual
        for size, actual in zip(announced, array.shape, strict=True)
    ):
        raise ShapeMismatchError(
            f"the {name} have shape {array.shape}, but {announced} was announced "
            "for them"
        )


def _check_static_channels(
    image_shape: Sequence[int | None], filter_shape: Sequence[int | None], groups: int
) -> None:
    channels, wanted = image_shape[1], filter_shape[1]
    if None not in (channels, wanted) and channels != wanted * groups:
        raise ValueError(
            f"images of shape {tuple(image_shape)} have {channels} channels; filters "
            f"of shape {tuple(filter_shape)} in {groups} group(s) need "
            f"{wanted} * {groups} = {wanted * groups}"
        )
