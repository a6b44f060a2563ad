"""Reads a network in whatever form it is given, and tells the forms apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .description import Network, lasagne_release
from .errors import DescriptionError
from .read_definition import check_keywords, read_definition
from .read_layers import is_layer, read_layers


def read_network(
    source: object, lasagne: str | None = None, keywords: Mapping[str, object] = {}
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
        If it is none of these.
    """
    release = None if lasagne is None else lasagne_release(lasagne)
    if isinstance(source, Network):
        return source if release is None else Network(source.layers, release)
    if is_layer(source):
        return read_layers([source], lasagne=release)
    if hasattr(source, "layers") and hasattr(source, "layer_reference_params"):
        return _read_net(source, release)
    if isinstance(source, Mapping) and source and all(map(is_layer, source.values())):
        return read_layers([], source, release)
    if isinstance(source, Iterable) and not isinstance(source, (str, bytes, Mapping)):
        entries = list(source)
        if entries and all(map(is_layer, entries)):
            return read_layers(entries, lasagne=release)
        network = read_definition(entries, keywords, release)
        check_keywords(network, keywords)
        return network
    raise DescriptionError(
        f"got a {type(source).__name__}, where a network is needed: a nolearn "
        "NeuralNet, a list of its layers, or a Lasagne layer"
    )


def _read_net(net: object, lasagne: str | None) -> Network:
    built = getattr(net, "layers_", None)
    if built:
        return read_layers([], built, lasagne)
    entries = list(net.layers)  # type: ignore[attr-defined]
    if entries and is_layer(entries[0]):
        return read_layers(entries, lasagne=lasagne)
    attributes = vars(net)
    keywords = {**attributes, **(attributes.get("more_params") or {})}
    return read_definition(entries, keywords, lasagne)
