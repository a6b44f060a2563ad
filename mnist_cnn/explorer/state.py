"""A network as the page holds it: layers in JSON, ``[[class, keywords], ...]``.

The form is that of :mod:`mnist_cnn.by_hand.read_json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..by_hand.description import LayerDescription, Network, SharedFrom, lasagne_release
from ..by_hand.errors import DescriptionError
from ..by_hand.read_definitions import read_definitions, read_slice, shorten
from ..by_hand.rules import Rule, find_rule

Layers = list[list[Any]]

MOST_LAYERS = 1_000
_LARGEST = 10**12
_DEEPEST = 8


def read_state(state: object) -> Network:
    """The network that the page sent: ``{"layers": [...], "lasagne": "0.1"}``.

    Raises
    ------
    DescriptionError
        If it is none, or larger than any that people draw.
    """
    if not isinstance(state, dict) or not isinstance(state.get("layers"), list):
        raise DescriptionError(
            f'got {shorten(state)}, where an object with "layers", a list, is needed'
        )
    if len(state["layers"]) > MOST_LAYERS:
        raise DescriptionError(
            f"it has {len(state['layers'])} layers; {MOST_LAYERS} are the most here"
        )
    lasagne = state.get("lasagne")
    if lasagne is not None and not isinstance(lasagne, str):
        raise DescriptionError(
            f'"lasagne" is {shorten(lasagne)}, where "0.1" is needed'
        )
    release = None if lasagne is None else lasagne_release(lasagne)
    return read_definitions(_decode(state["layers"], 0), lasagne=release)


def write_state(network: Network) -> dict[str, Any]:
    """What :func:`read_state` reads the same network from.

    Raises
    ------
    DescriptionError
        If a layer has what JSON cannot say, such as a network of its own inside.
    """
    names = [layer.name for layer in network.layers]
    layers = [
        _write_layer(layer, names, index) for index, layer in enumerate(network.layers)
    ]
    return {"layers": layers, "lasagne": network.lasagne}


def _decode(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise DescriptionError("a value in it is nested too deeply")
    if isinstance(value, list):
        return [_decode(one, depth + 1) for one in value]
    if isinstance(value, dict):
        if set(value) == {"slice"}:
            return read_slice(_decode(value["slice"], depth + 1))
        return {str(key): _decode(one, depth + 1) for key, one in value.items()}
    if isinstance(value, (int, float)) and abs(value) > _LARGEST:
        raise DescriptionError(f"{shorten(value)} is larger than any size here may be")
    return value


def _write_layer(layer: LayerDescription, names: list[str], index: int) -> list[Any]:
    known_as = next((one for one in layer.lineage if find_rule([one])), layer.type)
    rule = find_rule([known_as])
    keywords: dict[str, Any] = {"name": layer.name}
    if rule is not None:
        for keyword in rule.keywords:
            if keyword in layer.arguments:
                value = layer.arguments[keyword]
                keywords[keyword] = _encode(layer.name, keyword, value)
        keywords |= _write_inputs(layer, rule, names, index)
    for keyword, variable in layer.variables.items():
        if not isinstance(variable, SharedFrom):
            continue
        if variable.tensor != keyword or keyword not in ("W", "b"):
            raise DescriptionError(
                f"{layer.name}: its {keyword} is {variable.layer}.{variable.tensor}, "
                "which the page cannot say",
                layer.name,
            )
        keywords[keyword] = variable.layer
    return [known_as, keywords]


def _write_inputs(
    layer: LayerDescription, rule: Rule, names: list[str], index: int
) -> Mapping[str, Any]:
    """The keywords that name what feeds a layer, where the one before it does not."""
    feeding = [
        names[one] if isinstance(one, int) else list(one) for one in layer.inputs
    ]
    named = [keyword for keyword in rule.inputs if "." not in keyword]
    if named and len(feeding) > 1:
        return {"incoming": feeding[0], **dict(zip(named, feeding[1:], strict=False))}
    if len(feeding) > 1:
        return {"incomings": feeding}
    if feeding and layer.inputs[0] != index - 1:
        return {"incoming": feeding[0]}
    return {}


def _encode(layer: str, keyword: str, value: object) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)):
        return [_encode(layer, keyword, one) for one in value]
    if isinstance(value, slice):
        return {"slice": [value.start, value.stop, value.step]}
    if hasattr(value, "__index__"):
        return value.__index__()
    if keyword in ("b", "beta", "gamma"):
        # Any value says that there is one.
        return True
    raise DescriptionError(
        f"{layer}: its {keyword} is {shorten(value)}, which the page cannot say", layer
    )
