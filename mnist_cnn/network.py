"""The network of the question, and that of the blog it follows, as nolearn nets.

A net is built, nothing more: no weight is drawn and no function compiled before
nolearn initialises it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from lasagne import layers
from lasagne.nonlinearities import rectify, softmax
from lasagne.updates import momentum, nesterov_momentum
from nolearn.lasagne import NeuralNet

from .errors import ExperimentError


class NetworkError(ExperimentError, ValueError):
    """No network has this name, or the network has no such keyword."""


QUESTION: Mapping[str, Any] = MappingProxyType(
    dict(
        layers=[
            ("input", layers.InputLayer),
            ("conv2d1", layers.Conv2DLayer),
            ("maxpool1", layers.MaxPool2DLayer),
            ("conv2d2", layers.Conv2DLayer),
            ("maxpool2", layers.MaxPool2DLayer),
            ("dense", layers.DenseLayer),
            ("output", layers.DenseLayer),
        ],
        # input layer
        input_shape=(None, 1, 28, 28),
        # layer conv2d1
        conv2d1_num_filters=32,
        conv2d1_filter_size=(5, 5),
        conv2d1_nonlinearity=rectify,
        # layer maxpool1
        maxpool1_pool_size=(2, 2),
        # layer conv2d2
        conv2d2_num_filters=32,
        conv2d2_filter_size=(3, 3),
        conv2d2_nonlinearity=rectify,
        # layer maxpool2
        maxpool2_pool_size=(2, 2),
        # fully connected layer
        dense_num_units=256,
        dense_nonlinearity=rectify,
        # output layer
        output_nonlinearity=softmax,
        output_num_units=10,
        # optimization method
        update=momentum,
        update_learning_rate=0.01,
        update_momentum=0.9,
        max_epochs=10,
        verbose=1,
    )
)
"""Stack Overflow 42786717: 217,706 learnable parameters."""

BLOG: Mapping[str, Any] = MappingProxyType(
    dict(
        layers=[
            ("input", layers.InputLayer),
            ("conv2d1", layers.Conv2DLayer),
            ("maxpool1", layers.MaxPool2DLayer),
            ("conv2d2", layers.Conv2DLayer),
            ("maxpool2", layers.MaxPool2DLayer),
            ("dropout1", layers.DropoutLayer),
            ("dense", layers.DenseLayer),
            ("dropout2", layers.DropoutLayer),
            ("output", layers.DenseLayer),
        ],
        # input layer
        input_shape=(None, 1, 28, 28),
        # layer conv2d1
        conv2d1_num_filters=32,
        conv2d1_filter_size=(5, 5),
        conv2d1_nonlinearity=rectify,
        # layer maxpool1
        maxpool1_pool_size=(2, 2),
        # layer conv2d2
        conv2d2_num_filters=32,
        conv2d2_filter_size=(5, 5),
        conv2d2_nonlinearity=rectify,
        # layer maxpool2
        maxpool2_pool_size=(2, 2),
        # dropout1
        dropout1_p=0.5,
        # dense
        dense_num_units=256,
        dense_nonlinearity=rectify,
        # dropout2
        dropout2_p=0.5,
        # output
        output_nonlinearity=softmax,
        output_num_units=10,
        # optimization method
        update=nesterov_momentum,
        update_learning_rate=0.01,
        update_momentum=0.9,
        max_epochs=10,
        verbose=1,
    )
)
"""Convolutional Neural Networks and Feature Extraction with Python: 160,362."""

NETWORKS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"blog": BLOG, "question": QUESTION}
)


def build_network(network: str = "question", **overrides: Any) -> NeuralNet:
    """Build one of the two networks, some of its keywords replaced.

    Parameters
    ----------
    network : {"question", "blog"}
    **overrides
        Keywords of nolearn's ``NeuralNet``: its own (``max_epochs=2``), a layer's
        (``dense_num_units=128``), the update's (``update_momentum=0``) or the
        objective's (``objective_l2=1e-4``). With ``layers``, a list of
        ``(name, class)``, what the network says of layers that are not in the list
        is left out.

    Returns
    -------
    nolearn.lasagne.NeuralNet
        Not initialised. Images have the shape ``(batch, 1, 28, 28)``, labels
        ``(batch,)``; the output is ``(batch, 10)``, a probability for each class.

    Raises
    ------
    NetworkError
        If `network` is not the name of a network, or an override is no keyword of
        it: the message names, for each, the nearest one that is.
    """
    if network not in NETWORKS:
        names = " and ".join(repr(name) for name in NETWORKS)
        raise NetworkError(f"there is no network {network!r}; the networks are {names}")
    definition = {**NETWORKS[network], **overrides}
    known = _list_keywords(definition)
    unknown = sorted(overrides.keys() - known)
    if unknown:
        raise NetworkError(
            "; ".join(
                f"the network {network!r} has no keyword {name!r}; "
                f"the nearest one is {_find_nearest(name, known)!r}"
                for name in unknown
            )
        )
    return NeuralNet(**{name: definition[name] for name in definition if name in known})


def _find_nearest(name: str, known: Iterable[str]) -> str:
    [nearest] = get_close_matches(name, sorted(known), n=1, cutoff=0)
    return nearest


def _list_keywords(definition: Mapping[str, Any]) -> set[str]:
    """All that nolearn understands for these layers, this update and objective."""
    nolearns = inspect.signature(NeuralNet).parameters
    objective = definition.get("objective", nolearns["objective"].default)
    pairs = _check_layers(definition["layers"])
    parts = [
        ("update", definition["update"], {"loss_or_grads", "params"}),
        ("objective", objective, {"layers", "loss_function", "target"}),
        *((*pair, {"name"}) for pair in pairs),
    ]
    own = {
        name
        for name, parameter in nolearns.items()
        if parameter.kind is not parameter.VAR_KEYWORD
    }
    own |= {f"{name}_layer_wrapper" for name, _ in pairs}
    return own.union(
        f"{prefix}_{argument}"
        for prefix, part, given_by_nolearn in parts
        for argument in _list_arguments(part) - given_by_nolearn
    )


def _check_layers(definitions: Any) -> list[tuple[str, type]]:
    for definition in definitions:
        match definition:
            case (str(), type()):
                pass
            case _:
                raise NetworkError(
                    f"layers holds {definition!r}; needed is a list of (name, class), "
                    "as in ('dense', lasagne.layers.DenseLayer). A net that is "
                    "described in another form is for nolearn's NeuralNet to build."
                )
    return list(definitions)


def _list_arguments(part: Any) -> set[str]:
    """The arguments of a function, or of a class whose ``**kwargs`` go to its bases."""
    functions = (
        [vars(one)["__init__"] for one in part.__mro__ if "__init__" in vars(one)]
        if isinstance(part, type)
        else [part]
    )
    return {
        name
        for function in functions
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
