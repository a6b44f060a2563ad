"""Reads a list of layer definitions: nolearn's forms, and the same as JSON has them.

An entry is ``(name, class)`` with the hyper-parameters elsewhere, or ``(class,
{keywords})``; a class may be named by a string. Without ``incoming`` or ``incomings``
a layer is fed by the one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from .description import LayerDescription, Network, Shape, SharedFrom
from .errors import DescriptionError
from .rules import find_rule

KeywordsOf = Callable[[str], Mapping[str, object]]


def read_definitions(
    definitions: Iterable[object],
    keywords_of: KeywordsOf = lambda name: {},
    lasagne: str | None = None,
) -> Network:
    """A network from a list of definitions.

    Parameters
    ----------
    definitions : iterable
    keywords_of : callable
        Further hyper-parameters of the layer of a name, as nolearn's
        ``NeuralNet(..., conv2d1_num_filters=32)`` gives them.
    lasagne : str, optional
        "0.1" or "0.2".

    Raises
    ------
    DescriptionError
        If an entry has another form, two layers one name, or a layer is fed by one
        that does not come before it.
    """
    layers: list[LayerDescription] = []
    positions: dict[str, int] = {}
    for index, definition in enumerate(definitions):
        layer = _read_layer(index, definition, keywords_of, layers, positions)
        if layer.name in positions:
            raise DescriptionError(
                f"two layers have the name {layer.name!r}, number "
                f"{positions[layer.name]} and number {index}",
                layer.name,
            )
        positions[layer.name] = index
        layers.append(layer)
    if not layers:
        raise DescriptionError("there is no layer in this network")
    return Network(tuple(layers), lasagne)


def name_type(layer_class: object) -> str:
    """The name of a layer's class, given as the class or as a string with dots."""
    if isinstance(layer_class, str):
        return layer_class.rpartition(".")[2]
    return str(getattr(layer_class, "__name__", layer_class))


def name_unnamed(type_: str, index: int) -> str:
    """The name nolearn gives a layer without one.

    >>> name_unnamed("Conv2DLayer", 1)
    'conv2d1'
    """
    return f"{type_.lower().replace('layer', '')}{index}"


def lineage_of(layer_class: object) -> tuple[str, ...]:
    """Names under which a class may have a rule: its own, then those of its bases.

    A base's rule no longer holds once a class has a shape or a parameter of its own.
    """
    if not isinstance(layer_class, type):
        return (name_type(layer_class),)
    names = []
    for one in layer_class.__mro__[:-1]:
        names.append(one.__name__)
        if _changes_rule(one):
            break
    return tuple(names)


def _changes_rule(layer_class: type) -> bool:
    members = vars(layer_class)
    return "get_output_shape_for" in members or any(
        "add_param" in getattr(getattr(member, "__code__", None), "co_names", ())
        for member in members.values()
    )


def _read_layer(
    index: int,
    definition: object,
    keywords_of: KeywordsOf,
    layers: Sequence[LayerDescription],
    positions: Mapping[str, int],
) -> LayerDescription:
    if (
        isinstance(definition, str)
        or not isinstance(definition, Sequence)
        or len(definition) != 2
    ):
        raise DescriptionError(
            f"layer number {index} is {definition!r}; needed is a pair, (name, class) "
            "or (class, {keyword: value})"
        )
    first, second = definition
    if isinstance(second, Mapping):
        layer_class, given = first, dict(second)
    else:
        layer_class, given = second, {"name": first}
    type_ = name_type(layer_class)
    name = given.get("name")
    if name is None:
        name = name_unnamed(type_, index)
    if not isinstance(name, str):
        raise DescriptionError(
            f"layer number {index} has the name {name!r}; needed is a string"
        )
    given |= keywords_of(name)
    given.pop("name", None)
    return describe_layer(
        name, type_, lineage_of(layer_class), given, layers, positions
    )


def describe_layer(
    name: str,
    type_: str,
    lineage: tuple[str, ...],
    keywords: dict[str, object],
    layers: Sequence[LayerDescription],
    positions: Mapping[str, int],
) -> LayerDescription:
    """A layer from all its keywords, those that name the layers feeding it among them.

    Parameters
    ----------
    layers, positions
        The layers before it, and where each name is among them.
    """
    rule = find_rule(lineage)
    inputs: list[int | Shape] = []

    def feed(source: object) -> None:
        if isinstance(source, str):
            if source not in positions:
                known = ", ".join(positions) or "none"
                raise DescriptionError(
                    f"{name}: it is fed by {source!r}, which is no layer before it "
                    f"(those are: {known})",
                    name,
                )
            inputs.append(positions[source])
        elif isinstance(source, Sequence):
            inputs.append(tuple(source))
        else:
            raise DescriptionError(
                f"{name}: it is fed by {source!r}; needed is the name of a layer, or a "
                "shape",
                name,
            )

    if "incomings" in keywords:
        sources = keywords.pop("incomings")
        if isinstance(sources, str) or not isinstance(sources, Iterable):
            raise DescriptionError(
                f"{name}: incomings={sources!r}, where a list of names is needed", name
            )
        for source in sources:
            feed(source)
    elif "incoming" in keywords:
        feed(keywords.pop("incoming"))
    elif layers and "InputLayer" not in lineage:
        inputs.append(len(layers) - 1)
    for keyword in rule.inputs if rule else ():
        keyword, dot, _ = keyword.partition(".")
        if dot and isinstance(inputs[-1], int):
            inputs += layers[inputs[-1]].inputs[:1]
        elif keyword in keywords:
            feed(keywords.pop(keyword))
    variables: dict[str, object] = {}
    for keyword, value in list(keywords.items()):
        if keyword in ("W", "b") and isinstance(value, str):
            variables[keyword] = SharedFrom(value, keyword)
        elif hasattr(value, "owner"):
            variables[keyword] = value
    return LayerDescription(name, type_, lineage, keywords, tuple(inputs), variables)
