"""Tells the forms apart in which a network may be given, and has each one read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .description import Network, lasagne_release
from .errors import DescriptionError
from .read_definitions import check_keywords, keywords_in, read_definitions
from .read_lasagne import is_layer, is_net, read_layers, read_named, read_net


def read_network(
    source: object,
    lasagne: str | None = None,
    keywords: Mapping[str, object] | None = None,
) -> Network:
    """The description of a network.

    Parameters
    ----------
    source : object
        A nolearn ``NeuralNet``, initialised or not; a list in the form of its
        ``layers``; a Lasagne layer, a list of them (several outputs), or a dict of
        them by name; or a :class:`Network`, which is returned as it is.
    lasagne : str, optional
        Version whose behaviour is asked for.
    keywords : mapping, optional
        As beside nolearn's ``layers``: ``{"conv1_num_filters": 32}``.

    Raises
    ------
    DescriptionError
        If it is none of these, or keywords are given beside what has its own.
    """
    release = None if lasagne is None else lasagne_release(lasagne)
    is_list = isinstance(source, Iterable) and not isinstance(
        source, (str, bytes, Mapping)
    )
    entries = list(source) if is_list else []  # type: ignore[call-overload]
    if is_list and not (entries and all(map(is_layer, entries))):
        network = read_definitions(entries, keywords_in(keywords or {}), release)
        check_keywords(network, keywords or {})
        return network
    if keywords:
        raise DescriptionError(
            f"got {', '.join(sorted(keywords))} beside a {type(source).__name__}; "
            "hyper-parameters can be given only beside a list of layer definitions"
        )
    if is_list:
        return read_layers(entries, release)
    if isinstance(source, Network):
        return source if release is None else replace(source, lasagne=release)
    if is_layer(source):
        return read_layers([source], release)
    if is_net(source):
        return read_net(source, release)
    if isinstance(source, Mapping) and source and all(map(is_layer, source.values())):
        return read_named(source, release)
    raise DescriptionError(
        f"got a {type(source).__name__}, where a network is needed: a nolearn "
        "NeuralNet, a list of its layers, or a Lasagne layer"
    )
