"""What the Ops' arguments have in common: checks, static sizes, gradients' types."""

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.configdefaults import config
from pytensor.graph.basic import Constant, Variable
from pytensor.tensor.basic import (
    MakeVector,
    get_underlying_scalar_constant_value,
)
from pytensor.tensor.type import complex_dtypes, discrete_dtypes, integer_dtypes

__all__ = [
    "as_images",
    "as_pair",
    "as_size",
    "cast_like",
    "size_vector",
    "shape_vector",
    "spatial_shape",
    "static_shape",
    "static_size",
]


def as_pair(value: Any, name: str, at_least: int = 1) -> tuple[int, int]:
    """Two integers, (vertical, horizontal); one integer stands for both.

    Constants of a graph are integers, too. Raises ``ValueError`` otherwise.
    """
    if isinstance(value, Constant):
        value = value.data
    values = [value, value] if np.ndim(value) == 0 else list(value)
    values = [v.data if isinstance(v, Constant) else v for v in values]
    if (
        len(values) != 2
        or not all(_is_integer(v) for v in values)
        or min(values) < at_least
    ):
        raise ValueError(
            f"{name} is {value!r}; it must be two integers of at least {at_least}, "
            "(vertical, horizontal)"
        )
    return int(values[0]), int(values[1])


def _is_integer(value: Any) -> bool:
    return np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iu"


def as_images(ndim: int, value: Any, name: str) -> Any:
    """A tensor variable of ``ndim`` axes. Raises ``TypeError`` for any other."""
    variable = pt.as_tensor_variable(value)
    if variable.type.ndim != ndim or variable.type.dtype in complex_dtypes:
        raise TypeError(
            f"{name} must be a real tensor of {ndim} axes, got {variable.type}"
        )
    return variable


def as_size(value: Any, name: str) -> Any:
    """A vector variable of two integers. Raises ``TypeError`` for any other."""
    variable = pt.as_tensor_variable(value)
    if variable.type.ndim != 1 or variable.type.dtype not in integer_dtypes:
        raise TypeError(
            f"{name} must be a vector of integers, (rows, columns), got {variable.type}"
        )
    return variable


def size_vector(rows: Any, columns: Any) -> Any:
    """A vector variable of two sizes, integers or scalar variables."""
    sizes = [s.data if isinstance(s, Constant) else s for s in (rows, columns)]
    if not any(isinstance(s, Variable) for s in sizes):
        return pt.constant(np.asarray(sizes, dtype="int64"))
    return MakeVector("int64")(
        *(
            pt.cast(s, "int64")
            if isinstance(s, Variable)
            else pt.constant(np.asarray(s, dtype="int64"))
            for s in sizes
        )
    )


def shape_vector(shape: Any) -> Any:
    """A shape as a vector variable of integers. Raises ``TypeError`` otherwise."""
    if isinstance(shape, tuple | list) and len(shape) == 0:
        return pt.constant(np.zeros(0, dtype="int64"))
    vector = pt.as_tensor_variable(shape, ndim=1)
    if vector.type.ndim != 1 or vector.type.dtype not in integer_dtypes:
        raise TypeError(f"a shape must be a vector of integers, got {vector.type}")
    return vector


def static_shape(shape: Variable, ndim: int) -> tuple[int | None, ...]:
    """What a graph tells of ``shape``, a vector of ``ndim`` integers."""
    entries: list[Any] = [None] * ndim
    if isinstance(shape, Constant):
        entries = list(shape.data)
    elif shape.owner is not None and isinstance(shape.owner.op, MakeVector):
        entries = [
            get_underlying_scalar_constant_value(entry, raise_not_constant=False)
            for entry in shape.owner.inputs
        ]
        entries = [None if isinstance(e, Variable) else e for e in entries]
    if len(entries) != ndim:
        raise ValueError(
            f"a shape of {len(entries)} sizes is that of no tensor of {ndim} axes"
        )
    return tuple(None if entry is None else int(entry) for entry in entries)


def static_size(size: Variable) -> tuple[int | None, int | None]:
    """What a graph tells of ``size``, a vector of two integers."""
    if isinstance(size, Constant):
        rows, columns = size.data
        return int(rows), int(columns)
    if size.owner is not None and isinstance(size.owner.op, MakeVector):
        rows, columns = (
            int(entry.data) if isinstance(entry, Constant) else None
            for entry in size.owner.inputs
        )
        return rows, columns
    return None, None


def spatial_shape(images: Any) -> Any:
    """The last two sizes of a tensor, as a vector; constant where known."""
    ndim, known = images.type.ndim, images.type.shape
    rows, columns = (
        images.shape[axis] if known[axis] is None else known[axis]
        for axis in (ndim - 2, ndim - 1)
    )
    return size_vector(rows, columns)


def cast_like(gradient: Any, variable: Any) -> Any:
    """A gradient in the dtype of what it is the gradient of; none of integers."""
    dtype = variable.type.dtype
    if dtype in discrete_dtypes:
        return pt.zeros_like(variable, dtype=config.floatX)
    return gradient if gradient.type.dtype == dtype else gradient.astype(dtype)
