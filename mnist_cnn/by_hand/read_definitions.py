"""Reads a list of layer definitions: nolearn's forms, and the same as JSON has them.

An entry is ``(name, class)`` with the hyper-parameters elsewhere, or ``(class,
{keywords})``; a class may be named by a string. Without ``incoming`` or ``incomings``
a layer is fed by the one before it. Nothing is built here, and nothing imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from .description import LayerDescription, Network, Shape, SharedFrom, lasagne_release
from .errors import DescriptionError
from .rules import find_rule
from .wrappers import WRAPPERS, Wrapper, name_wrapper, takes_no_bias, wrap

KeywordsOf = Callable[[str], Mapping[str, object]]

ALIASES = {
    "bc01_to_c01b": "ShuffleBC01ToC01BLayer",
    "c01b_to_bc01": "ShuffleC01BToBC01Layer",
    "concat": "ConcatLayer",
    "dimshuffle": "DimshuffleLayer",
    "dropout": "DropoutLayer",
    "flatten": "FlattenLayer",
    "inverse": "InverseLayer",
    "pad": "PadLayer",
    "prelu": "ParametricRectifierLayer",
    "reshape": "ReshapeLayer",
    "rrelu": "RandomizedRectifierLayer",
}
"""Lasagne's other names for its classes, and its functions that make one layer."""

NOLEARNS_OWN = frozenset(
    {
        *("layers", "update", "loss", "objective", "objective_loss_function"),
        *("batch_iterator_train", "batch_iterator_test", "regression", "max_epochs"),
        *("train_split", "custom_score", "custom_scores", "scores_train"),
        *("scores_valid", "X_tensor_type", "y_tensor_type", "use_label_encoder"),
        *("on_batch_finished", "on_epoch_finished", "on_training_started"),
        *("on_training_finished", "more_params", "check_input", "verbose"),
        *("eval_size", "on_batch_started"),
    }
)
"""Keywords of ``NeuralNet`` that say nothing of a layer."""

_SHARED_BY_NAME = ("W", "b")
"""Keywords in which nolearn takes another layer's name for that layer's tensor."""


@dataclass(frozen=True, slots=True)
class NamedClass:
    """A layer's class that is known by name alone, and its :func:`lineage_of`."""

    name: str
    lineage: tuple[str, ...]


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
        "0.1" or "0.2"; by default that of the classes, where they are classes.

    Raises
    ------
    DescriptionError
        If an entry has another form, two layers one name, or a layer is fed by one
        that does not come before it.
    """
    layers: list[LayerDescription] = []
    positions: dict[str, int] = {}
    release = None if lasagne is None else lasagne_release(lasagne)
    pairs = [_read_pair(*one) for one in enumerate(definitions)]
    for index, (layer_class, given) in enumerate(pairs):
        type_ = name_type(layer_class)
        name = given.get("name")
        if name is None:
            name = name_unnamed(type_, index)
        if not isinstance(name, str):
            raise DescriptionError(
                f"layer number {index} has the name {name!r}; needed is a string"
            )
        if name in positions:
            raise DescriptionError(
                f"two layers have the name {name!r}, number {positions[name]} and "
                f"number {index}",
                name,
            )
        given |= keywords_of(name)
        given.pop("name", None)
        wrapper = given.pop("layer_wrapper", None)
        _check_order(index, name, pairs, given, positions, keywords_of)
        layer = describe_layer(
            name, type_, lineage_of(layer_class), given, layers, positions
        )
        release = release or release_of(layer_class)
        positions[name] = len(layers)
        layers.append(layer)
        if wrapper is not None:
            _wrap(name_wrapper(wrapper), layers)
            positions[layers[-1].name] = len(layers) - 1
    if not layers:
        raise DescriptionError("there is no layer in this network")
    return Network(tuple(layers), release)


def _wrap(function: Wrapper, layers: list[LayerDescription]) -> None:
    """Put behind the last layer what nolearn's ``layer_wrapper`` makes of it."""
    layer = layers[-1]
    name = f"LW_{layer.name}"
    if function.name not in WRAPPERS:
        type_ = name_type(function.name)
        if find_rule((type_,)) is None:
            raise DescriptionError(
                f"{layer.name}: what its layer_wrapper, {function.name}, makes of it "
                f"only running it tells; known are {', '.join(sorted(WRAPPERS))}, and "
                "classes and functions that make one layer",
                layer.name,
            )
        made: list[tuple[str, dict[str, object]]] = [(type_, {**function.keywords})]
    else:
        made = wrap(function, layer.lineage, layer.name)
        if takes_no_bias(layer.lineage):
            layers[-1] = replace(layer, arguments={**layer.arguments, "b": None})
    for place, (type_, given) in enumerate(made):
        own = given.pop("name", name)
        called = name if place == len(made) - 1 else str(own)
        feeding = (len(layers) - 1,)
        layers.append(LayerDescription(called, type_, (type_,), given, feeding))


def keywords_in(keywords: Mapping[str, object]) -> KeywordsOf:
    """The hyper-parameters of a layer among ``{"conv1_num_filters": 32}``.

    >>> keywords_in({"conv1_num_filters": 32, "conv10_pad": 1})("conv1")
    {'num_filters': 32}
    """

    def keywords_of(name: str) -> Mapping[str, object]:
        prefix = f"{name}_"
        return {
            key.removeprefix(prefix): value
            for key, value in keywords.items()
            if key.startswith(prefix)
        }

    return keywords_of


def check_keywords(network: Network, keywords: Iterable[str]) -> None:
    """Refuse keywords that are neither nolearn's own nor begin with a layer's name.

    Raises
    ------
    DescriptionError
        Naming all of them.
    """
    names = [layer.name for layer in network.layers]
    known = tuple(f"{name}_" for name in [*names, "update", "objective"])
    unused = [
        one for one in keywords if one not in NOLEARNS_OWN and not one.startswith(known)
    ]
    if unused:
        raise DescriptionError(
            f"no layer takes {', '.join(unused)}: the keyword of a layer starts with "
            f"its name and an underscore, and the layers are {', '.join(names)}"
        )


def name_type(layer_class: object) -> str:
    """The name of a layer's class, given as the class or as a string with dots."""
    if isinstance(layer_class, NamedClass):
        return layer_class.name
    if isinstance(layer_class, str):
        name = layer_class.rpartition(".")[2]
    else:
        name = str(getattr(layer_class, "__name__", layer_class))
    return ALIASES.get(name, name)


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
    if isinstance(layer_class, NamedClass):
        return layer_class.lineage
    if not isinstance(layer_class, type):
        return (name_type(layer_class),)
    names = []
    for one in layer_class.__mro__[:-1]:
        names.append(one.__name__)
        if _changes_rule(one):
            break
    return tuple(names)


def release_of(layer_class: object) -> str | None:
    """The release of Lasagne that a class is of, or a base of it; None if of none."""
    for one in getattr(layer_class, "__mro__", ()):
        if one.__module__.partition(".")[0] == "lasagne":
            version = getattr(sys.modules.get("lasagne"), "__version__", None)
            return None if version is None else lasagne_release(version)
    return None


def read_slice(parts: object) -> slice:
    """The slice that JSON writes as ``{"slice": [start, stop, step]}``.

    Raises
    ------
    DescriptionError
        If these are not up to three whole numbers, None among them.
    """
    if (
        isinstance(parts, list)
        and 1 <= len(parts) <= 3
        and all(one is None or type(one) is int for one in parts)
    ):
        return slice(*parts)
    raise DescriptionError(
        f"{shorten(parts)} is no slice, [start, stop, step], each a number or null"
    )


def is_variable(value: object) -> bool:
    """Whether it is a Theano variable, told without knowing Theano."""
    return hasattr(value, "owner") and hasattr(value, "type")


def shorten(value: object, width: int = 60) -> str:
    """``repr`` of a value, cut to a width."""
    text = repr(value)
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _changes_rule(layer_class: type) -> bool:
    members = vars(layer_class)
    return "get_output_shape_for" in members or any(
        "add_param" in getattr(getattr(member, "__code__", None), "co_names", ())
        for member in members.values()
    )


def _read_pair(index: int, definition: object) -> tuple[object, dict[str, object]]:
    """The class and the keywords that stand beside it, the name among them."""
    if isinstance(definition, Sequence) and not isinstance(definition, (str, bytes)):
        match tuple(definition):
            case [str() | type() | NamedClass() as layer_class, Mapping() as given] if (
                all(isinstance(key, str) for key in given)
            ):
                return layer_class, dict(given)
            case [str() as name, layer_class] if isinstance(
                layer_class, (str, NamedClass)
            ) or callable(layer_class):
                return layer_class, {"name": name}
            case [layer_class, Mapping() as given] if callable(layer_class):
                return layer_class, dict(given)
    raise DescriptionError(
        f"layer number {index} is {shorten(definition)}; needed is a pair, (name, "
        "class) or (class, {keyword: value})"
    )


def _check_order(
    index: int,
    name: str,
    pairs: Sequence[tuple[object, Mapping[str, object]]],
    given: Mapping[str, object],
    positions: Mapping[str, int],
    keywords_of: KeywordsOf,
) -> None:
    """Refuse a layer that one behind it feeds: say whether that is a cycle."""

    def feeding(keywords: Mapping[str, object]) -> list[str]:
        several = keywords.get("incomings", [])
        sources = [*(several if isinstance(several, (list, tuple)) else [])]
        sources.append(keywords.get("incoming"))
        return [one for one in sources if isinstance(one, str)]

    if all(one in positions for one in feeding(given)):
        return
    later = {name: feeding(given)}
    for number, (layer_class, keywords) in enumerate(pairs[index + 1 :], index + 1):
        own = keywords.get("name") or name_unnamed(name_type(layer_class), number)
        if isinstance(own, str):
            later[own] = feeding({**keywords, **keywords_of(own)})
    for source in feeding(given):
        if source in positions or source not in later:
            continue
        path = _find_path(source, name, later)
        if path:
            raise DescriptionError(
                f"{name}: it feeds itself: {' <- '.join([name, *path])}; a network "
                "has no cycles",
                name,
            )
        raise DescriptionError(
            f"{name}: it is fed by {source!r}, which stands behind it; a layer follows "
            "what feeds it",
            name,
        )


def _find_path(
    start: str, end: str, feeding: Mapping[str, Sequence[str]]
) -> list[str] | None:
    """The names from `start` to `end`, each fed by the next one; None if none leads."""
    paths = {start: [start]}
    pending = [start]
    while pending:
        one = pending.pop()
        if one == end:
            return paths[one]
        for source in feeding.get(one, ()):
            if source not in paths:
                paths[source] = [*paths[one], source]
                pending.append(source)
    return None


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
            inputs.append(_find(name, source, positions))
        elif isinstance(source, Sequence) and all(
            size is None or isinstance(size, int) for size in source
        ):
            inputs.append(tuple(source))
        else:
            raise DescriptionError(
                f"{name}: it is fed by {shorten(source)}; needed is the name of a "
                "layer, or a shape",
                name,
            )

    if "incomings" in keywords:
        sources = keywords.pop("incomings")
        if isinstance(sources, str) or not isinstance(sources, Iterable):
            raise DescriptionError(
                f"{name}: incomings={shorten(sources)}, where a list of names is "
                "needed",
                name,
            )
        for source in sources:
            feed(source)
    elif "incoming" in keywords:
        feed(keywords.pop("incoming"))
    elif layers and "InputLayer" not in lineage:
        inputs.append(len(layers) - 1)
    for keyword in rule.inputs if rule else ():
        keyword, dot, _ = keyword.partition(".")
        if dot and inputs and isinstance(inputs[-1], int):
            inputs += layers[inputs[-1]].inputs[:1]
        elif keyword in keywords:
            feed(keywords.pop(keyword))
    variables: dict[str, object] = {}
    for keyword, value in list(keywords.items()):
        if keyword in _SHARED_BY_NAME and isinstance(value, str):
            source = layers[_find(name, value, positions)]
            if source.arguments.get(keyword, True) is None:
                keywords[keyword] = None
            else:
                variables[keyword] = source.variables.get(
                    keyword, SharedFrom(value, keyword)
                )
        elif is_variable(value):
            variables[keyword] = value
    return LayerDescription(name, type_, lineage, keywords, tuple(inputs), variables)


def _find(name: str, source: str, positions: Mapping[str, int]) -> int:
    """The position of a layer that stands before the layer called `name`."""
    if source in positions:
        return positions[source]
    near = get_close_matches(source, positions, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "a layer follows what feeds it"
    raise DescriptionError(
        f"{name}: it refers to {shorten(source)}, and no layer before it has that "
        f"name: {hint}",
        name,
    )
