"""Reads Lasagne's layer objects and nolearn's nets, from hyper-parameters alone.

What a layer object keeps of its constructor's arguments is read, and which Theano
variables it holds: never their shapes, nor any size that Lasagne computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from .description import LayerDescription, Network, Shape, SharedFrom
from .errors import DescriptionError
from .read_definitions import (
    is_variable,
    keywords_in,
    lineage_of,
    name_unnamed,
    read_definitions,
    release_of,
)
from .rules import Rule, find_rule

_MISSING = object()


def is_layer(value: object) -> bool:
    """Whether it is one of Lasagne's layer objects."""
    return hasattr(value, "params") and hasattr(value, "get_params")


def is_net(value: object) -> bool:
    """Whether it is one of nolearn's nets."""
    return hasattr(value, "layers") and hasattr(value, "more_params")


def read_net(net: Any, lasagne: str | None = None) -> Network:
    """A network from a nolearn ``NeuralNet``, initialised or not."""
    made = getattr(net, "layers_", None)
    if made:
        return read_named(made, lasagne)
    layers = [net.layers] if is_layer(net.layers) else list(net.layers)
    if layers and all(map(is_layer, layers)):
        return read_layers(layers, lasagne)
    keywords = {**vars(net), **net.more_params}
    return read_definitions(layers, keywords_in(keywords), lasagne)


def read_layers(outputs: Iterable[Any], lasagne: str | None = None) -> Network:
    """A network from the objects of its output layers, those that feed them included.

    The order is that in which Lasagne lists them: each layer after its inputs.
    """
    ordered = in_order(outputs, lambda layer: filter(is_layer, _inputs(layer)))
    named = [
        (layer.name or _name(layer, index), layer)
        for index, layer in enumerate(ordered)
    ]
    return _read_objects(named, lasagne)


def in_order(
    outputs: Iterable[Any], inputs_of: Callable[[Any], Iterable[Any]]
) -> list[Any]:
    """Layers and all that feed them, each after its inputs, as Lasagne lists them."""
    ordered: dict[int, Any] = {}
    opened: set[int] = set()
    pending = list(outputs)[::-1]
    while pending:
        layer = pending[-1]
        if id(layer) in opened:
            pending.pop()
            ordered.setdefault(id(layer), layer)
        else:
            opened.add(id(layer))
            pending += list(inputs_of(layer))[::-1]
    return list(ordered.values())


def read_named(layers: Mapping[Any, Any], lasagne: str | None = None) -> Network:
    """A network from layer objects by name, in the order to keep.

    Layers that feed them and are not among them stand before the first one they feed.
    """
    names = {id(layer): str(name) for name, layer in layers.items()}
    before: dict[int, Any] = {}
    for layer in layers.values():
        for one in in_order([layer], lambda one: _unlisted(one, before)):
            before.setdefault(id(one), one)
    named = [
        (names.get(id(layer)) or layer.name or _name(layer, index), layer)
        for index, layer in enumerate(before.values())
    ]
    return _read_objects(named, lasagne)


def _unlisted(layer: Any, listed: Mapping[int, Any]) -> list[Any]:
    return [one for one in _inputs(layer) if is_layer(one) and id(one) not in listed]


def _name(layer: Any, index: int) -> str:
    return name_unnamed(type(layer).__name__, index)


def _inputs(layer: Any) -> list[Any]:
    """The layers feeding a layer; a shape where it was given that in place of one."""
    several = getattr(layer, "input_layers", None)
    if several is not None:
        shapes = vars(layer).get("input_shapes", ())
        return [
            one if one is not None else tuple(shapes[position])
            for position, one in enumerate(several)
        ]
    single = getattr(layer, "input_layer", None)
    if single is not None:
        return [single]
    given = vars(layer).get("input_shape")
    return [] if given is None else [tuple(given)]


def _read_objects(named: list[tuple[str, Any]], lasagne: str | None) -> Network:
    positions = {id(layer): index for index, (_, layer) in enumerate(named)}
    layers: list[LayerDescription] = []
    for name, layer in named:
        inputs: list[int | Shape] = []
        for source in _inputs(layer):
            if not is_layer(source):
                inputs.append(source)
            elif positions[id(source)] < len(layers):
                inputs.append(positions[id(source)])
            else:
                raise DescriptionError(
                    f"{name}: it is fed by {named[positions[id(source)]][0]!r}, which "
                    "it feeds itself; a network has no cycles",
                    name,
                )
        described = _describe(name, layer, tuple(inputs))
        layers.append(_name_computed(described, layers))
    if not layers:
        raise DescriptionError("there is no layer in this network")
    releases = (release_of(type(layer)) for _, layer in named)
    return Network(tuple(layers), lasagne or next(filter(None, releases), None))


def _describe(
    name: str, layer: Any, inputs: tuple[int | Shape, ...]
) -> LayerDescription:
    lineage = lineage_of(type(layer))
    rule = find_rule(lineage)
    kept = {id(variable): tags for variable, tags in layer.params.items()}
    variables = {
        place: value
        for place, value in vars(layer).items()
        if id(value) in kept or is_variable(value)
    }
    frozen = frozenset(
        place
        for place, value in variables.items()
        if id(value) in kept and "trainable" not in kept[id(value)]
    )
    return LayerDescription(
        name,
        type(layer).__name__,
        lineage,
        _read_arguments(layer, rule) if rule else {},
        inputs,
        variables,
        frozen,
    )


def _name_computed(
    layer: LayerDescription, before: Iterable[LayerDescription]
) -> LayerDescription:
    """Say of variables that are computed, ``W.T``, from which layer's they are.

    Lasagne counts the variable that they are computed from, once.
    """
    held: dict[int, SharedFrom] = {}
    for one in before:
        for place, variable in one.variables.items():
            held.setdefault(id(variable), SharedFrom(one.name, place, computed=True))
    found = {
        place: next((held[id(own)] for own in _leaves(value) if id(own) in held), value)
        for place, value in layer.variables.items()
    }
    return replace(layer, variables=found)


def _leaves(variable: Any) -> list[Any]:
    """The variables that a variable is computed from; none if it is not computed."""
    leaves, seen, pending = [], set(), [variable]
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        made_by = getattr(one, "owner", None)
        if made_by is not None:
            pending += made_by.inputs
        elif one is not variable:
            leaves.append(one)
    return leaves


def _read_arguments(layer: Any, rule: Rule) -> dict[str, object]:
    arguments: dict[str, object] = {}
    for keyword in rule.keywords:
        place = rule.attributes.get(keyword, keyword)
        value = place(layer) if callable(place) else getattr(layer, place, _MISSING)
        if value is _MISSING:
            continue
        arguments[keyword] = read_layers([value]) if is_layer(value) else value
    return arguments
