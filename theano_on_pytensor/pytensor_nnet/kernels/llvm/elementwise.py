"""Elementwise expressions over arrays, compiled.

An expression is computed in registers from end to end, so that an optimiser's
update of a parameter and its velocity is one pass over memory. Arrays may be
broadcast and in any order in memory, as long as along one axis all have their
numbers side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.compiler import Kernel, compile_function, host
from pytensor_nnet.kernels.llvm.ir import Array, Function, Value
from pytensor_nnet.kernels.llvm.launch import Launch, Row
from pytensor_nnet.kernels.llvm.memory import address
from pytensor_nnet.kernels.llvm.operations import (
    OPERATIONS,
    TYPES,
    convert,
    load,
    number,
    store,
)

__all__ = ["Expression", "Plan", "Step", "evaluate", "plan"]

Layout = tuple[tuple[int, ...], tuple[int, ...]]

# Work, in additions, below which a second thread is not worth waking.
_SMALL_TASK = 1 << 17
_MOST_AXES = 4
# Numbers that a loop is to be long for at least.
_SHORT = 512


class Step(NamedTuple):
    """An operation, of :data:`~pytensor_nnet.kernels.llvm.operations.OPERATIONS`,
    the registers that it is given, and the result's type.
    """

    operation: str
    sources: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Expression:
    """What is computed of each element.

    Registers are numbered: first the inputs, then ``constants``, then what the
    steps compute.

    Parameters
    ----------
    inputs : tuple of str
        Their types.
    constants : tuple of (float, str)
        Numbers and their types.
    steps : tuple of Step
    results : tuple of int
        The registers that are the outputs.
    """

    inputs: tuple[str, ...]
    constants: tuple[tuple[float, str], ...]
    steps: tuple[Step, ...]
    results: tuple[int, ...]

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The types of all registers."""
        return (
            *self.inputs,
            *(dtype for _, dtype in self.constants),
            *(step.dtype for step in self.steps),
        )

    @property
    def out_dtypes(self) -> tuple[str, ...]:
        return tuple(self.dtypes[register] for register in self.results)

    @property
    def cost(self) -> int:
        """Of an element, in additions."""
        operations = sum(OPERATIONS[step.operation].cost for step in self.steps)
        return operations + len(self.inputs) + len(self.results)

    def is_served(self) -> bool:
        """Whether every operation is defined for the types of its operands."""
        dtypes = self.dtypes
        return set(dtypes) <= TYPES.keys() and all(
            np.dtype(_operand_dtype(step, dtypes)).kind
            in OPERATIONS[step.operation].kinds
            for step in self.steps
        )


def _operand_dtype(step: Step, dtypes: Sequence[str]) -> str:
    """The type that the operands, or all but a condition, are converted to."""
    if OPERATIONS[step.operation].operands == "common":
        return np.result_type(*(dtypes[source] for source in step.sources)).name
    return step.dtype


class Plan:
    """An expression for arrays of certain shapes and strides.

    Made by :func:`plan`.

    Attributes
    ----------
    kernel : Kernel or None
        ``None`` where there is nothing to do.
    repeated : list of (int, int)
        Inputs that are written out first, and how many times.
    """

    def __init__(
        self,
        kernel: Kernel | None,
        table: np.ndarray,
        spans: list[tuple[int, int]],
        outputs: list[tuple[int | None, str, tuple[int, ...], tuple[int, ...] | None]],
        repeats: Sequence[int],
    ):
        self.kernel = kernel
        self.repeated = [(i, count) for i, count in enumerate(repeats) if count > 1]
        self._table = table
        self.spans = [(address(table), *span) for span in spans]
        self._outputs = outputs

    def add_to(self, launch: Launch, inputs: Sequence[np.ndarray]) -> list[Row]:
        """Add to a launch's outputs; returns what to call the kernel with."""
        addresses = [address(array) for array in inputs]
        for i, count in self.repeated:
            addresses[i] = _repeat(launch, inputs[i], count)
        for source, dtype, shape, axes in self._outputs:
            if source is not None:
                launch.outputs.append(source)
                addresses.append(addresses[source])
                continue
            output, place = launch.allocate(shape, dtype)
            addresses.append(place)
            launch.outputs.append(output if axes is None else output.transpose(axes))
        return [(*addresses, *span) for span in self.spans]

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs."""
        launch = Launch()
        launch.add(self.kernel, self.add_to(launch, inputs))
        launch.run()
        return [inputs[x] if isinstance(x, int) else x for x in launch.outputs]


def _repeat(launch: Launch, array: np.ndarray, count: int) -> int:
    """Where the numbers of an array will be, as they lie in memory, so many times."""
    dtype, size = array.dtype.name, array.size
    copy = Expression((dtype,), (), (Step("identity", (0,), dtype),), (1,))
    _, place = launch.allocate((count, size), dtype)
    rows = [(address(array), place, 0, 0, size)]
    done = 1
    while done < count:
        more = min(done, count - done)
        goal = place + done * array.nbytes
        rows.append((place, goal, 0, 0, more * size))
        done += more
    launch.add(elementwise_kernel(copy, (True,), 1), rows, together=False)
    return place


def evaluate(
    expression: Expression,
    inputs: Sequence[np.ndarray],
    overwritten: tuple[int | None, ...] = (),
) -> list[np.ndarray]:
    """The outputs, in new memory or, where ``overwritten`` has the number of an
    input, in that one's.

    Raises ``ValueError`` where the arrays have no common axis along which all have
    their numbers side by side.
    """
    layouts = tuple((array.shape, array.strides) for array in inputs)
    found = plan(expression, layouts, overwritten, threads.threads())
    if found is None:
        raise ValueError(f"arrays of shapes and strides {layouts} lie too far apart")
    return found.run(inputs)


@lru_cache(4096)
def plan(
    expression: Expression,
    layouts: tuple[Layout, ...],
    overwritten: tuple[int | None, ...],
    n_threads: int,
) -> Plan | None:
    """How to compute an expression of arrays of these shapes and strides, which may
    be broadcast; ``None`` where no axis has the numbers of all side by side.
    """
    shape = np.broadcast_shapes(*(shape for shape, _ in layouts))
    in_steps = []
    for dtype, (own_shape, strides) in zip(expression.inputs, layouts, strict=True):
        itemsize = np.dtype(dtype).itemsize
        if any(stride < 0 or stride % itemsize for stride in strides):
            return None
        # From one number to the next along an axis; 0 where one serves all.
        own = [
            0 if size == 1 else stride // itemsize
            for size, stride in zip(own_shape, strides, strict=True)
        ]
        in_steps.append([0] * (len(shape) - len(own)) + own)
    axes = sorted(
        range(len(shape)), key=lambda axis: -max(steps[axis] for steps in in_steps)
    )
    memory_shape = tuple(shape[axis] for axis in axes)
    new_steps = [0] * len(shape)
    for place in range(len(axes)):
        new_steps[axes[place]] = prod(memory_shape[place + 1 :])
    order = None if axes == sorted(axes) else tuple(np.argsort(axes).tolist())
    sources = overwritten or (None,) * len(expression.results)
    if any(source is not None and layouts[source][0] != shape for source in sources):
        return None
    out_steps = [new_steps if s is None else in_steps[s] for s in sources]
    outputs = [
        (source, dtype, memory_shape, order)
        for source, dtype in zip(sources, expression.out_dtypes, strict=True)
    ]
    if not prod(shape):
        return Plan(None, np.zeros(0, np.int64), [], outputs, ())
    sizes, steps = _joined(
        memory_shape, [[s[axis] for axis in axes] for s in (*in_steps, *out_steps)]
    )
    lengths = [prod(own_shape) for own_shape, _ in layouts]
    sizes, steps, repeats = _lengthened(sizes, steps, lengths)
    side_by_side = tuple(bool(one[-1]) for one in steps)
    if (
        len(sizes) > _MOST_AXES
        or any(one[-1] > 1 for one in steps)
        or not all(side_by_side[len(in_steps) :])
    ):
        return None
    kernel = elementwise_kernel(expression, side_by_side[: len(in_steps)], len(sizes))
    table = np.array([*sizes[1:], *(n for one in steps for n in one[:-1])], np.int64)
    spans = _spans(sizes, expression.cost, n_threads)
    return Plan(kernel, table, spans, outputs, repeats)


def _joined(
    shape: Sequence[int], steps: Sequence[Sequence[int]]
) -> tuple[list[int], list[list[int]]]:
    """Sizes and steps of fewer axes: those along which all arrays go on as along
    the axis before are one.
    """
    kept = [axis for axis, size in enumerate(shape) if size > 1]
    if not kept:
        return [], [[1] for _ in steps]
    sizes = [shape[kept[0]]]
    joined = [[one[kept[0]]] for one in steps]
    for axis in kept[1:]:
        size = shape[axis]
        if all(
            mine[-1] == one[axis] * size
            for mine, one in zip(joined, steps, strict=True)
        ):
            sizes[-1] *= size
            for mine, one in zip(joined, steps, strict=True):
                mine[-1] = one[axis]
        else:
            sizes.append(size)
            for mine, one in zip(joined, steps, strict=True):
                mine.append(one[axis])
    return sizes, joined


def _lengthened(
    sizes: list[int], steps: list[list[int]], lengths: Sequence[int]
) -> tuple[list[int], list[list[int]], list[int]]:
    """Sizes and steps with a longer last axis, and how often each input is to be
    written out, one after the other, for that. ``lengths`` are the inputs'.

    A bias of a few channels, which come last, is such an input: else there would be
    a loop over these few for each pixel.
    """
    if len(sizes) < 2:
        return sizes, steps, [1] * len(lengths)
    *outer, rows, columns = sizes
    repeated = [
        one[-1] == 1 and length == columns
        for one, length in zip(steps, lengths, strict=False)
    ]
    repeated += [False] * (len(steps) - len(lengths))
    counts = range(1, _SHORT // columns + 1)
    count = max((n for n in counts if rows % n == 0), default=1)
    if count == 1 or not all(
        again or one[-2] == one[-1] * columns
        for one, again in zip(steps, repeated, strict=True)
    ):
        return sizes, steps, [1] * len(lengths)
    split = [
        [*one[:-2], one[-2] * count, columns if again else one[-2], one[-1]]
        for one, again in zip(steps, repeated, strict=True)
    ]
    sizes, steps = _joined([*outer, rows // count, count, columns], split)
    return sizes, steps, [count if again else 1 for again in repeated[: len(lengths)]]


def _spans(sizes: Sequence[int], cost: int, n_threads: int) -> list[tuple[int, int]]:
    """The first axis in parts, one a thread unless they are too small."""
    first = sizes[0] if sizes else 1
    unit = 64 if len(sizes) == 1 else 1
    parts = max(1, min(n_threads, prod(sizes) * cost // _SMALL_TASK, first))
    ends = [first * part // parts // unit * unit for part in range(parts)]
    return list(zip(ends, [*ends[1:], first], strict=True))


@lru_cache(1024)
def elementwise_kernel(
    expression: Expression, side_by_side: tuple[bool, ...], n_axes: int
) -> Kernel:
    """``kernel(*inputs, *outputs, table, first, last)``.

    Elements from ``first`` up to ``last`` along the first axis; without axes there is
    one. ``side_by_side`` says of each input whether its numbers are that along the
    last axis; else one serves all. The table holds the sizes of the other axes, then
    for each array how many numbers it is from one element to the next along every
    axis but the last.
    """
    arrays = {
        f"{role}{i}": f"{TYPES[dtype]}*"
        for role, dtypes in (
            ("input", expression.inputs),
            ("output", expression.out_dtypes),
        )
        for i, dtype in enumerate(dtypes)
    }
    function = Function(
        "elementwise",
        {**arrays, "table": "i64*", "first": "i64", "last": "i64"},
        distinct=False,
    )
    _Elementwise(function, expression, side_by_side, n_axes).write()
    return compile_function(function)


class _Elementwise:
    def __init__(
        self,
        function: Function,
        expression: Expression,
        side_by_side: tuple[bool, ...],
        n_axes: int,
    ):
        self.function, self.expression = function, expression
        self.side_by_side, self.n_axes = side_by_side, n_axes
        widest = max(np.dtype(dtype).itemsize for dtype in expression.dtypes)
        self.lanes = host().vector_bytes // widest

    def write(self) -> None:
        *arrays, table, first, _ = self.function.arguments.values()
        if not self.n_axes:
            self._compute(arrays, [None] * len(arrays), first, 0)
            return
        sizes = [table[axis].load() for axis in range(self.n_axes - 1)]
        steps = [
            [
                table[self.n_axes - 1 + i * (self.n_axes - 1) + axis].load()
                for axis in range(self.n_axes - 1)
            ]
            for i in range(len(arrays))
        ]
        self._axis(0, arrays, steps, [None, *sizes])

    def _axis(
        self,
        axis: int,
        arrays: list[Array],
        steps: list[list[Value]],
        sizes: list[Value | None],
    ) -> None:
        """A loop along an axis, and in it those along the next ones."""
        function = self.function
        first, last = function.arguments["first"], function.arguments["last"]
        if axis:
            first, last = function.integer(0), sizes[axis]
        if axis == self.n_axes - 1:
            self._along(arrays, first, last)
            return
        with function.loop(first, last) as index:
            inner = [
                array[index * own[axis]]
                for array, own in zip(arrays, steps, strict=True)
            ]
            self._axis(axis + 1, inner, steps, sizes)

    def _along(self, arrays: list[Array], first: Value, last: Value) -> None:
        """The last axis, a vector at a time."""
        function, expression = self.function, self.expression
        inputs = arrays[: len(expression.inputs)]
        singles = [
            None if many else load(array, dtype, 0)
            for array, dtype, many in zip(
                inputs, expression.inputs, self.side_by_side, strict=True
            )
        ]
        whole = last - (last - first) % self.lanes
        with function.loop(first, whole, self.lanes) as index:
            self._compute(arrays, singles, index, self.lanes)
        with function.loop(whole, last) as index:
            self._compute(arrays, singles, index, 0)

    def _compute(
        self,
        arrays: list[Array],
        singles: list[Value | None],
        index: Value,
        lanes: int,
    ) -> None:
        function, expression = self.function, self.expression
        dtypes = expression.dtypes
        registers = []
        for array, dtype, single in zip(
            arrays, expression.inputs, singles, strict=False
        ):
            if single is None:
                registers.append(load(array[index], dtype, lanes))
            else:
                registers.append(single.splat(lanes) if lanes else single)
        for value, dtype in expression.constants:
            registers.append(number(function, dtype, lanes, value))
        for step in expression.steps:
            operation = OPERATIONS[step.operation]
            target = _operand_dtype(step, dtypes)
            targets = [target] * len(step.sources)
            if operation.operands == "chosen":
                targets[0] = "bool"
            operands = [
                convert(registers[source], dtypes[source], to)
                for source, to in zip(step.sources, targets, strict=True)
            ]
            registers.append(operation.compute(np.dtype(target).kind, *operands))
        outputs = arrays[len(expression.inputs) :]
        for array, register in zip(outputs, expression.results, strict=True):
            store(array[index], dtypes[register], registers[register])
