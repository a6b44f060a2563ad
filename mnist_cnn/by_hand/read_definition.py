"""Reads a definition in the form of nolearn's ``layers``: what is to be built.

Each layer is a pair, of its name and class or of its class and hyper-parameters; the
class may be given by its name. Keywords such as ``conv1_num_filters`` may stand beside
them, as in nolearn's ``NeuralNet(...)``. Nothing is built here, and nothing imported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from .description import LayerDescription, Network, Shape, SharedFrom, lasagne_release
from .errors import DescriptionError
from .rules import find_rule

ALIASES = {
    "bc01_to_c01b": "ShuffleBC01ToC01BLayer",
    "c01b_to_bc01": "ShuffleC01BToBC01Layer",
    "concat": "ConcatLayer",
    "dimshuffle": "DimshuffleLayer",
    "dropout": "DropoutLayer",
    "flatten": "FlattenLayer",
    "pad": "PadLayer",
    "reshape": "ReshapeLayer",
}
"""Lasagne's other names for its classes."""

NOLEARNS_OWN = frozenset(
    "layers update loss objective objective_loss_function batch_iterator_train "
    "batch_iterator_test regression max_epochs train_split custom_score custom_scores "
    "scores_train scores_valid X_tensor_type y_tensor_type use_label_encoder "
    "on_batch_finished on_epoch_finished on_training_started on_training_finished "
    "more_params check_input verbose eval_size".split()
)
"""Keywords of ``NeuralNet`` that say nothing of a layer."""

_SHARED_BY_NAME = ("W", "b")
"""Keywords in which nolearn takes another layer's name for that layer's tensor."""


def read_definition(
    layers: Iterable[object],
    keywords: Mapping[str, object] | None = None,
    lasagne: str | None = None,
) -> Network:
    """The network that nolearn would build.

    Parameters
    ----------
    layers : iterable
        Of pairs: ``("conv1", Conv2DLayer)`` or ``(Conv2DLayer, {"num_filters": 32})``;
        the class may be a string, ``"Conv2DLayer"`` or
        ``"lasagne.layers.Conv2DLayer"``.
    keywords : mapping, optional
        Hyper-parameters, the layer's name before them: ``{"conv1_num_filters": 32}``.
    lasagne : str, optional
        Version whose behaviour is asked for; by default that of the classes.

    Raises
    ------
    DescriptionError
        If it is no such definition.
    """
    pairs = [_read_pair(entry, place) for place, entry in enumerate(layers)]
    if not pairs:
        raise DescriptionError("the network has no layers")
    if lasagne is None:
        versions = (version_of(one) for one, _ in pairs if isinstance(one, type))
        lasagne = next(filter(None, versions), None)
    described: list[LayerDescription] = []
    for place, (layer_class, arguments) in enumerate(pairs):
        type_, lineage = _name_class(layer_class)
        name = arguments.setdefault("name", default_name(type_, place))
        if not isinstance(name, str):
            raise DescriptionError(f"layer {place}: name={name!r} is not a string")
        prefix = f"{name}_"
        arguments |= {
            key.removeprefix(prefix): value
            for key, value in (keywords or {}).items()
            if key.startswith(prefix)
        }
        if any(one.name == name for one in described):
            raise DescriptionError(
                f"two layers are called {name!r}: give one another name", name
            )
        described += _describe(name, type_, lineage, arguments, described)
    return Network(tuple(described), lasagne)


def check_keywords(network: Network, keywords: Iterable[str]) -> None:
    """Refuse keywords that are neither nolearn's own nor begin with a layer's name.

    Raises
    ------
    DescriptionError
        Naming all of them.
    """
    prefixes = [f"{layer.name}_" for layer in network.layers]
    known = tuple([*prefixes, "update_", "objective_"])
    unused = [
        one for one in keywords if one not in NOLEARNS_OWN and not one.startswith(known)
    ]
    if unused:
        raise DescriptionError(
            f"no layer's name begins {' or '.join(map(repr, unused))}; the layers are "
            f"{', '.join(layer.name for layer in network.layers)}"
        )


def default_name(type_: str, place: int) -> str:
    """The name nolearn gives the layer at this place if it has none.

    >>> default_name("Conv2DLayer", 1)
    'conv2d1'
    """
    return f"{type_.lower().replace('layer', '')}{place}"


def find_lineage(layer_class: type) -> tuple[str, ...]:
    """Names of a class and of those bases whose rule still holds for it.

    A class that defines how it is built or how its shape arises is its own.
    """
    lineage = []
    for one in layer_class.__mro__:
        lineage.append(one.__name__)
        if "__init__" in vars(one) or any(
            name.endswith("_shape_for") for name in vars(one)
        ):
            break
    return tuple(lineage)


def version_of(layer_class: type) -> str | None:
    """The release of Lasagne that a class is of, or a base of it; None if of none."""
    for one in layer_class.__mro__:
        package = one.__module__.partition(".")[0]
        if package == "lasagne":
            version = getattr(sys.modules.get(package), "__version__", None)
            return None if version is None else lasagne_release(version)
    return None


def is_variable(value: object) -> bool:
    """Whether it is a Theano variable, told without knowing Theano."""
    return hasattr(value, "owner") and hasattr(value, "type")


def _read_pair(entry: object, place: int) -> tuple[type | str, dict[str, object]]:
    if not isinstance(entry, (str, Mapping)) and isinstance(entry, Sequence):
        match tuple(entry):
            case [str() | type() as layer_class, Mapping() as arguments]:
                if all(isinstance(key, str) for key in arguments):
                    return layer_class, dict(arguments)
            case [str(name), str() | type() as layer_class]:
                return layer_class, {"name": name}
    raise DescriptionError(
        f"layer {place} is {_shorten(entry)}, where a pair is needed: its name and "
        "class, or its class and a dict of hyper-parameters"
    )


def _shorten(value: object, width: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _name_class(layer_class: type | str) -> tuple[str, tuple[str, ...]]:
    if isinstance(layer_class, type):
        return layer_class.__name__, find_lineage(layer_class)
    name = layer_class.rpartition(".")[2]
    name = ALIASES.get(name, name)
    return name, (name,)


def _describe(
    name: str,
    type_: str,
    lineage: tuple[str, ...],
    arguments: dict[str, object],
    before: Sequence[LayerDescription],
) -> list[LayerDescription]:
    """The layer, and behind it what its ``layer_wrapper`` makes of it."""
    del arguments["name"]
    wrapper = arguments.pop("layer_wrapper", None)
    inputs = _find_inputs(name, lineage, arguments, before)
    variables: dict[str, object] = {}
    for key in _SHARED_BY_NAME:
        if isinstance(arguments.get(key), str):
            shared = _find_tensor(name, key, str(arguments[key]), before)
            if shared is None:
                arguments[key] = None
            else:
                variables[key] = shared
    for key, value in arguments.items():
        if is_variable(value):
            variables[key] = value
    layer = LayerDescription(name, type_, lineage, arguments, inputs, variables)
    if wrapper is None:
        return [layer]
    wrapped = getattr(wrapper, "__name__", type(wrapper).__name__)
    return [
        layer,
        LayerDescription(
            f"LW_{name}", wrapped, ("layer_wrapper",), {}, inputs=(len(before),)
        ),
    ]


def _find_inputs(
    name: str,
    lineage: tuple[str, ...],
    arguments: dict[str, object],
    before: Sequence[LayerDescription],
) -> tuple[int | Shape, ...]:
    """Takes what names a layer out of `arguments`; gives the places of those layers."""
    if "InputLayer" in lineage:
        return ()
    if "incoming" in arguments:
        inputs = [_find_input(name, arguments.pop("incoming"), before)]
    elif "incomings" in arguments:
        incomings = arguments.pop("incomings")
        if isinstance(incomings, str) or not isinstance(incomings, Iterable):
            raise DescriptionError(
                f"{name}: incomings={incomings!r}, where a list of names is needed",
                name,
            )
        inputs = [_find_input(name, one, before) for one in incomings]
    else:
        inputs = [len(before) - 1] if before else []
    rule = find_rule(lineage)
    for key in rule.inputs if rule else ():
        if isinstance(arguments.get(key), str):
            inputs.append(_find_input(name, arguments[key], before))
    return tuple(inputs)


def _find_input(
    name: str, value: object, before: Sequence[LayerDescription]
) -> int | Shape:
    if isinstance(value, str):
        for place, layer in enumerate(before):
            if layer.name == value:
                return place
        near = get_close_matches(value, [layer.name for layer in before], n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise DescriptionError(
            f"{name}: no layer before it is called {value!r}.{hint}", name
        )
    if isinstance(value, (tuple, list)) and all(
        size is None or isinstance(size, int) for size in value
    ):
        return tuple(value)
    raise DescriptionError(
        f"{name}: its input is {_shorten(value)}, where the name of a layer is needed",
        name,
    )


def _find_tensor(
    name: str, tensor: str, layer: str, before: Sequence[LayerDescription]
) -> object:
    """What `layer` has there: its tensor, another's it shares, or None if it has none."""
    place = _find_input(name, layer, before)
    assert isinstance(place, int)
    source = before[place]
    if source.arguments.get(tensor, True) is None:
        return None
    return source.variables.get(tensor, SharedFrom(layer, tensor))
