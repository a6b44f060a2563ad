"""Outcomes of discrete distributions, chosen by uniform numbers that are given."""

from typing import Any

import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType, discrete_dtypes

from pytensor_nnet.kernels.multinomial import choose_distinct, count_outcomes
from pytensor_nnet.ops.arguments import cast_like

__all__ = ["ChoiceFromUniform", "MultinomialFromUniform"]


class _FromUniform(Op):
    """What the Ops share: their inputs.

    They are called with the probabilities ``(distributions, outcomes)``, the uniform
    numbers ``(n * distributions,)`` and ``n``, a scalar of integers.
    """

    __props__: tuple[str, ...] = ("odtype",)

    def __init__(self, odtype: str):
        self.odtype = str(odtype)

    def make_node(self, pvals: Any, uniforms: Any, n: Any = 1) -> Apply:
        pvals, uniforms, n = (pt.as_tensor_variable(v) for v in (pvals, uniforms, n))
        for variable, ndim, name in (
            (pvals, 2, "the probabilities"),
            (uniforms, 1, "the uniform numbers"),
            (n, 0, "the number of draws"),
        ):
            if variable.type.ndim != ndim:
                raise NotImplementedError(
                    f"{name} must have {ndim} axes, got {variable.type}"
                )
        if n.type.dtype not in discrete_dtypes:
            raise TypeError(f"the number of draws must be an integer, got {n.type}")
        out = TensorType(self._dtype(pvals), shape=self._static_shape(pvals, n))()
        return Apply(self, [pvals, uniforms, n], [out])

    def pullback(self, inputs, outputs, cotangents):
        return [cast_like(pt.zeros_like(variable), variable) for variable in inputs]

    def pushforward(self, inputs, outputs, tangents):
        return [disconnected_type()]


class MultinomialFromUniform(_FromUniform):
    """How often each outcome is met in ``n`` draws; shaped like the probabilities.

    Parameters
    ----------
    odtype : str
        The dtype of the counts; ``'auto'`` is that of the probabilities.
    """

    def _dtype(self, pvals: Variable) -> str:
        return pvals.type.dtype if self.odtype == "auto" else self.odtype

    def _static_shape(self, pvals: Variable, n: Variable) -> tuple[int | None, ...]:
        return pvals.type.shape

    def perform(self, node, inputs, output_storage):
        pvals, uniforms, n = inputs
        output_storage[0][0] = count_outcomes(
            pvals, _by_draw(uniforms, pvals, n), node.outputs[0].type.dtype
        )

    def infer_shape(self, *arguments):
        # PyTensor 3.0 calls it with (fgraph, node, shapes), 3.3 with (node, shapes).
        return [arguments[-1][0]]


class ChoiceFromUniform(_FromUniform):
    """``n`` different outcomes of each distribution, ``(distributions, n)``.

    -1 where the probabilities left sum to less than the uniform number.

    Parameters
    ----------
    odtype : str
        The dtype of the outcomes; ``'auto'`` is int64.

    Raises
    ------
    ValueError
        At run time, for more draws than there are outcomes.
    """

    def _dtype(self, pvals: Variable) -> str:
        return "int64" if self.odtype == "auto" else self.odtype

    def _static_shape(self, pvals: Variable, n: Variable) -> tuple[int | None, ...]:
        columns = int(n.data) if isinstance(n, Constant) else None
        return (pvals.type.shape[0], columns)

    def perform(self, node, inputs, output_storage):
        pvals, uniforms, n = inputs
        if n > pvals.shape[1]:
            raise ValueError(
                f"cannot draw {n} different outcomes out of {pvals.shape[1]}"
            )
        output_storage[0][0] = choose_distinct(
            pvals, _by_draw(uniforms, pvals, n), node.outputs[0].type.dtype
        )

    def infer_shape(self, *arguments):
        node, (pvals_shape, _, _) = arguments[-2:]
        return [(pvals_shape[0], node.inputs[2])]


def _by_draw(uniforms: Any, pvals: Any, n: Any) -> Any:
    """The uniform numbers as ``(n, distributions)``."""
    if len(uniforms) != len(pvals) * n:
        raise ValueError(
            f"{len(uniforms)} uniform numbers for {n} draws from each of {len(pvals)} "
            f"distributions; there must be {len(pvals) * n}"
        )
    return uniforms.reshape(int(n), len(pvals))
