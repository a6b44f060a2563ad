"""``OpFromGraph``: an Op made of a graph."""

import functools

from pytensor.compile.builders import OpFromGraph as _OpFromGraph
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import graph_inputs

__all__ = ["OpFromGraph"]


class OpFromGraph(_OpFromGraph):
    """An Op that computes what ``outputs`` are computed as from ``inputs``.

    Parameters
    ----------
    inputs, outputs : list of variables
        Shared variables that the outputs use need not be among the inputs.
    inline : bool
        Whether the graph takes the Op's place when a function is compiled.
    grad_overrides : callable, optional
        Called with the inputs and the gradients of the outputs, gives those of the
        inputs, instead of the graph's own.
    lop_overrides : callable or OpFromGraph, optional
        The same, called with the inputs, the outputs and the gradients.
    rop_overrides : callable or OpFromGraph, optional
        Called with the inputs and the directions, gives those of the outputs.
    connection_pattern : list of lists of bool, optional
    name : str, optional

    Raises
    ------
    NotImplementedError
        For a list of overrides, one an input: give one that returns them all.
    """

    def __init__(
        self,
        inputs,
        outputs,
        inline=False,
        lop_overrides="default",
        grad_overrides="default",
        rop_overrides="default",
        connection_pattern=None,
        name=None,
        **kwargs,
    ):
        if not isinstance(outputs, list):
            raise TypeError(
                f"the outputs of an OpFromGraph must be a list, got {outputs!r}"
            )
        overrides = {
            "grad_overrides": grad_overrides,
            "lop_overrides": lop_overrides,
            "rop_overrides": rop_overrides,
        }
        for argument, value in overrides.items():
            if isinstance(value, list | tuple):
                raise NotImplementedError(
                    f"OpFromGraph takes one callable for {argument}, which returns a "
                    f"variable for each input, not a list of {len(value)}"
                )
        given = {n: v for n, v in overrides.items() if v not in ("default", None)}
        if "grad_overrides" in given:
            if "lop_overrides" in given:
                raise ValueError("give grad_overrides or lop_overrides, not both")
            given["lop_overrides"] = _without_outputs(given.pop("grad_overrides"))
        if "lop_overrides" in given:
            kwargs["pullback"] = given["lop_overrides"]
        if "rop_overrides" in given:
            kwargs["pushforward"] = given["rop_overrides"]
        self._shared = [
            variable
            for variable in graph_inputs(outputs)
            if isinstance(variable, SharedVariable) and variable not in inputs
        ]
        stand_ins = [variable.type() for variable in self._shared]
        if stand_ins:
            replaced = dict(zip(self._shared, stand_ins, strict=True))
            outputs = clone_replace(outputs, replaced)
        super().__init__(
            [*inputs, *stand_ins],
            outputs,
            inline=inline,
            connection_pattern=connection_pattern,
            name=name,
            **kwargs,
        )

    def __call__(self, *inputs, **kwargs):
        if len(inputs) + len(self._shared) == len(self.inner_inputs):
            inputs = (*inputs, *self._shared)
        return super().__call__(*inputs, **kwargs)


def _without_outputs(gradient):
    """``gradient(inputs, output_gradients)``, called with the outputs between them."""

    @functools.wraps(gradient)
    def pullback(inputs, outputs, output_gradients):
        return gradient(inputs, output_gradients)

    return pullback
