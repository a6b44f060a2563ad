"""Products of matrices, with bias and rectifier, and their gradients: compiled.

A dense layer's output is ``rectify(x @ w + b)``; its gradients are the products
``x.T @ d`` and ``d @ w.T`` with ``d``, the gradient before the rectifier. Results
do not depend on the number of threads, bit for bit: every number of a product is
summed by one thread, in the order of the matrices' rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from pytensor_nnet.kernels.llvm import ir, threads
from pytensor_nnet.kernels.llvm.compiler import CPU, compile_function, host
from pytensor_nnet.kernels.llvm.ir import Function, Value, vector
from pytensor_nnet.kernels.llvm.memory import address, empty
from pytensor_nnet.kernels.llvm.transposition import transpose

__all__ = [
    "Product",
    "differentiate",
    "generate_product",
    "multiply",
    "product_kernel",
]

Array = np.ndarray[Any, Any]

_ELEMENTS = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
_SMALL_TASK = 1 << 18
_UNROLLED = 2
_PANEL_VECTORS = 2


@dataclass(frozen=True)
class Product:
    """What a product ``out[i, j] = sum(a[i, t] * b[t, j])`` is generated for.

    Parameters
    ----------
    element : {'float', 'double'}
    columns : int
        Of ``b`` and the output, both in C order.
    row_step, tap_step : int
        From a number of ``a`` to that of the next row, and of the next column.
    has_bias : bool
        Whether a number is added for each column.
    slope : float or None
        Of the rectifier, below zero; ``None``: there is none.
    keeps_mask : bool
        Whether to write, besides, 1 where the output before the rectifier is not
        negative, else 0.
    """

    element: str
    columns: int
    row_step: int
    tap_step: int
    has_bias: bool = False
    slope: float | None = None
    keeps_mask: bool = False


def multiply(
    a: Array,
    b: Array,
    bias: Array | None = None,
    slope: float | None = None,
    keeps_mask: bool = False,
) -> tuple[Array, Array | None]:
    """``rectify(a @ b + bias)`` and, if it is kept, the mask (integers).

    Matrices of one type, float32 or float64, in any layout.
    """
    rows, taps = a.shape
    columns = b.shape[1]
    itemsize = a.itemsize
    if not b.flags.c_contiguous:
        b = _in_c_order(b)
    steps = [stride // itemsize for stride in a.strides]
    if min(steps) < 1 or a.strides != tuple(step * itemsize for step in steps):
        a = np.ascontiguousarray(a)
        steps = [taps, 1]
    out = empty((rows, columns), a.dtype)
    mask = empty((rows, columns), np.uint8) if keeps_mask else None
    if bias is not None:
        bias = np.ascontiguousarray(bias)
    if not out.size:
        return out, mask
    product = Product(
        _ELEMENTS[a.dtype], columns, *steps, bias is not None, slope, keeps_mask
    )
    addresses = (
        address(a),
        address(b),
        0 if bias is None else address(bias),
        address(out),
        0 if mask is None else address(mask),
    )
    height = _tile_rows(host())
    groups = -(-columns // _panel_columns(product, host()))
    tasks = max(1, min(4 * threads.threads(), rows * columns * taps // _SMALL_TASK))
    of_groups = _spans(groups, 1, tasks)
    of_rows = _spans(rows, height, tasks // len(of_groups))
    spans = [(*some, *others) for some in of_groups for others in of_rows]
    panels = empty((len(spans), taps, _panel_columns(product, host())), a.dtype)
    threads.run(
        product_kernel(product),
        [
            (*addresses, address(panel), taps, *span)
            for panel, span in zip(panels, spans, strict=True)
        ],
    )
    return out, mask


def differentiate(
    gradient: Array, out: Array, mask: Array, slope: float, at_zero: float
) -> tuple[Array, Array]:
    """The gradient before a rectifier, and the sum of its rows.

    ``out`` and ``mask`` are what :func:`multiply` gave, ``at_zero`` is the
    rectifier's derivative there.
    """
    gradient, out = np.ascontiguousarray(gradient), np.ascontiguousarray(out)
    result = empty(gradient.shape, gradient.dtype)
    total = empty(gradient.shape[1:], gradient.dtype)
    kernel = _differentiation(_ELEMENTS[gradient.dtype], float(slope))
    kernel(
        *(address(x) for x in (gradient, out, mask, result, total)),
        *gradient.shape,
        at_zero,
    )
    return result, total


@cache
def _differentiation(element: str, slope: float) -> Callable[..., None]:
    """The kernel of :func:`differentiate`: a vector of columns at a time."""
    function = Function(
        "differentiation",
        {
            **{name: f"{element}*" for name in ("gradient", "out")},
            "mask": "i8*",
            **{name: f"{element}*" for name in ("result", "total")},
            "rows": "i64",
            "columns": "i64",
            "at_zero": element,
        },
    )
    gradient, out, mask, result, total, rows, columns, at_zero = (
        function.arguments.values()
    )

    def column(start: Value, lanes: int) -> None:
        one = element if lanes == 0 else vector(lanes, element)
        derivative = at_zero if lanes == 0 else at_zero.splat(lanes)
        total_here = function.variable(one, 0)
        with function.loop(0, rows) as row:
            place = row * columns + start
            given, y = gradient[place].load(lanes), out[place].load(lanes)
            found = y.compare("oeq", 0).select(given * derivative, given)
            if slope:
                found = y.compare("olt", 0).select(given * slope, found)
            else:
                found = mask[place].load(lanes).compare("ne", 0).select(found, 0)
            result[place].store(found)
            total_here.set(total_here.get() + found)
        total[start].store(total_here.get())

    lanes = host().lanes(element)
    whole = columns - columns % lanes
    with function.loop(0, whole, lanes) as start:
        column(start, lanes)
    with function.loop(whole, columns) as start:
        column(start, 0)
    return compile_function(function)


def _spans(length: int, unit: int, parts: int) -> list[tuple[int, int]]:
    """``range(length)`` in so many parts, or fewer, of whole units but the last."""
    units = -(-length // unit)
    parts = max(1, min(parts, units))
    ends = [min(length, unit * (units * part // parts)) for part in range(parts + 1)]
    return list(zip(ends, ends[1:], strict=False))


def _in_c_order(matrix: Array) -> Array:
    if matrix.flags.f_contiguous:
        return transpose(matrix.T[None])[0]
    return np.ascontiguousarray(matrix)


def _tile_rows(cpu: CPU) -> int:
    return cpu.registers // 4


@cache
def product_kernel(product: Product) -> Callable[..., None]:
    """``kernel(a, b, bias, out, mask, panel, taps, first_group, last_group, first,
    last)``: groups of :func:`_panel_columns` columns of the output and, of these,
    rows from ``first`` up to ``last``. ``panel`` is memory to work with, for a
    group's part of ``b``.
    """
    return compile_function(generate_product(product, host()))


def generate_product(product: Product, cpu: CPU) -> Function:
    """The kernel of :func:`product_kernel`, not compiled."""
    element = f"{product.element}*"
    function = Function(
        "product",
        {
            "a": element,
            "b": element,
            "bias": element,
            "out": element,
            "mask": "i8*",
            "panel": element,
            "taps": "i64",
            "first_group": "i64",
            "last_group": "i64",
            "first": "i64",
            "last": "i64",
        },
    )
    lanes = cpu.lanes(product.element)
    vectors = -(-product.columns // lanes)
    tail = product.columns % lanes
    first, last = function.arguments["first"], function.arguments["last"]
    height = _tile_rows(cpu)
    whole = first + (last - first) // height * height

    depth = min(_PANEL_VECTORS, vectors)
    wide = depth * lanes
    panel = function.arguments["panel"]

    def group(index: Value, depth: int, tail: int) -> None:
        column = index * wide
        source = function.arguments["b"][column]
        with function.when(whole.compare("sgt", first)):
            _copy_panel(function, product, lanes, source, depth, tail)
            with function.loop(first, whole, height) as row:
                tile = _Tile(row, column, height, depth, tail)
                _sum(function, product, lanes, tile, panel, depth * lanes, 0)
        with function.loop(whole, last) as row:
            tile = _Tile(row, column, 1, depth, tail)
            _sum(function, product, lanes, tile, source, product.columns, tail)

    full = product.columns // wide
    first_group = function.arguments["first_group"]
    last_group = function.arguments["last_group"]
    if full:
        end = last_group.compare("slt", full).select(last_group, full)
        with function.loop(first_group, end) as index:
            group(index, depth, 0)
    if rest := vectors - full * depth:
        with function.when(last_group.compare("sgt", full)):
            group(function.integer(full), rest, tail)
    return function


def _copy_panel(
    function: Function,
    product: Product,
    lanes: int,
    source: ir.Array,
    depth: int,
    tail: int,
) -> None:
    """A group's columns, so that they lie side by side."""
    panel = function.arguments["panel"]
    with function.loop(0, function.arguments["taps"]) as tap:
        for v in range(depth):
            line = source[tap * product.columns + v * lanes]
            numbers = line.load(lanes, tail if v == depth - 1 else 0)
            panel[tap * (depth * lanes) + v * lanes].store(numbers)


def _panel_columns(product: Product, cpu: CPU) -> int:
    return _PANEL_VECTORS * cpu.lanes(product.element)


@dataclass
class _Tile:
    """``height`` rows, ``depth`` vectors of columns, the last cut to ``tail``."""

    row: Value
    column: Value
    height: int
    depth: int
    tail: int


def _sum(
    function: Function,
    product: Product,
    lanes: int,
    tile: _Tile,
    panel: ir.Array,
    pitch: int,
    panel_tail: int,
) -> None:
    """A tile of the output, summed in registers.

    ``panel`` holds its columns, ``pitch`` numbers a tap.
    """
    type_ = vector(lanes, product.element)
    arguments = function.arguments
    depth, height = tile.depth, tile.height
    last = depth - 1
    sums = [[function.variable(type_, 0) for _ in range(depth)] for _ in range(height)]
    corner = arguments["a"][tile.row * product.row_step]

    def tap(index: Value) -> None:
        numbers = corner[index * product.tap_step]
        line = panel[index * pitch]
        weights = [
            line[v * lanes].load(lanes, panel_tail if v == last else 0)
            for v in range(depth)
        ]
        for i, of_row in enumerate(sums):
            number = numbers[i * product.row_step].load_all(lanes)
            for one, weight in zip(of_row, weights, strict=True):
                one.set(function.multiply_add(number, weight, one.get()))

    taps = arguments["taps"]
    even = taps - taps % _UNROLLED
    with function.loop(0, even, _UNROLLED) as index:
        for step in range(_UNROLLED):
            tap(index + step)
    with function.loop(even, taps) as index:
        tap(index)
    place = tile.row * product.columns + tile.column
    out, mask = arguments["out"][place], arguments["mask"][place]
    for v in range(depth):
        cut = tile.tail if v == last else 0
        shift = None
        if product.has_bias:
            shift = arguments["bias"][tile.column][v * lanes].load(lanes, cut)
        for i, of_row in enumerate(sums):
            value = of_row[v].get()
            if shift is not None:
                value = value + shift
            here = i * product.columns + v * lanes
            if product.keeps_mask:
                bits = value.compare("uge", 0).convert("zext", vector(lanes, "i8"))
                mask[here].store(bits, cut)
            if product.slope is not None:
                below = value * product.slope if product.slope else 0
                value = value.compare("ugt", 0).select(value, below)
            out[here].store(value, cut)
