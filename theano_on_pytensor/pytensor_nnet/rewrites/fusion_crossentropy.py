"""``fuse_crossentropy``: ``log(softmax(x))[arange(n), classes]`` becomes one Op, and
its gradient another.

``sum_log_likelihood`` and ``keep_gradient_single`` are about what is around them in
the gradient of a mean.
"""

from collections.abc import Iterator

from pytensor.compile.mode import optdb
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.features import ReplaceValidate
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import GraphRewriter, node_rewriter
from pytensor.scalar import basic as scalar
from pytensor.tensor.basic import (
    Alloc,
    ARange,
    ScalarFromTensor,
    TensorFromScalar,
    constant,
)
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Sum
from pytensor.tensor.rewriting.basic import register_specialize
from pytensor.tensor.shape import Shape, Shape_i
from pytensor.tensor.special import Softmax
from pytensor.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    Subtensor,
)

from pytensor_nnet.ops.crossentropy import (
    SoftmaxLogLikelihood,
    SoftmaxLogLikelihoodGrad,
)
from pytensor_nnet.rewrites.fusion import clients

__all__ = ["FuseCrossentropy", "keep_gradient_single", "sum_log_likelihood"]


class FuseCrossentropy(GraphRewriter):
    """The rewrite of this module."""

    def add_requirements(self, fgraph):
        fgraph.attach_feature(ReplaceValidate())

    def apply(self, fgraph):
        for node in fgraph.toposort():
            if (
                isinstance(node.op, Softmax)
                and node.inputs[0].type.ndim == 2
                and node.op.axis in ((1,), (-1,), 1, -1)
            ):
                replacements = list(_replacements(fgraph, node))
                if replacements:
                    fgraph.replace_all_validate(
                        replacements, reason="fuse_crossentropy"
                    )


def _replacements(
    fgraph: FunctionGraph, softmax: Apply
) -> Iterator[tuple[Variable, Variable]]:
    """Old and new variables, none where there is no log-likelihood."""
    (scores,), (probabilities,) = softmax.inputs, softmax.outputs
    for log in _elementwise_clients(fgraph, probabilities, scalar.Log):
        for chosen in clients(fgraph, log.outputs[0]):
            if not isinstance(chosen.op, AdvancedSubtensor):
                continue
            classes = _classes(chosen.inputs[1:])
            if chosen.inputs[0] is not log.outputs[0] or classes is None:
                continue
            fused = SoftmaxLogLikelihood()(scores, classes, return_list=True)
            yield chosen.outputs[0], fused[0]
            yield probabilities, fused[1]
            for old, given in _gradients(fgraph, probabilities, classes):
                yield old, SoftmaxLogLikelihoodGrad()(fused[1], classes, given)
            return


def _elementwise_clients(
    fgraph: FunctionGraph, variable: Variable, kind: type
) -> Iterator[Apply]:
    for node in clients(fgraph, variable):
        if _is_elementwise(node, kind):
            yield node


def _is_elementwise(node: Apply | None, kind: type) -> bool:
    return (
        node is not None
        and isinstance(node.op, Elemwise)
        and isinstance(node.op.scalar_op, kind)
    )


def _classes(indices: list[Variable]) -> Variable | None:
    """The classes, if there is one a row: the indices are ``arange(n), classes``."""
    if len(indices) != 2:
        return None
    rows, classes = indices
    node = rows.owner
    if (
        classes.type.ndim == 1
        and classes.type.dtype.startswith(("int", "uint"))
        and node is not None
        and isinstance(node.op, ARange)
        and _is_constant(node.inputs[0], 0)
        and _is_constant(node.inputs[2], 1)
        and _is_length(node.inputs[1], classes)
    ):
        return classes
    return None


def _is_constant(variable: Variable, number: float) -> bool:
    return isinstance(variable, Constant) and bool((variable.data == number).all())


def _is_length(size: Variable, vector: Variable) -> bool:
    """Whether it is the vector's length, in one of the ways to write it."""
    while size.owner is not None and (
        isinstance(size.owner.op, (ScalarFromTensor, TensorFromScalar))
        or _is_elementwise(size.owner, scalar.Cast)
    ):
        size = size.owner.inputs[0]
    node = size.owner
    if node is None:
        return False
    if isinstance(node.op, Shape_i):
        return node.inputs[0] is vector
    return (
        isinstance(node.op, Subtensor)
        and node.inputs[0].owner is not None
        and isinstance(node.inputs[0].owner.op, Shape)
        and node.inputs[0].owner.inputs[0] is vector
    )


def _gradients(
    fgraph: FunctionGraph, probabilities: Variable, classes: Variable
) -> Iterator[tuple[Variable, Variable]]:
    """The scores' gradient, and that of the log-likelihood which it is made of.

    It is ``m - p*sum(m)`` with ``m = d*p``, where ``d`` is the gradient of the
    softmax ``p``: ``g/p`` at the classes, else 0.
    """
    for product in _elementwise_clients(fgraph, probabilities, scalar.Mul):
        others = [v for v in product.inputs if v is not probabilities]
        if len(others) != 1 or not _is_elementwise(others[0].owner, scalar.TrueDiv):
            continue
        spread, divisor = others[0].owner.inputs
        node = spread.owner
        if (
            divisor is not probabilities
            or node is None
            or not isinstance(node.op, AdvancedIncSubtensor)
            or node.op.set_instead_of_inc
            or not _is_zero(node.inputs[0])
            or _classes(node.inputs[2:]) is not classes
            or node.inputs[1].type.ndim != 1
            or node.inputs[1].type.dtype != probabilities.type.dtype
        ):
            continue
        for difference in _elementwise_clients(fgraph, product.outputs[0], scalar.Sub):
            first, second = difference.inputs
            if first is product.outputs[0] and _is_projection(
                second, first, probabilities
            ):
                yield difference.outputs[0], node.inputs[1]


def _is_zero(variable: Variable) -> bool:
    """Whether it is written as zeros of some shape."""
    node = variable.owner
    if _is_elementwise(node, scalar.Second):
        return _is_zero(node.inputs[1])
    if node is not None and isinstance(node.op, DimShuffle):
        return _is_zero(node.inputs[0])
    return _is_constant(variable, 0)


def _is_projection(
    variable: Variable, product: Variable, probabilities: Variable
) -> bool:
    """Whether it is ``p * sum(product, axis=1, keepdims=True)``."""
    node = variable.owner
    if not _is_elementwise(node, scalar.Mul) or probabilities not in node.inputs:
        return False
    for other in node.inputs:
        shuffle = other.owner
        if (
            shuffle is not None
            and isinstance(shuffle.op, DimShuffle)
            and tuple(shuffle.op.new_order) == (0, "x")
        ):
            total = shuffle.inputs[0].owner
            return (
                total is not None
                and isinstance(total.op, Sum)
                and total.op.axis == (1,)
                and total.inputs[0] is product
            )
    return False


optdb.register(
    "fuse_crossentropy", FuseCrossentropy(), "fast_run", "fast_compile", position=0.02
)


@register_specialize
@node_rewriter([Sum])
def sum_log_likelihood(fgraph, node):
    """The sum of a log-likelihood is an output of the Op that computes it."""
    (variable,) = node.inputs
    if (
        variable.owner is None
        or not isinstance(variable.owner.op, SoftmaxLogLikelihood)
        or variable.owner.outputs[0] is not variable
        or node.op.acc_dtype not in (None, "float64")
        or node.outputs[0].type.dtype != variable.type.dtype
    ):
        return None
    likelihood, softmax = variable.owner.outputs[:2]
    new = SoftmaxLogLikelihood(sums=True)(*variable.owner.inputs, return_list=True)
    return {likelihood: new[0], softmax: new[1], node.outputs[0]: new[2]}


@register_specialize
@node_rewriter([SoftmaxLogLikelihoodGrad])
def keep_gradient_single(fgraph, node):
    """A gradient that is the same for all classes is not made a vector."""
    softmax, classes, given = node.inputs
    if given.owner is None or not isinstance(given.owner.op, Alloc):
        return None
    number = _single(given.owner.inputs[0])
    if number is None or number.type.dtype != given.type.dtype:
        return None
    return [node.op(softmax, classes, number)]


def _single(variable: Variable) -> Variable | None:
    """An expression of the number that it is everywhere, without axes."""
    node = variable.owner
    if variable.type.ndim == 0:
        return variable
    if isinstance(variable, Constant) and variable.data.size == 1:
        return constant(variable.data.reshape(()))
    if node is None or not all(variable.type.broadcastable):
        return None
    if isinstance(node.op, DimShuffle):
        return _single(node.inputs[0])
    if isinstance(node.op, Elemwise) and len(node.outputs) == 1:
        singles = [_single(source) for source in node.inputs]
        if None not in singles:
            return Elemwise(node.op.scalar_op)(*singles)
    return None
