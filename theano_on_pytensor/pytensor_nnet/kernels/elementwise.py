"""Elementwise arithmetic over arrays, evaluated block by block.

A :class:`Program` is a list of NumPy calls. It is run over blocks of the
result that fit in the processor's second-level cache, so that the
intermediate values of a long expression never travel to main memory.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["BLOCK", "Program", "Step"]

BLOCK = 1 << 15
"""Elements of a block: 128 kB in float32."""


class Step(NamedTuple):
    """``registers[target] = function(*(registers[s] for s in sources))``.

    ``function`` takes the arrays and ``out``, an array of ``dtype`` to fill.
    """

    function: Callable[..., object]
    sources: tuple[int, ...]
    target: int
    dtype: np.dtype


class Program:
    """Computes arrays from arrays of the same, or broadcastable, shape.

    Registers are numbered: first the inputs, then ``constants``, then what the
    steps compute.

    Parameters
    ----------
    n_inputs
        How many arrays :meth:`__call__` takes.
    constants
        Scalars (NumPy, typed).
    steps
        The calls, in order.
    results
        The registers that are the outputs.
    """

    def __init__(
        self,
        n_inputs: int,
        constants: Sequence[np.generic],
        steps: Sequence[Step],
        results: Sequence[int],
    ) -> None:
        self.n_inputs = n_inputs
        self.constants = list(constants)
        self.steps = list(steps)
        self.results = list(results)
        computed = {step.target: step for step in steps}
        # A result that is itself computed by a step, and only once in the list,
        # is written where it belongs by that step.
        self._direct = {
            register: position
            for position, register in enumerate(self.results)
            if register in computed and self.results.count(register) == 1
        }

    def __call__(
        self,
        inputs: Sequence[np.ndarray],
        outputs: Sequence[np.ndarray],
        overwrites: bool = False,
    ) -> None:
        """Fill ``outputs``, arrays of one shape and of the results' dtypes.

        ``overwrites`` says that some output is also an input: then a block's
        results are written only once all of its steps are done.
        """
        with np.errstate(all="ignore"):
            self._split(list(inputs), list(outputs), overwrites)

    def _split(
        self, inputs: list[np.ndarray], outputs: list[np.ndarray], overwrites: bool
    ) -> None:
        shape = outputs[0].shape
        size = outputs[0].size
        if size == 0:
            return
        if size <= BLOCK or len(self.steps) < 2:
            self._block(inputs, outputs, overwrites)
            return
        axis = next(i for i, n in enumerate(shape) if n > 1)
        rows = max(1, BLOCK * shape[axis] // size)
        lead = (slice(None),) * axis
        for start in range(0, shape[axis], rows):
            part = (*lead, slice(start, start + rows))
            sliced = [x if x.shape[axis] == 1 else x[part] for x in inputs]
            self._split(sliced, [y[part] for y in outputs], overwrites)

    def _block(
        self, inputs: list[np.ndarray], outputs: list[np.ndarray], overwrites: bool
    ) -> None:
        registers: list = [*inputs, *self.constants]
        registers.extend([None] * len(self.steps))
        for step in self.steps:
            position = None if overwrites else self._direct.get(step.target)
            sources = [registers[s] for s in step.sources]
            if position is not None:
                target = outputs[position]
            else:
                own_shape = np.broadcast_shapes(*(np.shape(s) for s in sources))
                target = np.empty(own_shape, step.dtype)
            step.function(*sources, out=target)
            registers[step.target] = target
        for position, register in enumerate(self.results):
            if registers[register] is not outputs[position]:
                np.copyto(outputs[position], registers[register], casting="unsafe")
