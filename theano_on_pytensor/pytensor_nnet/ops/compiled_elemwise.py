"""Elementwise Ops whose expression is compiled, where that is possible."""

import numpy as np
from pytensor.graph.basic import Constant, Variable
from pytensor.scalar import basic as scalar

from pytensor_nnet.kernels.llvm.elementwise import Expression, evaluate
from pytensor_nnet.ops.elemwise import VectorElemwise

__all__ = ["CompiledElemwise", "expression_of"]

_OPERATIONS = {
    scalar.Abs: "abs",
    scalar.Add: "add",
    scalar.Mul: "multiply",
    scalar.Neg: "negate",
    scalar.ScalarMaximum: "maximum",
    scalar.ScalarMinimum: "minimum",
    scalar.Sign: "sign",
    scalar.Sqr: "square",
    scalar.Sqrt: "sqrt",
    scalar.Sub: "subtract",
    scalar.TrueDiv: "divide",
}
# These take any number of arguments, two at a time.
_CHAINS = ("add", "multiply", "maximum", "minimum")


class _NotServed(Exception):
    """Some part of an expression has no compiled form."""


def expression_of(op: scalar.ScalarOp, scalars: tuple[bool, ...]) -> Expression | None:
    """What a scalar Op, or the graph of a Composite, computes of floats.

    ``None`` where something in it has no compiled form.
    """
    constants: list[float] = []
    steps: list[tuple[str, tuple[int, ...]]] = []
    # Constants are numbered before the steps, whose number is known only then.
    pending: list[tuple[str, list]] = []

    def apply(op: scalar.ScalarOp, sources: list) -> list:
        if isinstance(op, scalar.Composite):
            known = dict(zip(op.fgraph.inputs, sources, strict=True))
            for node in op.fgraph.toposort():
                arguments = [resolve(variable, known) for variable in node.inputs]
                results = apply(node.op, arguments)
                known.update(zip(node.outputs, results, strict=True))
            return [resolve(variable, known) for variable in op.fgraph.outputs]
        name = _OPERATIONS.get(type(op))
        if type(op) is scalar.Identity:
            return sources
        if name is None:
            raise _NotServed
        if name in _CHAINS:
            total = sources[0]
            for source in sources[1:]:
                pending.append((name, [total, source]))
                total = ("step", len(pending) - 1)
            return [total]
        pending.append((name, sources))
        return [("step", len(pending) - 1)]

    def resolve(variable: Variable, known: dict) -> tuple[str, int]:
        if isinstance(variable, Constant):
            constants.append(float(variable.data))
            return "constant", len(constants) - 1
        return known[variable]

    try:
        results = apply(op, [("input", i) for i in range(len(scalars))])
    except (_NotServed, TypeError):
        return None
    first = {"input": 0, "constant": len(scalars)}
    first["step"] = first["constant"] + len(constants)

    def number(register: tuple[str, int]) -> int:
        return first[register[0]] + register[1]

    steps = [(name, tuple(map(number, sources))) for name, sources in pending]
    return Expression(
        scalars, tuple(constants), tuple(steps), tuple(map(number, results))
    )


def _float_types(op: scalar.ScalarOp, dtype: str) -> bool:
    """Whether all that a Composite computes has this type."""
    if not isinstance(op, scalar.Composite):
        return True
    return all(
        _float_types(node.op, dtype)
        and all(variable.type.dtype == dtype for variable in node.outputs)
        for node in op.fgraph.apply_nodes
    )


class CompiledElemwise(VectorElemwise):
    """A :class:`~pytensor_nnet.ops.elemwise.VectorElemwise` that is compiled for
    arrays alike in float type, shape and order in memory, and single numbers.

    For other arrays it is what it is derived from.
    """

    def perform(self, node, inputs, output_storage):
        first = next((x for x in inputs if x.size > 1), None)
        if first is None or not self._alike(first, inputs):
            super().perform(node, inputs, output_storage)
            return
        scalars = tuple(x.size == 1 for x in inputs)
        expressions = node.tag.__dict__.setdefault("expressions", {})
        if scalars not in expressions:
            served = _float_types(self.scalar_op, first.dtype.name) and all(
                variable.type.dtype == first.dtype for variable in node.outputs
            )
            expressions[scalars] = (
                expression_of(self.scalar_op, scalars) if served else None
            )
        expression = expressions[scalars]
        if expression is None:
            super().perform(node, inputs, output_storage)
            return
        outputs = []
        for i in range(len(node.outputs)):
            if i in self.inplace_pattern:
                output = inputs[self.inplace_pattern[i]]
            else:
                output = np.empty_like(first)
            outputs.append(output)
            output_storage[i][0] = output
        evaluate(expression, inputs, outputs)

    def _alike(self, first, inputs):
        flags = first.flags
        c_order, f_order = flags.c_contiguous, flags.f_contiguous
        for i, x in enumerate(inputs):
            if x.dtype != first.dtype:
                return False
            if x.size == 1:
                # A number of one element along axes that are longer elsewhere, and
                # not to be overwritten.
                if i in self.inplace_pattern.values():
                    return False
                continue
            if x.shape != first.shape:
                return False
            c_order &= x.flags.c_contiguous
            f_order &= x.flags.f_contiguous
        return first.dtype.kind == "f" and (c_order or f_order)
