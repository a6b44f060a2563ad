"""Products of matrices, with bias and rectifier, and their gradients: compiled.

A dense layer's output is ``rectify(x @ w + b)``; its gradients are the products
``x.T @ d`` and ``d @ w.T`` with ``d``, the gradient before the rectifier. Results
do not depend on the number of threads, bit for bit: every number of a product is
summed by one thread, in the order of the taps.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.compiler import Kernel, compile_function, host
from pytensor_nnet.kernels.llvm.ir import Function, Value, vector
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.layer import round_up
from pytensor_nnet.kernels.llvm.memory import address
from pytensor_nnet.kernels.llvm.panels import Panels, product_kernel

__all__ = ["add_derivative", "add_factors", "add_product", "add_sum"]

Array = np.ndarray[Any, Any]

_ELEMENTS = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
# Multiply-adds below which a second thread is not worth waking, and numbers whose sum
# takes as long.
_SMALL_TASK = 1 << 17
_SMALL_SUM = 1 << 13
# Vectors of columns that are summed together.
_ABREAST = 4
# Rows below which a task is not split: those of a tile.
_FEW_ROWS = 6
# Multiply-adds that take as long as to copy a number of a panel, and to list one; and
# what share of a product's time such things may take for it to be in smaller parts.
_COPY, _LIST = 5, 16
_SMALL_COST = 0.015


def add_product(
    launch: Launch,
    a: Array,
    b: Array,
    bias: Array | None = None,
    slope: float | None = None,
    keeps_mask: bool = False,
    order: Array | None = None,
    ordered: str | None = None,
) -> tuple[Array, Array | None]:
    """``rectify(a @ b + bias)`` and, if it is kept, the mask, in C order: what a
    launch will fill.

    Parameters
    ----------
    launch : Launch
    a, b : array
        Matrices of one type, float32 or float64, in any layout.
    bias : array, optional
    slope : float, optional
        Of the rectifier, below zero; ``None``: there is none.
    keeps_mask : bool
        Whether a rectifier has a mask: 1 where the output is not negative before
        it, else 0.
    order : array of int32, optional
        It must not change.
    ordered : {'taps', 'columns', 'rows'}, optional
        ``order[i]`` is the row of ``b``, as it lies in memory, that the tap or the
        column ``i`` stands for; or the row of the output for the row ``i`` of ``a``.
    """
    (rows, taps), columns = a.shape, b.shape[1]
    if order is None:
        ordered = None
    a, a_turned = _laid_out(launch, a)
    b, b_turned = _laid_out(launch, b, {"taps": "C", "columns": "F"}.get(ordered))
    out, out_at = launch.allocate((rows, columns), a.dtype)
    mask, mask_at = None, 0
    if keeps_mask and slope is not None:
        mask, mask_at = launch.allocate(out.shape, np.uint8)
    if not out.size:
        return out, mask
    panels = (_ELEMENTS[a.dtype], columns, a_turned, b_turned, ordered, slope)
    kernel, spans, size = _plan(rows, taps, threads.threads(), panels)
    scratch = launch.scratch(size * len(spans))
    arguments = (
        *(address(a), address(b)),
        0 if bias is None else address(launch.in_order(bias)),
        *(out_at, mask_at, 0 if order is None else launch.constant(order)),
    )
    launch.add(
        kernel,
        [
            (*arguments, scratch + size * i, rows, taps, *span)
            for i, span in enumerate(spans)
        ],
    )
    return out, mask


class _Plan(NamedTuple):
    """The kernel of a product, what it is called for, and the bytes that each call
    needs to work with.
    """

    kernel: Kernel
    spans: list[tuple[int, int, int, int]]
    scratch: int


@lru_cache(1024)
def _plan(rows: int, taps: int, n_threads: int, panels: tuple[Any, ...]) -> _Plan:
    described, cpu = Panels(*panels), host()
    parts = min(n_threads, rows * taps * described.columns // _SMALL_TASK)
    size = rows, described.columns, described.count(cpu)
    spans = _split(*size, parts)
    if parts > 1:
        smaller = _split(*size, 2 * parts, threads.shares)
        if _cost(*size, smaller) <= _cost(*size, spans) + _SMALL_COST:
            spans = smaller
    return _Plan(product_kernel(described), spans, round_up(described.scratch(cpu), 64))


def _laid_out(
    launch: Launch, matrix: Array, wanted: str | None = None
) -> tuple[Array, bool]:
    """The matrix, or a copy, and whether it is its transpose that is in C order.

    ``wanted`` is ``'C'`` or ``'F'`` where only that order will do.
    """
    if wanted is None:
        turned = matrix.flags.f_contiguous and not matrix.flags.c_contiguous
        wanted = "F" if turned else "C"
    return launch.in_order(matrix, wanted), wanted == "F"


_Span = tuple[int, int, int, int]


def _split(
    rows: int,
    columns: int,
    panels: int,
    parts: int,
    divide: Callable[[int, int], list[tuple[int, int]]] = threads.spans,
) -> list[_Span]:
    """Rows and panels in so many parts, or fewer: ``(first row, last row, first
    panel, last panel)``.

    Each part of the rows copies the panels anew, each part of the panels lists the
    rows anew: of the ways to split, the one that does so least. ``divide`` is one of
    :func:`threads.spans` and :func:`threads.shares`.
    """
    parts = max(1, parts)
    ways = [
        (min(by_rows, -(-rows // _FEW_ROWS)), min(-(-parts // by_rows), panels))
        for by_rows in range(1, parts + 1)
    ]
    most = min(parts, max(n * m for n, m in ways))
    return min(
        (
            [
                (*of_rows, *of_panels)
                for of_rows in divide(rows, n)
                for of_panels in threads.spans(panels, m)
            ]
            for n, m in ways
            if n * m >= most
        ),
        key=lambda spans: _cost(rows, columns, panels, spans),
    )


def _cost(rows: int, columns: int, panels: int, spans: list[_Span]) -> float:
    """What the parts take to copy panels and to list rows, over what the product
    takes.
    """
    copied = sum(last - first for _, _, first, last in spans) * columns / panels
    listed = sum(last - first for first, last, _, _ in spans)
    return (_COPY * copied + _LIST * listed) / (rows * columns)


def add_factors(
    launch: Launch,
    a: Array,
    b: Array,
    gradient: Array,
    order: Array | None = None,
    to_a: bool = True,
) -> tuple[Array | None, Array]:
    """The gradients of the factors of ``a @ b``: what a launch will fill.

    ``order[i]``, an array of int32 that must not change, is the row of ``b`` that
    the column ``i`` of ``a`` stands for. Without ``to_a`` there is no gradient of
    ``a``.
    """
    given = None
    with launch.at_once(gradient.size * len(b) >= _SMALL_TASK):
        if to_a:
            given, _ = add_product(
                launch, gradient, b.T, order=order, ordered="columns"
            )
        to_b, _ = add_product(launch, a.T, gradient, order=order, ordered="rows")
    return given, to_b


def add_derivative(
    launch: Launch,
    gradient: Array,
    out: Array,
    mask: Array,
    slope: float,
    at_zero: float,
) -> tuple[Array, Array]:
    """The gradient before a rectifier, and the sum of its rows: what a launch will
    fill.

    ``out`` and ``mask`` are what :func:`add_product` gave, ``at_zero`` is the
    rectifier's derivative there.
    """
    arrays = [launch.in_order(array) for array in (gradient, out, mask)]
    result, result_at = launch.allocate(gradient.shape, gradient.dtype)
    places = (*map(address, arrays), result_at)
    return result, _add_total(launch, gradient, places, float(slope), at_zero)


def add_sum(launch: Launch, matrix: Array) -> Array:
    """The sum of the rows: what a launch will fill."""
    places = (address(launch.in_order(matrix)), 0, 0, 0)
    return _add_total(launch, matrix, places, None, 1.0)


def _add_total(
    launch: Launch,
    matrix: Array,
    places: tuple[int, ...],
    slope: float | None,
    at_zero: float,
) -> Array:
    columns = matrix.shape[1]
    total, total_at = launch.allocate((columns,), matrix.dtype)
    step = _ABREAST * host().lanes(_ELEMENTS[matrix.dtype])
    parts = min(threads.threads(), matrix.size // _SMALL_SUM)
    launch.add(
        _differentiation(_ELEMENTS[matrix.dtype], slope),
        [
            (
                *(*places, total_at, *matrix.shape, at_zero),
                *(first * step, min(last * step, columns)),
            )
            for first, last in threads.spans(-(-columns // step), parts)
        ],
    )
    return total


@cache
def _differentiation(element: str, slope: float | None) -> Kernel:
    """The kernel of :func:`add_derivative` or, without a slope, :func:`add_sum`: of
    columns from ``first`` up to ``last``, a few vectors of them at a time.
    """
    function = Function(
        "differentiation",
        {
            **{name: f"{element}*" for name in ("gradient", "out")},
            "mask": "i8*",
            **{name: f"{element}*" for name in ("result", "total")},
            "rows": "i64",
            "columns": "i64",
            "at_zero": element,
            "first": "i64",
            "last": "i64",
        },
    )
    gradient, out, mask, result, total, rows, columns, at_zero, begin, last = (
        function.arguments.values()
    )

    def strip(start: Value, lanes: int, count: int) -> None:
        """``count`` vectors, of single numbers where there are no lanes."""
        one = vector(lanes, element) if lanes else element
        derivative = at_zero.splat(lanes) if lanes else at_zero
        totals = [function.variable(one, 0) for _ in range(count)]
        with function.loop(0, rows) as row:
            for v, of_columns in enumerate(totals):
                place = row * columns + start + v * lanes
                found = gradient[place].load(lanes)
                if slope is not None:
                    y = out[place].load(lanes)
                    found = y.compare("oeq", 0).select(found * derivative, found)
                    if slope:
                        found = y.compare("olt", 0).select(found * slope, found)
                    else:
                        bits = mask[place].load(lanes)
                        found = bits.compare("ne", 0).select(found, 0)
                    result[place].store(found)
                of_columns.set(of_columns.get() + found)
        for v, of_columns in enumerate(totals):
            total[start + v * lanes].store(of_columns.get())

    lanes = host().lanes(element)
    for step, count in ((_ABREAST * lanes, _ABREAST), (lanes, 1), (1, 1)):
        end = last - (last - begin) % step
        with function.loop(begin, end, step) as start:
            strip(start, lanes if step > 1 else 0, count)
        begin = end
    return compile_function(function)
