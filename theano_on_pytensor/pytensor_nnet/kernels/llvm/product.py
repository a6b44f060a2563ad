"""Products of matrices, with bias and rectifier, and their gradients: compiled.

A dense layer's output is ``rectify(x @ w + b)``; its gradients are the products
``x.T @ d`` and ``d @ w.T`` with ``d``, the gradient before the rectifier. Results
do not depend on the number of threads, bit for bit: every number of a product is
summed by one thread, in the order of the taps.
"""

from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.compiler import Kernel, compile_function, host
from pytensor_nnet.kernels.llvm.ir import Function, Value, vector
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.memory import address
from pytensor_nnet.kernels.llvm.panels import Panels, product_kernel

__all__ = ["add_derivative", "add_product", "add_sum"]

Array = np.ndarray[Any, Any]

_ELEMENTS = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
# Multiply-adds below which a second thread is not worth waking.
_SMALL_TASK = 1 << 20
# Rows below which a task is not split: those of a tile.
_FEW_ROWS = 6


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
    return _Plan(
        product_kernel(described),
        _split(rows, described.columns, described.count(cpu), parts),
        -(-described.scratch(cpu) // 64) * 64,
    )


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


def _split(
    rows: int, columns: int, panels: int, parts: int
) -> list[tuple[int, int, int, int]]:
    """Rows and panels in so many parts, or fewer: ``(first row, last row, first
    panel, last panel)``.

    Each part of the rows copies the panels anew, each part of the panels lists the
    rows anew: of the ways to split, the one that does so least.
    """
    parts = max(1, parts)
    ways = [
        (min(by_rows, -(-rows // _FEW_ROWS)), min(-(-parts // by_rows), panels))
        for by_rows in range(1, parts + 1)
    ]
    most = min(parts, max(n * m for n, m in ways))
    n, m = min(
        (way for way in ways if way[0] * way[1] >= most),
        key=lambda way: way[0] * columns + way[1] * rows,
    )
    return [
        (rows * i // n, rows * (i + 1) // n, panels * j // m, panels * (j + 1) // m)
        for i in range(n)
        for j in range(m)
    ]


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
    total, total_at = launch.allocate(gradient.shape[1:], gradient.dtype)
    kernel = _differentiation(_ELEMENTS[gradient.dtype], float(slope))
    places = (*map(address, arrays), result_at, total_at)
    launch.add(kernel, [(*places, *gradient.shape, at_zero)])
    return result, total


def add_sum(launch: Launch, matrix: Array) -> Array:
    """The sum of the rows: what a launch will fill."""
    place = address(launch.in_order(matrix))
    total, total_at = launch.allocate(matrix.shape[1:], matrix.dtype)
    kernel = _differentiation(_ELEMENTS[matrix.dtype], None)
    launch.add(kernel, [(place, 0, 0, 0, total_at, *matrix.shape, 1.0)])
    return total


@cache
def _differentiation(element: str, slope: float | None) -> Kernel:
    """The kernel of :func:`add_derivative` or, without a slope, :func:`add_sum`: a
    few vectors of columns at a time.
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
        },
    )
    gradient, out, mask, result, total, rows, columns, at_zero = (
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
    begin = function.integer(0)
    for step, count in ((4 * lanes, 4), (lanes, 1), (1, 1)):
        end = columns - columns % step
        with function.loop(begin, end, step) as start:
            strip(start, lanes if step > 1 else 0, count)
        begin = end
    return compile_function(function)
