"""What elementwise expressions are made of: operations, and conversions of types.

Types are NumPy's names. A ``bool`` is a bit while it is in a register.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pytensor_nnet.kernels.llvm import functions
from pytensor_nnet.kernels.llvm.ir import Array, Value, lanes_of, vector

__all__ = ["OPERATIONS", "TYPES", "Operation", "convert", "load", "number", "store"]

TYPES = {
    "float32": "float",
    "float64": "double",
    "bool": "i8",
    **{
        f"{sign}int{bits}": f"i{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
    },
}
"""NumPy's names, and LLVM's of what lies in memory."""


class Operation(NamedTuple):
    """How values become one.

    Parameters
    ----------
    compute : callable
        Takes the kind of the operands' type (NumPy's letter) and the operands.
    cost : int
        In additions, roughly.
    operands : {'result', 'common', 'chosen'}
        What the operands are converted to: the result's type; the type that NumPy
        finds for all of them; for all but the first, which is made a bool, the
        result's.
    kinds : str
        Of types that it is defined for, after that conversion.
    """

    compute: Callable[..., Value]
    cost: int = 1
    operands: str = "result"
    kinds: str = "fiu"


def _alike(x: Value, number: float) -> Value:
    """A number of the type of ``x``."""
    return Value(x.function, x.type, x.function.constant(number, x.type))


def _plain(integer: str, real: str = "") -> Callable[..., Value]:
    """An instruction; integers wrap around."""

    def compute(kind: str, x: Value, y: Value) -> Value:
        name = real if kind == "f" else integer
        return x.function.emit(x.type, f"{name} {x.type} {x.text}, {y.text}")

    return compute


def _relation(name: str) -> Callable[..., Value]:
    """``'lt'``, ... False where there is a NaN, but for ``'ne'``."""

    def compute(kind: str, x: Value, y: Value) -> Value:
        if kind == "f":
            relation = "une" if name == "ne" else f"o{name}"
        elif name in ("eq", "ne"):
            relation = name
        else:
            relation = f"{'s' if kind == 'i' else 'u'}{name}"
        return x.compare(relation, y)

    return compute


_GREATER, _LESS = _relation("gt"), _relation("lt")


def _extreme(relation: Callable[..., Value]) -> Callable[..., Value]:
    """The larger or the smaller; NaN where one is."""

    def compute(kind: str, x: Value, y: Value) -> Value:
        chosen = relation(kind, x, y).select(x, y)
        if kind != "f":
            return chosen
        return x.compare("uno", y).select(x + y, chosen)

    return compute


_MAXIMUM, _MINIMUM = _extreme(_GREATER), _extreme(_LESS)


def _sign(kind: str, x: Value) -> Value:
    zero, one = _alike(x, 0), _alike(x, 1)
    result = _GREATER(kind, x, zero).select(one, zero)
    if kind == "u":
        return result
    result = _LESS(kind, x, zero).select(_alike(x, -1), result)
    return x.compare("uno", x).select(x, result) if kind == "f" else result


def _absolute(kind: str, x: Value) -> Value:
    if kind == "f":
        return x.function.apply("fabs", x)
    if kind == "u":
        return x
    return _LESS(kind, x, _alike(x, 0)).select(_negative(kind, x), x)


def _negative(kind: str, x: Value) -> Value:
    if kind == "f":
        return x.function.emit(x.type, f"fneg {x.type} {x.text}")
    return _plain("sub")(kind, _alike(x, 0), x)


def _intrinsic(name: str) -> Operation:
    return Operation(lambda kind, x: x.function.apply(name, x), kinds="f")


def _of_floats(function: Callable[[Value], Value], cost: int) -> Operation:
    return Operation(lambda kind, x: function(x), cost, kinds="f")


def _round_half_away_from_zero(kind: str, x: Value) -> Value:
    half = x.function.apply("copysign", _alike(x, 0.5), x)
    return x.function.apply("trunc", x + half)


def _invert(kind: str, x: Value) -> Value:
    return x.function.emit(x.type, f"xor {x.type} {x.text}, {_alike(x, -1).text}")


def _clip(kind: str, x: Value, low: Value, high: Value) -> Value:
    return _MINIMUM(kind, _MAXIMUM(kind, x, low), high)


def _is_infinite(kind: str, x: Value) -> Value:
    return x.function.apply("fabs", x).compare("oeq", float("inf"))


_TO_BOOL = {"operands": "common", "kinds": "fiub"}

OPERATIONS: dict[str, Operation] = {
    "abs": Operation(_absolute),
    "add": Operation(_plain("add", "fadd")),
    "and": Operation(_plain("and"), kinds="iub"),
    "ceil": _intrinsic("ceil"),
    "clip": Operation(_clip),
    "divide": Operation(lambda kind, x, y: x / y, 5, kinds="f"),
    "equal": Operation(_relation("eq"), **_TO_BOOL),
    "exp": _of_floats(functions.exp, 15),
    "expm1": _of_floats(functions.expm1, 15),
    "floor": _intrinsic("floor"),
    "greater": Operation(_GREATER, **_TO_BOOL),
    "greater_equal": Operation(_relation("ge"), **_TO_BOOL),
    "identity": Operation(lambda kind, x: x, kinds="fiub"),
    "invert": Operation(_invert, kinds="iub"),
    "isinf": Operation(_is_infinite, operands="common", kinds="f"),
    "isnan": Operation(
        lambda kind, x: x.compare("uno", x), operands="common", kinds="f"
    ),
    "less": Operation(_LESS, **_TO_BOOL),
    "less_equal": Operation(_relation("le"), **_TO_BOOL),
    "log": _of_floats(functions.logarithm, 20),
    "log1p": _of_floats(functions.log1p, 25),
    "maximum": Operation(_MAXIMUM),
    "minimum": Operation(_MINIMUM),
    "multiply": Operation(_plain("mul", "fmul")),
    "negative": Operation(_negative),
    "not_equal": Operation(_relation("ne"), **_TO_BOOL),
    "or": Operation(_plain("or"), kinds="iub"),
    "reciprocal": Operation(lambda kind, x: _alike(x, 1) / x, 5, kinds="f"),
    "round_half_away_from_zero": Operation(_round_half_away_from_zero, kinds="f"),
    "round_half_to_even": _intrinsic("roundeven"),
    "second": Operation(lambda kind, x, y: y, kinds="fiub"),
    "sigmoid": _of_floats(functions.sigmoid, 20),
    "sign": Operation(_sign),
    "softplus": _of_floats(functions.softplus, 40),
    "sqrt": Operation(lambda kind, x: x.function.apply("sqrt", x), 6, kinds="f"),
    "square": Operation(lambda kind, x: _plain("mul", "fmul")(kind, x, x)),
    "subtract": Operation(_plain("sub", "fsub")),
    "switch": Operation(
        lambda kind, condition, x, y: condition.select(x, y),
        operands="chosen",
        kinds="fiub",
    ),
    "tanh": _of_floats(functions.tanh, 25),
    "trunc": _intrinsic("trunc"),
    "xor": Operation(_plain("xor"), kinds="iub"),
}


def _register(dtype: str, lanes: int) -> str:
    """LLVM's type of a value, a vector unless there are 0 lanes."""
    element = "i1" if dtype == "bool" else TYPES[dtype]
    return vector(lanes, element) if lanes else element


def load(array: Array, dtype: str, lanes: int) -> Value:
    """The first numbers of an array, a single one for 0 lanes."""
    value = array.load(lanes)
    return value.compare("ne", 0) if dtype == "bool" else value


def store(array: Array, dtype: str, value: Value) -> None:
    if dtype == "bool":
        lanes = lanes_of(value.type) if value.type.startswith("<") else 0
        value = value.convert("zext", vector(lanes, "i8") if lanes else "i8")
    array.store(value)


def number(function: Any, dtype: str, lanes: int, value: float) -> Value:
    """A constant."""
    type_ = _register(dtype, lanes)
    return Value(function, type_, function.constant(value, type_))


def convert(value: Value, source: str, target: str) -> Value:
    """A value of one type as one of another. What does not fit is the nearest."""
    if source == target:
        return value
    lanes = lanes_of(value.type) if value.type.startswith("<") else 0
    type_ = _register(target, lanes)
    one, other = np.dtype(source), np.dtype(target)
    if other.kind == "b":
        return value.compare("une" if one.kind == "f" else "ne", 0)
    if other.kind == "f":
        if one.kind == "f":
            wider = other.itemsize > one.itemsize
            return value.convert("fpext" if wider else "fptrunc", type_)
        return value.convert("sitofp" if one.kind == "i" else "uitofp", type_)
    if one.kind == "f":
        name = f"llvm.fpto{'s' if other.kind == 'i' else 'u'}i.sat"
        return value.function.conversion(name, value, type_)
    if one.kind != "b" and one.itemsize == other.itemsize:
        return value
    if one.kind == "b" or one.itemsize < other.itemsize:
        return value.convert("sext" if one.kind == "i" else "zext", type_)
    return value.convert("trunc", type_)
