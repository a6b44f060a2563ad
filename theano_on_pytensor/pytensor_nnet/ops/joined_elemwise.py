"""One elementwise Op for several groups of arrays at once."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from pytensor_nnet.kernels.llvm.elementwise import run_together
from pytensor_nnet.ops.compiled_elemwise import CompiledElemwise

__all__ = ["JoinedElemwise"]


class JoinedElemwise(Op):
    """What ``op`` computes of a group of inputs, for ``count`` groups.

    Called with the inputs of the first group, then those of the second, and so on;
    the outputs come in the same order. An optimiser's update of all parameters is
    one such node.
    """

    __props__ = ("op", "count")

    def __init__(self, op: CompiledElemwise, count: int):
        self.op, self.count = op, count
        n_inputs, n_outputs = op.scalar_op.nin, op.scalar_op.nout
        self.destroy_map = {
            group * n_outputs + output: [group * n_inputs + source]
            for group in range(count)
            for output, source in op.inplace_pattern.items()
        }

    def __str__(self):
        return f"{type(self).__name__}{{{self.count} x {self.op}}}"

    def _groups(self, everything: Sequence[Any]) -> Iterator[Sequence[Any]]:
        step = len(everything) // self.count
        for start in range(0, len(everything), step):
            yield everything[start : start + step]

    def _parts(self, inputs: Sequence[Any]) -> list[Apply]:
        return [self.op.make_node(*group) for group in self._groups(inputs)]

    def make_node(self, *inputs):
        outputs = chain.from_iterable(node.outputs for node in self._parts(inputs))
        return Apply(self, list(inputs), [output.type() for output in outputs])

    def prepare_node(self, node, storage_map, compute_map, impl):
        node.tag.parts = self._parts(node.inputs)

    def perform(self, node, inputs, output_storage):
        if not hasattr(node.tag, "parts"):
            self.prepare_node(node, None, None, "py")
        calls = []
        for part, group, storages in zip(
            node.tag.parts,
            self._groups(inputs),
            self._groups(output_storage),
            strict=True,
        ):
            arrays = [x if type(x) is np.ndarray else np.asarray(x) for x in group]
            plan = self.op.plan(part, arrays)
            if plan is None:
                self.op.perform(part, arrays, storages)
                continue
            outputs, call = plan.prepare(arrays)
            calls.append(call)
            for storage, output in zip(storages, outputs, strict=True):
                storage[0] = output
        run_together(calls)

    def infer_shape(self, *arguments):
        # PyTensor 3.0 calls it with (fgraph, node, shapes), 3.3 with (node, shapes).
        *fgraph, node, input_shapes = arguments
        parts = zip(self._parts(node.inputs), self._groups(input_shapes), strict=True)
        return list(
            chain.from_iterable(
                self.op.infer_shape(*fgraph, part, shapes) for part, shapes in parts
            )
        )
