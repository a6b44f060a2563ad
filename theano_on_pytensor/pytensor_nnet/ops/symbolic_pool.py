"""Two-dimensional pooling whose windows are known only when the graph runs.

The rules are those of :class:`pytensor_nnet.ops.pool.Pool2d`.
"""

from typing import Any

import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from pytensor_nnet.kernels.pooling import (
    MODES,
    Pool,
    pool,
    pool_max_scatter,
    pool_sum_scatter,
)
from pytensor_nnet.ops.arguments import as_images, as_size, cast_like

__all__ = ["SymbolicPool2d", "SymbolicPool2dGrad"]


class _SymbolicPooling(Op):
    """What the two share: the mode, and the windows as their last three inputs.

    These are vectors of two integers: the window, the steps between windows, the pad.
    """

    __props__ = ("ignore_border", "mode")

    def __init__(self, ignore_border: bool = True, mode: str = "max"):
        self.ignore_border = bool(ignore_border)
        self.mode = mode
        if mode not in MODES:
            raise ValueError(f"mode is {mode!r}; it must be one of {', '.join(MODES)}")

    def _geometry(self, *vectors: Any) -> Pool:
        window, stride, pad = (tuple(vector.tolist()) for vector in vectors)
        for name, pair, least in (
            ("window", window, 1),
            ("stride", stride, 1),
            ("pad", pad, 0),
        ):
            if len(pair) != 2 or min(pair) < least:
                raise ValueError(
                    f"the {name} of a pool is {pair}; it must be two integers of at "
                    f"least {least}, (vertical, horizontal)"
                )
        if any(p >= w for p, w in zip(pad, window, strict=True)) or (
            any(pad) and not self.ignore_border
        ):
            raise ValueError(
                f"the pad of a pool is {pad}; it must be smaller than the window, "
                f"{window}, and works only with ignore_border=True"
            )
        return Pool(window, stride, pad, self.ignore_border)

    def connection_pattern(self, node):
        *tensors, _, _, _ = node.inputs
        return [[True]] * len(tensors) + [[False]] * 3


class SymbolicPool2d(_SymbolicPooling):
    """Pool the last two axes of a tensor.

    Called with the images, the window, the steps between windows and the pad, each
    of the three a vector of two integers.
    """

    def make_node(self, images: Any, window: Any, stride: Any, pad: Any) -> Apply:
        images = pt.as_tensor_variable(images)
        as_images(max(images.type.ndim, 2), images, "the input of a pool")
        vectors = [
            as_size(vector, f"the {name} of a pool")
            for name, vector in (("window", window), ("stride", stride), ("pad", pad))
        ]
        shape = (*images.type.shape[:-2], None, None)
        out = TensorType(images.type.dtype, shape=shape)()
        return Apply(self, [images, *vectors], [out])

    def perform(self, node, inputs, output_storage):
        images, *vectors = inputs
        output_storage[0][0] = pool(images, self._geometry(*vectors), self.mode)

    def pullback(self, inputs, outputs, cotangents):
        images, *vectors = inputs
        op = SymbolicPool2dGrad(self.ignore_border, self.mode)
        gradient = op(images, outputs[0], cotangents[0], *vectors)
        return [cast_like(gradient, images), *(disconnected_type() for _ in vectors)]


class SymbolicPool2dGrad(_SymbolicPooling):
    """The gradient of :class:`SymbolicPool2d` with respect to the images.

    Called with the images, the pool's output, the output's gradient, the window, the
    steps and the pad.
    """

    def make_node(self, images: Any, out: Any, gradient: Any, *vectors: Any) -> Apply:
        dtype = gradient.type.dtype
        result = TensorType(dtype, shape=images.type.shape)()
        return Apply(self, [images, out, gradient, *vectors], [result])

    def perform(self, node, inputs, output_storage):
        images, out, gradient, *vectors = inputs
        geometry = self._geometry(*vectors)
        output_storage[0][0] = (
            pool_max_scatter(images, out, gradient, geometry)
            if self.mode == "max"
            else pool_sum_scatter(gradient, images.shape[-2:], geometry, self.mode)
        )

    def infer_shape(self, *arguments):
        return [arguments[-1][0]]
