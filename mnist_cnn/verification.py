"""Builds a described network with the installed Lasagne, to check the hand calculation.

Every layer is made from its hyper-parameters; then each row's output shape and numbers
of parameters are held against what Lasagne says. Initial values do not matter.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import lasagne

import theano.tensor as T

from . import by_hand
from .by_hand.description import (
    LayerDescription,
    Network,
    Shape,
    SharedFrom,
    format_count,
    format_shape,
    lasagne_release,
)
from .by_hand.rows import Row, Table
from .by_hand.rules import find_rule
from .errors import ExperimentError


class VerificationError(ExperimentError, ValueError):
    """The installed Lasagne cannot build what is described."""


@dataclass(frozen=True)
class Built:
    """What Lasagne makes of one layer.

    Attributes
    ----------
    output_shape : tuple
        The whole shape, the batch first.
    parameters, non_trainable : int
        Numbers of parameters that are trained and that are not; those that an earlier
        layer has, too, are counted there.
    """

    output_shape: Shape
    parameters: int
    non_trainable: int


@dataclass(frozen=True)
class VerifiedRow:
    """One layer by hand, and as Lasagne builds it.

    Attributes
    ----------
    row : by_hand.Row
    built : Built or None
        None where Lasagne refuses the layer or one before it.
    refusal : str
        How Lasagne refuses it; empty if it does not.
    """

    row: Row
    built: Built | None
    refusal: str = ""

    @property
    def agrees(self) -> bool:
        """Whether size and numbers are known by hand and are Lasagne's."""
        row, built = self.row, self.built
        return built is not None and (
            row.output_shape,
            row.parameters,
            row.non_trainable,
        ) == (built.output_shape, built.parameters, built.non_trainable)

    def __str__(self) -> str:
        by_hand_ = _say(self.row.size, self.row.parameters, self.row.non_trainable)
        if self.built is None:
            told = self.refusal or "not built"
        else:
            size = self.built.output_shape[1:]
            told = _say(size, self.built.parameters, self.built.non_trainable)
        return f"  {self.row.name}: by hand {by_hand_}; Lasagne: {told}"


@dataclass(frozen=True)
class Verification:
    """The hand calculation of a network, held against the installed Lasagne.

    Attributes
    ----------
    version : str
        Lasagne's.
    table : by_hand.Table
    rows : tuple of VerifiedRow
    """

    version: str
    table: Table
    rows: tuple[VerifiedRow, ...]

    @property
    def agrees(self) -> bool:
        """Whether every row agrees; what is not known by hand does not."""
        return all(row.agrees for row in self.rows)

    def __str__(self) -> str:
        if self.agrees:
            return (
                f"Lasagne {self.version} builds the same: size and parameters of all "
                f"{len(self.rows)} layers,\n{format_count(self.table.total)} learnable "
                "parameters in all."
            )
        different = [row for row in self.rows if not row.agrees]
        return "\n".join(
            [
                f"Lasagne {self.version} and hand DIFFER in {len(different)} of "
                f"{len(self.rows)} layers:",
                *map(str, different),
            ]
        )


def verify(network: Network) -> Verification:
    """Build a network with the installed Lasagne and compare it row by row.

    Parameters
    ----------
    network : by_hand.Network
        It is calculated by the rules of the installed version.

    Raises
    ------
    VerificationError
        If the installed Lasagne has no such layer, or another version is asked for.
    by_hand.HandCalculationError
        If the network cannot be calculated.
    """
    version = lasagne.__version__
    installed = lasagne_release(version)
    if network.lasagne not in (None, installed):
        raise VerificationError(
            f"Lasagne {version} is installed: it cannot verify what {network.lasagne} "
            "does"
        )
    network = replace(network, lasagne=installed)
    table = by_hand.calculate(network)
    classes = [_find_class(layer) for layer in network.layers]
    rows: list[VerifiedRow] = []
    made: list[Any] = []
    counted: set[int] = set()
    for row, layer, layer_class in zip(
        table.rows, network.layers, classes, strict=True
    ):
        built, refusal = None, ""
        if len(made) == len(rows):
            try:
                made.append(_build(layer, layer_class, made, network))
                built = _describe(made[-1], counted)
            except MemoryError:
                raise VerificationError(
                    f"{layer.name}: there is not enough memory for its parameters"
                ) from None
            except Exception as error:
                refusal = f"{type(error).__name__}: {' '.join(str(error).split())}"
        rows.append(VerifiedRow(row, built, refusal[:200]))
    return Verification(version, table, tuple(rows))


def _find_class(layer: LayerDescription) -> Any:
    """The class in Lasagne whose rule holds for the layer."""
    for name in layer.lineage:
        found = getattr(lasagne.layers, name, None)
        if found is not None:
            return found
    raise VerificationError(
        f"{layer.name}: the installed Lasagne {lasagne.__version__} has no "
        f"{layer.lineage[-1]}, so it cannot verify the network"
    )


_BESIDE = ("mask_input", "hid_init", "cell_init")
"""Keywords of further layers that feed a recurrent layer, in Lasagne's order."""

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "function": lambda value: value,
    "merge_function": T.add,
}
"""What layers need and sizes do not depend on."""


def _build(
    layer: LayerDescription, layer_class: Any, made: list[Any], network: Network
) -> Any:
    """A layer of Lasagne's, from its hyper-parameters and what feeds it."""
    rule = find_rule(layer.lineage)
    assert rule is not None
    feeding = [made[one] if isinstance(one, int) else one for one in layer.inputs]
    keywords = {
        keyword: _make_argument(layer, keyword, value)
        for keyword, value in layer.arguments.items()
        if keyword in rule.keywords and not _is_left_out(keyword, value)
    }
    for keyword in rule.inputs:
        if "." not in keyword:
            keywords[keyword] = feeding[1]
    keywords |= dict(zip(_find_beside(layer), feeding[1:], strict=False))
    keywords |= {
        keyword: function
        for keyword, function in _FUNCTIONS.items()
        if keyword in rule.ignored
    }
    if "W" in rule.ignored:
        keywords["W"] = lasagne.init.Constant(0.0)
    names = [one.name for one in network.layers]
    for keyword, variable in layer.variables.items():
        if isinstance(variable, SharedFrom):
            source = getattr(made[names.index(variable.layer)], variable.tensor)
            keywords[keyword] = source.T if variable.computed else source
        elif keyword in ("W", "b"):
            keywords[keyword] = variable
    built = _call(layer_class, feeding, keywords, layer)
    for name in layer.frozen:
        built.params[getattr(built, name)].discard("trainable")
    return built


def _call(
    layer_class: Any,
    feeding: list[Any],
    keywords: dict[str, Any],
    layer: LayerDescription,
) -> Any:
    if issubclass(layer_class, lasagne.layers.InputLayer):
        return layer_class(name=layer.name, **keywords)
    merges = "incomings" in inspect.signature(layer_class).parameters
    return layer_class(feeding if merges else feeding[0], name=layer.name, **keywords)


def _find_beside(layer: LayerDescription) -> list[str]:
    """The keywords under which a recurrent layer takes the layers after the first."""
    return [
        keyword
        for keyword in _BESIDE
        if isinstance(layer.arguments.get(keyword), str) and len(layer.inputs) > 1
    ]


def _is_left_out(keyword: str, value: object) -> bool:
    """Whether a value only says that there is one, as Lasagne has it by default."""
    return keyword != "shape" and (
        (keyword in ("b", "beta", "gamma") and value is not None)
        or (keyword in _BESIDE and value in (None, True))
    )


def _make_argument(owner: LayerDescription, keyword: str, value: object) -> Any:
    if isinstance(value, Network):
        made: list[Any] = []
        for layer in value.layers:
            made.append(_build(layer, _find_class(layer), made, value))
        return made[-1]
    if keyword in _BESIDE and isinstance(value, str):
        return T.matrix()
    if keyword == "shape" and isinstance(value, (tuple, list)):
        # Of a reshape, None stands for a size that only a Theano expression has.
        is_reshape = "ReshapeLayer" in owner.lineage
        return tuple(
            T.iscalar() if is_reshape and one is None else one for one in value
        )
    return value


def _describe(layer: Any, counted: set[int]) -> Built:
    """The shape and counts that Lasagne tells of a layer."""
    counts = {True: 0, False: 0}
    trained = {id(one) for one in layer.get_params(trainable=True)}
    for parameter in layer.get_params():
        if id(parameter) not in counted and hasattr(parameter, "get_value"):
            counted.add(id(parameter))
            shape = parameter.get_value(borrow=True).shape
            counts[id(parameter) in trained] += prod(shape)
    return Built(tuple(layer.output_shape), counts[True], counts[False])


def _say(size: Shape | None, parameters: int | None, non_trainable: int) -> str:
    told = "?" if size is None else format_shape(size)
    more = f" (and {format_count(non_trainable)} not trained)" if non_trainable else ""
    return f"{told} with {format_count(parameters)} parameters{more}"
