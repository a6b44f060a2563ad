"""Functions of Lasagne that put layers behind a layer, before its nonlinearity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from .rules import find_rule

_TYPES = {
    "batch_norm": ("_bn", ("BatchNormLayer",)),
    "batch_norm_dnn": ("_bn", ("BatchNormDNNLayer",)),
    "instance_norm": ("_in", ("StandardizationLayer", "ScaleLayer", "BiasLayer")),
    "layer_norm": ("_ln", ("StandardizationLayer", "ScaleLayer", "BiasLayer")),
}
"""How the names of the layers end that each function makes, and which they are."""

_LEFT_OUT = {"ScaleLayer": "learn_scale", "BiasLayer": "learn_bias"}
"""Keywords of ``instance_norm`` that, given as False, leave out a layer."""

_NO_NONLINEARITY = frozenset({"GRULayer", "RandomizedRectifierLayer"})

WRAPPERS = frozenset(_TYPES)


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A function that is known by name alone, and what it is called with."""

    name: str
    keywords: Mapping[str, object] = field(default_factory=dict)


def name_wrapper(value: object) -> Wrapper:
    """The function that a value is: one, its name with dots, or a ``partial``."""
    if isinstance(value, Wrapper):
        return value
    if isinstance(value, partial):
        return Wrapper(name_wrapper(value.func).name, value.keywords)
    name = value if isinstance(value, str) else getattr(value, "__name__", str(value))
    return Wrapper(name.rpartition(".")[2])


def takes_no_bias(lineage: Sequence[str]) -> bool:
    """Whether a layer of these classes loses its biases when it is wrapped."""
    return "b" in _taken(lineage) and "RecurrentLayer" not in lineage


def wrap(
    function: Wrapper, lineage: Sequence[str], name: str | None
) -> list[tuple[str, dict[str, object]]]:
    """The classes and keywords of the layers that one of `WRAPPERS` makes, in order.

    Parameters
    ----------
    lineage
        Of the layer that is wrapped.
    name
        Its name, if it has one.
    """
    ending, types = _TYPES[function.name]
    keywords = {key: one for key, one in function.keywords.items() if key != "layer"}
    left_out = {
        kind
        for kind, keyword in _LEFT_OUT.items()
        if function.name == "instance_norm" and keywords.pop(keyword, True) is False
    }
    first = keywords.pop("name", None)
    if first is None and name is not None:
        first = name + ending
    made: list[tuple[str, dict[str, object]]] = []
    for kind in types:
        if kind not in left_out:
            given = {} if made else keywords
            tail = f"_{kind.removesuffix('Layer').lower()}" if made else ""
            made.append((kind, _named(first, tail) | given))
    if "nonlinearity" in _taken(lineage) and _NO_NONLINEARITY.isdisjoint(lineage):
        made.append(("NonlinearityLayer", _named(first, "_nonlin")))
    return made


def _named(first: object, tail: str) -> dict[str, object]:
    return {} if first is None else {"name": f"{first}{tail}"}


def _taken(lineage: Sequence[str]) -> set[str]:
    rule = find_rule(tuple(lineage))
    return set() if rule is None else {*rule.keywords, *rule.ignored}
