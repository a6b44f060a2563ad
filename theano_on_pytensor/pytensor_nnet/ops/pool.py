"""Two-dimensional pooling by the rules of Theano's ``pool_2d``.

The last two axes, (rows, columns), are pooled; any axes may come before them.
"""

from collections.abc import Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from pytensor_nnet.kernels.geometry import pool_output_size
from pytensor_nnet.kernels.llvm.pooling import (
    pool,
    pool_max_gather,
    pool_max_scatter,
    pool_sum_scatter,
)
from pytensor_nnet.kernels.pooling import MODES, Pool
from pytensor_nnet.ops.arguments import (
    as_images,
    as_pair,
    as_size,
    cast_like,
    size_vector,
    spatial_shape,
    static_size,
)
from pytensor_nnet.ops.symbolic_pool import SymbolicPool2d

__all__ = [
    "AveragePool2dGrad",
    "MaxPool2dGrad",
    "MaxPool2dGradGrad",
    "Pool2d",
    "PoolPadError",
    "pool_2d",
]


class PoolPadError(ValueError, NotImplementedError):
    """A pad that no pool can have. (Theano raised ``NotImplementedError``.)"""


class _Pooling(Op):
    """What the Ops share: the windows, and the arithmetic of sizes."""

    __props__: tuple[str, ...] = ("ws", "ignore_border", "stride", "pad")

    def __init__(
        self,
        ws: Any,
        ignore_border: bool = True,
        stride: Any = None,
        pad: Any = (0, 0),
    ):
        self.ws = as_pair(ws, "ws")
        self.ignore_border = bool(ignore_border)
        self.stride = self.ws if stride is None else as_pair(stride, "stride")
        self.pad = (0, 0) if pad is None else as_pair(pad, "pad", at_least=0)
        if self.pad != (0, 0) and not self.ignore_border:
            raise PoolPadError(
                f"pad is {self.pad}; padding works only with ignore_border=True"
            )
        if any(p >= w for p, w in zip(self.pad, self.ws, strict=True)):
            raise PoolPadError(
                f"pad is {self.pad}; it must be smaller than the window, ws={self.ws}"
            )

    @property
    def geometry(self) -> Pool:
        """The windows, as the kernels take them."""
        return Pool(self.ws, self.stride, self.pad, self.ignore_border)

    def _symbolic_output_size(self, image_size: Sequence[Any]) -> list[Any]:
        return [
            pool_output_size(*axis, self.ignore_border, maximum=pt.maximum)
            for axis in zip(image_size, self.ws, self.stride, self.pad, strict=True)
        ]


class Pool2d(_Pooling):
    """Pool the last two axes of a tensor.

    Parameters
    ----------
    ws : pair of int
        The window, (vertical, horizontal).
    ignore_border : bool
        True: whole windows only. False: the last windows may be cut by the edge.
    stride : pair of int, optional
        Steps between windows; the window itself where not given.
    pad : pair of int
        Rows above and below, and columns left and right, that belong to windows
        but have no value. Only with ``ignore_border``, and less than ``ws``.
    mode : {'max', 'sum', 'average_inc_pad', 'average_exc_pad'}
        What to make of a window. The averages count the pad (as zeros), or not.
        Averages of integers are rounded towards zero.

    Raises
    ------
    PoolPadError
        For a pad without ``ignore_border``, or one as large as the window.
    ValueError
        For another mode, window or stride.
    """

    __props__ = (*_Pooling.__props__, "mode")

    def __init__(
        self,
        ws: Any,
        ignore_border: bool = True,
        stride: Any = None,
        pad: Any = (0, 0),
        mode: str = "max",
    ):
        super().__init__(ws, ignore_border, stride, pad)
        self.mode = _checked_mode(mode, MODES)

    def make_node(self, images: Any) -> Apply:
        images = pt.as_tensor_variable(images)
        as_images(max(images.type.ndim, 2), images, "the input of a pool")
        size = [
            pool_output_size(*axis, self.ignore_border)
            for axis in zip(
                images.type.shape[-2:], self.ws, self.stride, self.pad, strict=True
            )
        ]
        shape = (*images.type.shape[:-2], *size)
        return Apply(self, [images], [TensorType(images.type.dtype, shape=shape)()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = pool(inputs[0], self.geometry, self.mode)

    def infer_shape(self, *arguments):
        # PyTensor 3.0 calls it with (fgraph, node, shapes), 3.3 with (node, shapes).
        (shape,) = arguments[-1]
        return [(*shape[:-2], *self._symbolic_output_size(shape[-2:]))]

    def pullback(self, inputs, outputs, cotangents):
        (images,), (gradient,) = inputs, cotangents
        windows = (self.ws, self.ignore_border, self.stride, self.pad)
        if self.mode == "max":
            result = MaxPool2dGrad(*windows)(images, outputs[0], gradient)
        else:
            result = AveragePool2dGrad(*windows, self.mode)(
                gradient, spatial_shape(images)
            )
        return [cast_like(result, images)]

    def pushforward(self, inputs, outputs, tangents):
        if isinstance(tangents[0].type, DisconnectedType):
            return [disconnected_type()]
        if self.mode != "max":
            return [self(tangents[0])]
        windows = (self.ws, self.ignore_border, self.stride, self.pad)
        return [MaxPool2dGradGrad(*windows)(inputs[0], outputs[0], tangents[0])]


class MaxPool2dGrad(_Pooling):
    """The gradient of a max pool: each window's goes to all of its maxima.

    Called with the images, the pool's output, and the output's gradient.
    Parameters are those of :class:`Pool2d`, without ``mode``.
    """

    def make_node(self, images: Any, maxima: Any, gradient: Any) -> Apply:
        images, maxima, gradient = _alike(images, maxima, gradient)
        out = TensorType(gradient.type.dtype, shape=images.type.shape)()
        return Apply(self, [images, maxima, gradient], [out])

    def perform(self, node, inputs, output_storage):
        images, maxima, gradient = inputs
        _check_pooled(images.shape, maxima.shape, self.geometry)
        _check_pooled(images.shape, gradient.shape, self.geometry)
        output_storage[0][0] = pool_max_scatter(images, maxima, gradient, self.geometry)

    def infer_shape(self, *arguments):
        return [arguments[-1][0]]

    def pullback(self, inputs, outputs, cotangents):
        images, maxima, gradient = inputs
        (values,) = cotangents
        gather = self._with_same_parameters(MaxPool2dGradGrad)
        return [
            cast_like(pt.zeros_like(images), images),
            cast_like(pt.zeros_like(maxima), maxima),
            cast_like(gather(images, maxima, values), gradient),
        ]

    def pushforward(self, inputs, outputs, tangents):
        return _linear_in_third(self, inputs, tangents)

    def _with_same_parameters(self, op_type):
        return op_type(self.ws, self.ignore_border, self.stride, self.pad)


class MaxPool2dGradGrad(_Pooling):
    """Sum, in each window, values at the positions of the maxima.

    Called with the images, their max pool, and values shaped like the images.
    The adjoint of :class:`MaxPool2dGrad`: its gradient with respect to the
    gradient it is given; also the derivative of a max pool in a direction.
    Parameters are those of :class:`Pool2d`, without ``mode``.
    """

    def make_node(self, images: Any, maxima: Any, values: Any) -> Apply:
        images, maxima, values = _alike(images, maxima, values)
        out = TensorType(values.type.dtype, shape=maxima.type.shape)()
        return Apply(self, [images, maxima, values], [out])

    def perform(self, node, inputs, output_storage):
        images, maxima, values = inputs
        _check_pooled(images.shape, maxima.shape, self.geometry)
        if images.shape != values.shape:
            raise ValueError(
                f"values of shape {values.shape} do not fit images of shape "
                f"{images.shape}; they must be shaped alike"
            )
        output_storage[0][0] = pool_max_gather(images, maxima, values, self.geometry)

    def infer_shape(self, *arguments):
        return [arguments[-1][1]]

    def pullback(self, inputs, outputs, cotangents):
        images, maxima, values = inputs
        (gradient,) = cotangents
        windows = (self.ws, self.ignore_border, self.stride, self.pad)
        scatter = MaxPool2dGrad(*windows)
        return [
            cast_like(pt.zeros_like(images), images),
            cast_like(pt.zeros_like(maxima), maxima),
            cast_like(scatter(images, maxima, gradient), values),
        ]

    def pushforward(self, inputs, outputs, tangents):
        return _linear_in_third(self, inputs, tangents)


class AveragePool2dGrad(_Pooling):
    """The gradient of a sum or average pool.

    Called with the output's gradient and the images' (rows, columns) as a vector
    of integers. Parameters are those of :class:`Pool2d`, ``mode`` not ``'max'``.
    """

    __props__ = (*_Pooling.__props__, "mode")

    def __init__(
        self,
        ws: Any,
        ignore_border: bool = True,
        stride: Any = None,
        pad: Any = (0, 0),
        mode: str = "average_inc_pad",
    ):
        super().__init__(ws, ignore_border, stride, pad)
        self.mode = _checked_mode(mode, MODES[1:])

    def make_node(self, gradient: Any, image_size: Any) -> Apply:
        gradient = pt.as_tensor_variable(gradient)
        as_images(max(gradient.type.ndim, 2), gradient, "the output's gradient")
        image_size = as_size(image_size, "the images' size")
        shape = (*gradient.type.shape[:-2], *static_size(image_size))
        out = TensorType(gradient.type.dtype, shape=shape)()
        return Apply(self, [gradient, image_size], [out])

    def perform(self, node, inputs, output_storage):
        gradient, (rows, columns) = inputs
        size = (int(rows), int(columns))
        _check_pooled((*gradient.shape[:-2], *size), gradient.shape, self.geometry)
        output_storage[0][0] = pool_sum_scatter(
            gradient, size, self.geometry, self.mode
        )

    def infer_shape(self, *arguments):
        node, (gradient_shape, _) = arguments[-2:]
        rows, columns = node.inputs[1][0], node.inputs[1][1]
        return [(*gradient_shape[:-2], rows, columns)]

    def connection_pattern(self, node):
        return [[True], [False]]

    def pullback(self, inputs, outputs, cotangents):
        gradient, _ = inputs
        forward = Pool2d(self.ws, self.ignore_border, self.stride, self.pad, self.mode)
        return [cast_like(forward(cotangents[0]), gradient), disconnected_type()]

    def pushforward(self, inputs, outputs, tangents):
        if isinstance(tangents[0].type, DisconnectedType):
            return [disconnected_type()]
        return [self(tangents[0], inputs[1])]


def pool_2d(
    input: Any,
    ws: Any,
    ignore_border: bool = True,
    stride: Any = None,
    pad: Any = (0, 0),
    mode: str = "max",
) -> Variable:
    """Pool the last two axes of ``input``, a tensor of at least two, symbolically.

    The parameters, and what is raised, are those of :class:`Pool2d`. Of ``n``
    rows with ``p`` rows of pad it leaves ``(n + 2*p - ws) // stride + 1``;
    without ``ignore_border`` ``(n - 1) // stride + 1`` if the windows do not
    overlap, else ``max(0, (n - 1 - ws + stride) // stride) + 1``.

    Where ``ws``, ``stride`` or ``pad`` is, or holds, a variable that is not constant,
    it is the graph's to say, and no size is known before it runs.
    """
    stride = ws if stride is None else stride
    pad = (0, 0) if pad is None else pad
    if any(map(_is_symbolic, (ws, stride, pad))):
        return SymbolicPool2d(ignore_border, mode)(
            input, *map(_as_vector, (ws, stride, pad))
        )
    return Pool2d(ws, ignore_border, stride, pad, mode)(input)


def _is_symbolic(value: Any) -> bool:
    entries = value if isinstance(value, (tuple, list)) else (value,)
    return any(
        isinstance(entry, Variable) and not isinstance(entry, Constant)
        for entry in entries
    )


def _as_vector(value: Any) -> Variable:
    """A vector of two sizes; one stands for both."""
    if isinstance(value, Variable) and value.type.ndim == 1:
        return value
    entries = value if isinstance(value, (tuple, list)) else (value, value)
    return size_vector(*entries)


def _alike(*variables: Any) -> list[Any]:
    """Tensors of one number of axes, at least two."""
    tensors = [pt.as_tensor_variable(v) for v in variables]
    ndim = max(2, tensors[0].type.ndim)
    names = ("images", "pooled images", "gradients")
    return [as_images(ndim, t, name) for t, name in zip(tensors, names, strict=True)]


def _linear_in_third(
    op: Op, inputs: Sequence[Variable], tangents: Sequence[Variable]
) -> list[Variable]:
    """The derivative of an Op that is linear in its third input, and constant
    almost everywhere in the others.
    """
    if isinstance(tangents[2].type, DisconnectedType):
        return [disconnected_type()]
    return [op(inputs[0], inputs[1], tangents[2])]


def _checked_mode(mode: str, modes: Sequence[str]) -> str:
    if mode not in modes:
        raise ValueError(f"mode is {mode!r}; it must be one of {', '.join(modes)}")
    return mode


def _check_pooled(
    image_shape: tuple[int, ...], shape: tuple[int, ...], geometry: Pool
) -> None:
    expected = (*image_shape[:-2], *geometry.output_size(image_shape[-2:]))
    if shape != expected:
        raise ValueError(
            f"an array of shape {shape} does not fit the pool of images of shape "
            f"{image_shape}, which has shape {expected}"
        )
