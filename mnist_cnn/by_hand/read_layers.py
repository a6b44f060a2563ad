"""Reads Lasagne's layer objects: their hyper-parameters, never their results.

A Theano variable is taken for what it is, the same one as another's or not; its value
and shape are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .description import LayerDescription, Network, Shape
from .read_definition import default_name, find_lineage, version_of
from .rules import Rule, find_rule


def is_layer(value: object) -> bool:
    """Whether it is a Lasagne layer, told without knowing Lasagne."""
    return hasattr(value, "params") and any(
        one.__name__ == "Layer" for one in type(value).__mro__
    )


def read_layers(
    outputs: Iterable[object],
    named: Mapping[str, object] | None = None,
    lasagne: str | None = None,
) -> Network:
    """The network that ends in these layers.

    Parameters
    ----------
    outputs : iterable of Lasagne layers
    named : mapping, optional
        Layers by name, in the order to keep: nolearn's ``net.layers_``. Other layers
        have their own name, or the one nolearn would give them.
    lasagne : str, optional
        Version whose behaviour is asked for; by default that of the layers' classes.
    """
    named = named or {}
    outputs = list(outputs)
    layers = sort_layers([*named.values(), *outputs])
    names = {id(layer): name for name, layer in named.items()}
    for output in outputs:
        for place, layer in enumerate(sort_layers([output])):
            own = getattr(layer, "name", None)
            name = own or default_name(type(layer).__name__, place)
            names.setdefault(id(layer), name)
    places = {id(layer): place for place, layer in enumerate(layers)}
    described = tuple(
        _describe(layer, names.get(id(layer), ""), places, names) for layer in layers
    )
    if lasagne is None:
        versions = (version_of(type(layer)) for layer in layers)
        lasagne = next(filter(None, versions), None)
    return Network(described, lasagne)


def sort_layers(outputs: Sequence[object]) -> list[object]:
    """The layers and all that feed them, inputs first, depth first, each once."""
    stack = list(reversed(outputs))
    entered: set[int] = set()
    done: dict[int, object] = {}
    while stack:
        layer = stack[-1]
        if id(layer) in entered:
            done.setdefault(id(layer), stack.pop())
            continue
        entered.add(id(layer))
        stack += [
            one for one in reversed(_feeding(layer)) if is_layer(one)
        ]
    return list(done.values())


def _feeding(layer: object) -> list[object]:
    """What feeds a layer: layers, and shapes where it was given one in their place."""
    if hasattr(layer, "input_layers"):
        shapes = layer.input_shapes
        return [
            shape if one is None else one
            for one, shape in zip(layer.input_layers, shapes, strict=True)
        ]
    feeding = getattr(layer, "input_layer", None)
    if feeding is None:
        return [layer.input_shape] if "input_shape" in vars(layer) else []
    return [feeding]


def _describe(
    layer: object, name: str, places: Mapping[int, int], names: Mapping[int, str]
) -> LayerDescription:
    lineage = find_lineage(type(layer))
    rule = find_rule(lineage)
    attributes = vars(layer)
    parameters: Mapping[object, Iterable[str]] = attributes["params"]
    held = {id(variable): tags for variable, tags in parameters.items()}
    variables = {
        attribute: value for attribute, value in attributes.items() if id(value) in held
    }
    frozen = frozenset(
        attribute
        for attribute, value in variables.items()
        if "trainable" not in held[id(value)]
    )
    inputs: list[int | Shape] = []
    for one in _feeding(layer):
        inputs.append(places[id(one)] if is_layer(one) else tuple(one))
    arguments = _read_arguments(layer, rule, names) if rule else {}
    return LayerDescription(
        name,
        type(layer).__name__,
        lineage,
        arguments,
        tuple(inputs),
        variables,
        frozen,
    )


_ABSENT = object()


def _read_arguments(
    layer: object, rule: Rule, names: Mapping[int, str]
) -> dict[str, object]:
    """Hyper-parameters that the rule asks for, from where the object keeps them."""
    arguments = {}
    for keyword in rule.keywords:
        where = rule.attributes.get(keyword, keyword)
        value = where(layer) if callable(where) else getattr(layer, where, _ABSENT)
        if value is not _ABSENT:
            arguments[keyword] = names.get(id(value), "") if is_layer(value) else value
    return arguments
