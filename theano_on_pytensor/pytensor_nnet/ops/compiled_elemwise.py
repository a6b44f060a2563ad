"""Elementwise Ops whose expression is compiled, where that is possible."""

import numpy as np
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.scalar import basic as scalar
from pytensor.scalar import math as scalar_math

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.elementwise import Expression, Plan, Step, plan
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.ops.elemwise import VectorElemwise
from pytensor_nnet.ops.launching import Launching

__all__ = ["CompiledElemwise", "expression_of"]

_OPERATIONS = {
    scalar.AND: "and",
    scalar.Abs: "abs",
    scalar.Add: "add",
    scalar.Cast: "identity",
    scalar.Ceil: "ceil",
    scalar.Clip: "clip",
    scalar.EQ: "equal",
    scalar.Exp: "exp",
    scalar.Expm1: "expm1",
    scalar.Floor: "floor",
    scalar.GE: "greater_equal",
    scalar.GT: "greater",
    scalar.Identity: "identity",
    scalar.Invert: "invert",
    scalar.IsInf: "isinf",
    scalar.IsNan: "isnan",
    scalar.LE: "less_equal",
    scalar.LT: "less",
    scalar.Log1p: "log1p",
    scalar.Log: "log",
    scalar.Mul: "multiply",
    scalar.NEQ: "not_equal",
    scalar.Neg: "negative",
    scalar.OR: "or",
    scalar.Reciprocal: "reciprocal",
    scalar.RoundHalfAwayFromZero: "round_half_away_from_zero",
    scalar.RoundHalfToEven: "round_half_to_even",
    scalar.ScalarMaximum: "maximum",
    scalar.ScalarMinimum: "minimum",
    scalar.Second: "second",
    scalar.Sign: "sign",
    scalar.Sqr: "square",
    scalar.Sqrt: "sqrt",
    scalar.Sub: "subtract",
    scalar.Switch: "switch",
    scalar.Tanh: "tanh",
    scalar.TrueDiv: "divide",
    scalar.Trunc: "trunc",
    scalar.XOR: "xor",
    scalar_math.Sigmoid: "sigmoid",
    scalar_math.Softplus: "softplus",
}
# These take any number of arguments, two at a time.
_CHAINS = ("add", "and", "maximum", "minimum", "multiply", "or", "xor")


class _NotServed(Exception):
    """Some part of an expression has no compiled form."""


class _Builder:
    """Lists the steps of a scalar Op, or of the graph of a Composite.

    A register is ``("input", i)``, ``("constant", i)`` or ``("step", i)`` until all
    of them are known.
    """

    def __init__(self) -> None:
        self.constants: list[tuple[float, str]] = []
        self.steps: list[tuple[str, list[tuple[str, int]], str]] = []

    def apply(self, node: Apply, sources: list) -> list:
        op = node.op
        if isinstance(op, scalar.Composite):
            known = dict(zip(op.fgraph.inputs, sources, strict=True))
            for inner in op.fgraph.toposort():
                arguments = [self.resolve(v, known) for v in inner.inputs]
                known.update(
                    zip(inner.outputs, self.apply(inner, arguments), strict=True)
                )
            return [self.resolve(v, known) for v in op.fgraph.outputs]
        name = _OPERATIONS.get(type(op))
        if name is None:
            raise _NotServed
        dtype = node.outputs[0].type.dtype
        if name in _CHAINS:
            first, *others = sources
            if not others:
                return [self.step("identity", [first], dtype)]
            for source in others:
                first = self.step(name, [first, source], dtype)
            return [first]
        return [self.step(name, sources, dtype)]

    def step(self, name: str, sources: list, dtype: str) -> tuple[str, int]:
        self.steps.append((name, sources, dtype))
        return "step", len(self.steps) - 1

    def resolve(self, variable: Variable, known: dict) -> tuple[str, int]:
        if isinstance(variable, Constant):
            value = np.asarray(variable.data)
            if value.dtype.kind not in "fiub":
                raise _NotServed
            self.constants.append((value.item(), value.dtype.name))
            return "constant", len(self.constants) - 1
        return known[variable]


def expression_of(node: Apply) -> Expression | None:
    """What an elementwise node computes of each element.

    ``None`` where something in it has no compiled form.
    """
    builder = _Builder()
    inputs = tuple(variable.type.dtype for variable in node.inputs)
    scalars = [
        scalar.get_scalar_type(variable.type.dtype)() for variable in node.inputs
    ]
    applied = node.op.scalar_op.make_node(*scalars)
    sources = [("input", i) for i in range(len(inputs))]
    try:
        results = builder.apply(applied, sources)
    except _NotServed:
        return None
    first = {"input": 0, "constant": len(inputs)}
    first["step"] = first["constant"] + len(builder.constants)

    def number(register: tuple[str, int]) -> int:
        return first[register[0]] + register[1]

    steps = [
        Step(name, tuple(map(number, sources)), dtype)
        for name, sources, dtype in builder.steps
    ]
    expression = Expression(
        inputs, tuple(builder.constants), tuple(steps), tuple(map(number, results))
    )
    dtypes = tuple(variable.type.dtype for variable in node.outputs)
    return (
        expression
        if expression.is_served() and expression.out_dtypes == dtypes
        else None
    )


class _Plans(dict):
    """The plans of a node, which hold machine code: a pickle leaves them out."""

    def __reduce__(self):
        return _Plans, ()


class CompiledElemwise(Launching, VectorElemwise):
    """A :class:`~pytensor_nnet.ops.elemwise.VectorElemwise` that is compiled.

    Where its expression has no compiled form, or its inputs lie too far apart in
    memory, it is what it is derived from.
    """

    def prepare_node(self, node, storage_map, compute_map, impl):
        super().prepare_node(node, storage_map, compute_map, impl)
        node.tag.expression = expression_of(node)
        node.tag.plans = _Plans()

    def plan(self, node: Apply, inputs: list) -> Plan | None:
        """How to compute the outputs; ``None`` where that is left to NumPy."""
        try:
            plans = node.tag.plans
        except AttributeError:
            self.prepare_node(node, None, None, "py")
            plans = node.tag.plans
        key = (threads.threads(), *[(x.shape, x.strides) for x in inputs])
        try:
            return plans[key]
        except KeyError:
            self._check_runtime_broadcast(node, inputs)
        if len(plans) > _MOST_PLANS:
            plans.clear()
        plans[key] = found = None
        if node.tag.expression is not None:
            overwritten = [
                self.inplace_pattern.get(i) for i in range(len(node.outputs))
            ]
            plans[key] = found = plan(
                node.tag.expression, key[1:], tuple(overwritten), key[0]
            )
        return found

    def launch(self, node, inputs):
        found = self.plan(node, inputs)
        if found is None:
            return None
        launch = Launch()
        launch.add(found.kernel, found.add_to(launch, inputs))
        return launch

    def without_kernels(self, node, inputs, storage):
        VectorElemwise.perform(self, node, inputs, storage)


# Of a node, for inputs of different shapes.
_MOST_PLANS = 64
