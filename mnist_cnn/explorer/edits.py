"""A network with layers put in or taken out, and what they fed fed anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..by_hand.description import (
    LayerDescription,
    Network,
    Shape,
    SharedFrom,
    format_shape,
)
from ..by_hand.errors import DescriptionError
from ..by_hand.read_definitions import name_unnamed, read_definitions
from ..by_hand.read_short import read_words
from ..by_hand.walk import attempt

Feeding = int | Shape


def insert(network: Network, after: int, text: str) -> Network:
    """The network with further layers behind one; they feed what it fed.

    Parameters
    ----------
    after : int
        The position of that layer.
    text : str
        Words of the short form: ``"conv16@3+same pool2"``.

    Raises
    ------
    DescriptionError
        If there is no such layer, or the text is none of the short form.
    """
    before = _find(network, after)
    table, _ = attempt(network)
    size = table.rows[after].size if after < len(table) else None
    if size is None:
        raise DescriptionError(
            f"nothing can be put behind {before.name}, for its size is not known",
            before.name,
        )
    words = read_words(text, size)
    if not words:
        raise DescriptionError(
            f"needed are layers in the short form, such as dense64; {before.name} "
            f"gives {format_shape(size)}"
        )
    start = ("InputLayer", {"shape": (None, *size)})
    new = read_definitions([start, *words]).layers[1:]
    taken = {one.name for one in network.layers}
    given = {keywords.get("name") for _, keywords in words}
    made = []
    for place, layer in enumerate(new):
        name = layer.name
        if name not in given:
            name = name_unnamed(layer.type, after + 1 + place)
        name = _make_unique(name, taken)
        taken.add(name)
        made.append(replace(layer, name=name, inputs=(after + place,)))
    shift, last = len(made), after + len(made)

    def move(one: Feeding) -> Feeding:
        if not isinstance(one, int) or one < after:
            return one
        return last if one == after else one + shift

    behind = [_feed(layer, move) for layer in network.layers[after + 1 :]]
    layers = (*network.layers[: after + 1], *made, *behind)
    return replace(network, layers=layers)


def remove(network: Network, place: int) -> Network:
    """The network without a layer; what fed it feeds what it fed.

    Raises
    ------
    DescriptionError
        If there is no such layer, or others cannot be without it.
    """
    layer = _find(network, place)
    others = (*network.layers[:place], *network.layers[place + 1 :])
    for one in others:
        if not layer.inputs and place in one.inputs:
            raise DescriptionError(
                f"{layer.name} cannot be removed: it feeds {one.name}", layer.name
            )
        if any(
            isinstance(variable, SharedFrom) and variable.layer == layer.name
            for variable in one.variables.values()
        ):
            raise DescriptionError(
                f"{layer.name} cannot be removed: {one.name} has its weights",
                layer.name,
            )

    def move(one: Feeding) -> Feeding:
        if one == place:
            return layer.inputs[0]
        return one - 1 if isinstance(one, int) and one > place else one

    layers = tuple(_feed(one, move) for one in others)
    if not layers:
        raise DescriptionError("the last layer cannot be removed")
    return replace(network, layers=layers)


def _find(network: Network, place: int) -> LayerDescription:
    if not 0 <= place < len(network.layers):
        raise DescriptionError(f"there is no layer number {place}")
    return network.layers[place]


def _feed(
    layer: LayerDescription, move: Callable[[Feeding], Feeding]
) -> LayerDescription:
    return replace(layer, inputs=tuple(map(move, layer.inputs)))


def _make_unique(name: str, taken: set[str]) -> str:
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    return unique
