"""Reads networks from JSON.

Three forms, each of which Python's ``json.dumps`` makes of what nolearn takes:

- a list of layers: ``[["InputLayer", {"shape": [null, 1, 28, 28]}], ["Conv2DLayer",
  {"num_filters": 32, "filter_size": 5, "name": "conv1"}], ...]``;
- an object with the keywords of ``NeuralNet``: ``{"layers": [["conv1", "Conv2DLayer"],
  ...], "conv1_num_filters": 32, ...}``, and "lasagne" for the version;
- a list of such objects: several networks, each with an "id" or a "name".

A layer is fed by the one before it, or by those that "incoming" or "incomings" name. A
slice is ``{"slice": [start, stop, step]}``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial

from .description import Found, Network
from .errors import DescriptionError
from .read_definitions import (
    check_keywords,
    keywords_in,
    read_definitions,
    read_slice,
    shorten,
)

_DEEPEST = 20
_LONGEST = 1_000
_NAMES = ("name", "id")
_RESULTS = frozenset({"error", "rows", "total", "total_trainable"})
"""Keys under which a file records what a framework made of the network."""


def read_json(text: str) -> list[Found]:
    """The networks in a text of JSON.

    Raises
    ------
    DescriptionError
        If it is no JSON (with line and column), or describes no network.
    """
    value = _parse(text)
    _check_extent(value)
    if isinstance(value, Mapping):
        return [_find_object(value, 0)]
    if (
        isinstance(value, list)
        and value
        and all(isinstance(one, dict) for one in value)
    ):
        return [_find_object(one, number) for number, one in enumerate(value)]
    if isinstance(value, list):
        return [Found("", 0, partial(read_definitions, value))]
    raise DescriptionError(
        f"the JSON is {shorten(value)}, where a list of layers is needed: "
        '[["InputLayer", {"shape": [null, 1, 28, 28]}], ...]'
    )


def _parse(text: str) -> object:
    try:
        return json.loads(
            text,
            object_pairs_hook=_read_pairs,
            parse_int=_read_int,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise DescriptionError(
            f"line {error.lineno}, column {error.colno}: this is no JSON: {error.msg}"
        ) from None
    except RecursionError:
        raise _too_deep() from None


def _read_pairs(pairs: list[tuple[str, object]]) -> dict[str, object] | slice:
    given = dict(pairs)
    if len(given) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise DescriptionError(f"{shorten(given)} has the key {twice!r} twice")
    return read_slice(given["slice"]) if given.keys() == {"slice"} else given


def _read_int(digits: str) -> int:
    # Python refuses to read very long ones; any number of that size is refused later.
    return int(digits) if len(digits) < _LONGEST else 10**_LONGEST


def _refuse_constant(name: str) -> None:
    raise DescriptionError(f"{name} stands in the JSON; it is no size and no number")


def _check_extent(value: object) -> None:
    """Refuse what could not be shown in a message: depth and length."""
    pending = [(value, 0)]
    while pending:
        one, depth = pending.pop()
        if depth > _DEEPEST:
            raise _too_deep()
        if isinstance(one, Mapping):
            parts: Iterable[object] = [*one, *one.values()]
        elif isinstance(one, list):
            parts = one
        else:
            if isinstance(one, str) and len(one) > _LONGEST:
                raise DescriptionError(
                    f"{shorten(one)} has {len(one)} characters; {_LONGEST} are the most"
                )
            continue
        pending += [(part, depth + 1) for part in parts]


def _too_deep() -> DescriptionError:
    return DescriptionError(
        f"the JSON is nested more than {_DEEPEST} levels deep; a list of layers has 4"
    )


def _find_object(given: Mapping[str, object], number: int) -> Found:
    name = next((given[key] for key in _NAMES if key in given), "")
    return Found(str(name), 0, partial(_read_object, given, number))


def _read_object(given: Mapping[str, object], number: int) -> Network:
    apart = {*_RESULTS, *_NAMES}
    keywords = {key: value for key, value in given.items() if key not in apart}
    layers = keywords.pop("layers", None)
    if not isinstance(layers, list):
        raise DescriptionError(
            f"network number {number} is {shorten(dict(given))}; needed is an object "
            'with "layers", a list'
        )
    lasagne = keywords.pop("lasagne", None)
    if lasagne is not None and not isinstance(lasagne, str):
        raise DescriptionError(
            f'"lasagne" is {shorten(lasagne)}, where a version is needed: "0.1"'
        )
    network = read_definitions(layers, keywords_in(keywords), lasagne)
    check_keywords(network, keywords)
    return network
