"""Elementwise Ops that NumPy evaluates block by block."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from pytensor.graph.basic import Constant
from pytensor.scalar import basic as scalar
from pytensor.scalar import math as scalar_math
from pytensor.scalar.basic import ScalarOp
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.utils import import_func_from_string

from pytensor_nnet.kernels.elementwise import Program, Step

__all__ = ["VectorElemwise", "numpy_function"]


def _copy(x, *, out):
    np.copyto(out, x, casting="unsafe")


def _second(x, y, *, out):
    np.copyto(out, y, casting="unsafe")


def _switch(condition, if_true, if_false, *, out):
    np.copyto(out, if_false, casting="unsafe")
    np.copyto(out, if_true, casting="unsafe", where=np.not_equal(condition, 0))


def _softplus(x, *, out):
    np.logaddexp(x, np.zeros((), out.dtype), out=out)


def _round_half_away_from_zero(x, *, out):
    np.trunc(x + np.copysign(np.asarray(0.5, out.dtype), x), out=out)


def _chain(ufunc, *terms, out):
    ufunc(terms[0], terms[1], out=out)
    for term in terms[2:]:
        ufunc(out, term, out=out)


def _assign(function, *arguments, out):
    out[...] = function(*arguments)


def _clip(x, low, high, *, out):
    np.minimum(np.maximum(x, low), high, out=out)


_BY_TYPE: dict[type, Callable[..., object]] = {
    scalar.Cast: _copy,
    scalar.Clip: _clip,
    scalar.Identity: _copy,
    scalar.RoundHalfAwayFromZero: _round_half_away_from_zero,
    scalar.Second: _second,
    scalar.Switch: _switch,
    scalar_math.Softplus: _softplus,
}


def numpy_function(
    op: ScalarOp, in_dtypes: Sequence[str], out_dtype: str
) -> Callable[..., object]:
    """The NumPy call that does to arrays what ``op`` does to scalars.

    It takes the arrays and ``out``. An Op that NumPy and SciPy have no function
    for is called once an element.
    """
    if type(op) in _BY_TYPE:
        return _BY_TYPE[type(op)]
    if getattr(op, "nfunc_spec", None) is None:
        return partial(_assign, np.frompyfunc(op.impl, len(in_dtypes), 1))
    name, nin, _ = op.nfunc_spec
    function = import_func_from_string(name)
    if not isinstance(function, np.ufunc):
        return partial(_assign, function)
    if nin != len(in_dtypes):
        if len(in_dtypes) == 1:
            return _copy
        return partial(_chain, function)
    if out_dtype.startswith("float") and not in_dtypes[0].startswith(
        ("float", "complex")
    ):
        # NumPy would compute the square root of an int8 in float16.
        return partial(function, dtype=out_dtype)
    return function


def _program(op: ScalarOp, in_dtypes: Sequence[str], out_dtypes: Sequence[str]):
    """The program that computes one Op, or the whole graph of a Composite."""
    if not isinstance(op, scalar.Composite):
        step = Step(
            numpy_function(op, in_dtypes, out_dtypes[0]),
            tuple(range(len(in_dtypes))),
            len(in_dtypes),
            np.dtype(out_dtypes[0]),
        )
        return Program(len(in_dtypes), [], [step], [len(in_dtypes)])

    constants: list = []
    applied: list = []  # (op, input variables, output variable)

    def flatten(composite: scalar.Composite, rename: dict) -> list:
        """List the nodes of ``composite``; returns its output variables."""
        for node in composite.fgraph.toposort():
            sources = [rename.get(v, v) for v in node.inputs]
            if isinstance(node.op, scalar.Composite):
                inner = dict(zip(node.op.fgraph.inputs, sources, strict=True))
                results = flatten(node.op, inner)
            else:
                results = [(node, *sources)]
                applied.append((node.op, node, sources, results[0]))
            rename.update(zip(node.outputs, results, strict=True))
        return [rename.get(v, v) for v in composite.fgraph.outputs]

    inputs = [("input", i) for i in range(len(in_dtypes))]
    results = flatten(op, dict(zip(op.fgraph.inputs, inputs, strict=True)))
    number: dict = {variable: i for i, variable in enumerate(inputs)}

    sources_of = [s for _, _, sources, _ in applied for s in sources]
    for variable in [*sources_of, *results]:
        if isinstance(variable, Constant) and variable not in number:
            number[variable] = len(inputs) + len(constants)
            constants.append(np.asarray(variable.data)[()])
    steps = []
    for scalar_op, node, sources, result in applied:
        number[result] = len(inputs) + len(constants) + len(steps)
        dtypes = [v.type.dtype for v in node.inputs]
        out_dtype = node.outputs[0].type.dtype
        steps.append(
            Step(
                numpy_function(scalar_op, dtypes, out_dtype),
                tuple(number[s] for s in sources),
                number[result],
                np.dtype(out_dtype),
            )
        )
    return Program(len(inputs), constants, steps, [number[r] for r in results])


class VectorElemwise(Elemwise):
    """An :class:`~pytensor.tensor.elemwise.Elemwise` whose ``perform`` runs
    NumPy's functions over blocks of the result, fused expressions included.
    """

    def prepare_node(self, node, storage_map, compute_map, impl):
        if impl != "py":
            # A function inside of another may be linked by PyTensor's own linker.
            super().prepare_node(node, storage_map, compute_map, impl)
        node.tag.program = _program(
            self.scalar_op,
            [v.type.dtype for v in node.inputs],
            [v.type.dtype for v in node.outputs],
        )

    def perform(self, node, inputs, output_storage):
        self._check_runtime_broadcast(node, inputs)
        program = getattr(node.tag, "program", None)
        if program is None:
            self.prepare_node(node, None, None, "py")
            program = node.tag.program
        shape = np.broadcast_shapes(*(x.shape for x in inputs))
        outputs = []
        for i, variable in enumerate(node.outputs):
            if i in self.inplace_pattern:
                outputs.append(inputs[self.inplace_pattern[i]])
            else:
                outputs.append(np.empty(shape, variable.type.dtype))
        program(inputs, outputs, overwrites=bool(self.inplace_pattern))
        for storage, output in zip(output_storage, outputs, strict=True):
            storage[0] = output
