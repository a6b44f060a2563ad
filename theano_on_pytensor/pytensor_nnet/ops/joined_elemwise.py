"""One elementwise Op for several groups of arrays at once."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from pytensor.graph.basic import Apply

from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.ops.compiled_elemwise import CompiledElemwise
from pytensor_nnet.ops.launching import Launching

__all__ = ["JoinedElemwise"]


class JoinedElemwise(Launching):
    """What ``op`` computes of a group of ``n_inputs`` inputs, for ``count`` groups.

    Called with the inputs of the first group, then those of the second, and so on;
    the outputs come in the same order. An optimiser's update of all parameters is
    one such node.
    """

    __props__ = ("op", "count", "n_inputs")

    def __init__(self, op: CompiledElemwise, count: int, n_inputs: int):
        self.op, self.count, self.n_inputs = op, count, n_inputs
        n_outputs = op.scalar_op.nout
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

    def launch(self, node, inputs):
        if not hasattr(node.tag, "parts"):
            self.prepare_node(node, None, None, "py")
        groups = list(self._groups(inputs))
        plans = [
            self.op.plan(part, group)
            for part, group in zip(node.tag.parts, groups, strict=True)
        ]
        if None in plans:
            return None
        launch, rows_of = Launch(), {}
        for number, (plan, group) in enumerate(zip(plans, groups, strict=True)):
            before = len(launch.outputs)
            rows = plan.add_to(launch, group)
            rows_of.setdefault(plan.kernel, []).append(rows)
            for i in range(before, len(launch.outputs)):
                if isinstance(launch.outputs[i], int):
                    launch.outputs[i] += number * len(group)
        is_large = any(len(rows) > 1 for one in rows_of.values() for rows in one)
        for kernel, several in rows_of.items():
            several.sort(key=len, reverse=True)
            launch.add(kernel, list(chain.from_iterable(several)), together=is_large)
        return launch

    def without_kernels(self, node, inputs, storage):
        for part, group, cells in zip(
            node.tag.parts, self._groups(inputs), self._groups(storage), strict=True
        ):
            self.op.perform(part, group, cells)

    def infer_shape(self, *arguments):
        # PyTensor 3.0 calls it with (fgraph, node, shapes), 3.3 with (node, shapes).
        *fgraph, node, input_shapes = arguments
        parts = zip(self._parts(node.inputs), self._groups(input_shapes), strict=True)
        return list(
            chain.from_iterable(
                self.op.infer_shape(*fgraph, part, shapes) for part, shapes in parts
            )
        )
