"""Finds the networks among what a program makes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..description import LayerDescription, Network
from ..errors import DescriptionError, UntoldError
from ..read_definitions import (
    NamedClass,
    check_keywords,
    keywords_in,
    read_definitions,
)
from ..rules import find_rule
from ..wrappers import Wrapper
from .interpreter import Interpreter
from .layers import is_layer_class, settle
from .values import (
    Class,
    Function,
    Instance,
    Layer,
    Net,
    Partial,
    Scope,
    Unknown,
    find_ancestors,
    find_layers,
)

_NOT_GIVEN = ("parameter", "unread")


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be a network.

    Attributes
    ----------
    name : str
    node : ast.AST
        Where it is made.
    read : callable
        Gives the network, or raises a :class:`DescriptionError`.
    is_part : bool
        Whether it is fed by what a call must give it.
    """

    name: str
    node: ast.AST
    read: Callable[[], Network]
    is_part: bool = False

    @property
    def line(self) -> int:
        """Number of the line where it is made."""
        return getattr(self.node, "lineno", 1)


class Search:
    """Follows a program, then its functions that nothing calls."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._maker = interpreter.maker
        self._messages = interpreter.messages

    def find(self, body: Sequence[ast.stmt]) -> list[Candidate]:
        """The networks that a module makes, in its order."""
        module = self._interpreter.follow_module(body)
        called = set(self._interpreter.called)
        found = self._collect(0, 0, _name_values(module))
        alone: dict[int, tuple[list[Candidate], set[int]]] = {}
        for function, owner in self._list_functions(module):
            if id(function.node) not in called:
                alone[id(function.node)] = self._find_in(function, owner)
        # A function that another one calls is a part of what that one makes.
        inner = {
            one
            for key, (candidates, calls) in alone.items()
            for one in calls
            if candidates and one != key
        }
        for key, (candidates, _) in alone.items():
            if key not in inner:
                found += candidates
        if not found:
            found = list(self._find_lists(module))
        whole = [one for one in found if not one.is_part]
        return sorted(whole or found, key=lambda one: one.line)

    def _list_functions(
        self, module: Scope
    ) -> Iterator[tuple[Function, Instance | None]]:
        """The functions of a module; the methods of its classes, with an object."""
        for value in list(module.names.values()):
            if isinstance(value, Function):
                yield value, None
            elif isinstance(value, Class):
                methods = [
                    one for one in value.members.values() if isinstance(one, Function)
                ]
                # The constructor comes first: it makes what the others need.
                methods.sort(key=lambda one: one.name != "__init__")
                owner = Instance(value)
                for method in methods:
                    yield method, owner

    def _find_in(
        self, function: Function, owner: Instance | None
    ) -> tuple[list[Candidate], set[int]]:
        """The networks of a function that is called alone; the functions it calls."""
        before = set(self._interpreter.called)
        self._interpreter.called.clear()
        made, nets = len(self._maker.made), len(self._interpreter.nets)
        result = self._interpreter.follow_alone(function, owner)
        calls = self._interpreter.called - {id(function.node)}
        self._interpreter.called |= before
        layers = self._maker.made[made:]
        returned = find_ends(find_layers(result))
        if isinstance(result, Unknown) and layers:
            read = partial(self._refuse, result)
            return [Candidate(function.name, function.node, read)], calls
        if returned and not isinstance(owner, Instance):
            return [
                self._make(returned, function.name, function.node, _name_keys(result))
            ], calls
        return self._collect(made, nets, {}), calls

    def _collect(
        self, made: int, nets: int, names: Mapping[int, str]
    ) -> list[Candidate]:
        """What has been made since there were so many layers and nets."""
        found = []
        taken: set[int] = set()
        for net in self._interpreter.nets[nets:]:
            name = names.get(id(net)) or net.within
            found.append(Candidate(name, net.node, partial(self._read_net, net)))
            layers = find_layers(net.keywords.get("layers"))
            taken |= {id(one) for one in find_ancestors(layers)}
        layers = [one for one in self._maker.made[made:] if id(one) not in taken]
        for ends in _group(find_ends(layers)):
            last = ends[-1]
            name = next((names[id(one)] for one in ends if id(one) in names), "")
            found.append(self._make(ends, name or last.within, last.node, {}))
        return found

    def _make(
        self,
        ends: Sequence[Layer],
        name: str,
        node: ast.AST,
        keys: Mapping[int, str],
    ) -> Candidate:
        is_part = any(
            isinstance(source, Unknown) and source.kind in _NOT_GIVEN
            for layer in find_ancestors(ends)
            for source in layer.inputs
        )
        return Candidate(name, node, partial(self._read_layers, ends, keys), is_part)

    def _refuse(self, doubt: Unknown) -> Network:
        raise UntoldError([str(self._messages.untold(doubt))])

    def _read_layers(self, ends: Sequence[Layer], keys: Mapping[int, str]) -> Network:
        doubts = [one.doubt for one in ends if one.doubt is not None]
        if doubts:
            raise UntoldError([str(self._messages.untold(one)) for one in doubts])
        return _make_unique(self._maker.describe(ends, keys))

    def _read_net(self, net: Net) -> Network:
        if net.problems:
            raise UntoldError(net.problems)
        keywords = dict(net.keywords)
        layers = keywords.pop("layers", None)
        if isinstance(layers, Unknown):
            raise UntoldError([str(self._messages.untold(layers, net.node))])
        if isinstance(layers, Layer):
            return self._read_layers([layers], {})
        if not isinstance(layers, (list, tuple)):
            raise DescriptionError(
                self._messages.about(net.node, "this NeuralNet is given no layers")
            )
        ends = [one for one in layers if isinstance(one, Layer)]
        if ends and len(ends) == len(layers):
            return self._read_layers(ends, {})
        more = keywords.get("more_params")
        if isinstance(more, dict):
            keywords |= {key: one for key, one in more.items() if isinstance(key, str)}
        network = self._read_list(layers, keywords, net.node)
        check_keywords(network, net.keywords)
        return network

    def _read_list(
        self, layers: Iterable[object], keywords: Mapping[str, object], node: ast.AST
    ) -> Network:
        """A network from a list in one of nolearn's forms."""
        problems: list[str] = []
        definitions = [self._define(one, node, problems) for one in layers]
        for name, value in keywords.items():
            if name.endswith(("_incoming", "_incomings")):
                problems += self._find_unknown(value, node)
        if problems:
            raise UntoldError(problems)
        network = read_definitions(definitions, keywords_in(_name_wrappers(keywords)))
        return replace(
            network,
            layers=tuple(self._settle(layer, node) for layer in network.layers),
        )

    def _define(self, pair: object, node: ast.AST, problems: list[str]) -> object:
        """An entry of the list with its class by name."""
        if isinstance(pair, Unknown):
            problems += self._find_unknown(pair, node)
            return pair
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            return pair
        first, second = pair
        if isinstance(second, (dict, str)) and not isinstance(first, str):
            for keyword in ("incoming", "incomings", "name"):
                if isinstance(second, dict):
                    problems += self._find_unknown(second.get(keyword), node)
            if isinstance(second, dict):
                second = _name_wrappers(second)
            return self._name_class(first, node, problems), second
        problems += self._find_unknown(first, node)
        return first, self._name_class(second, node, problems)

    def _name_class(self, value: object, node: ast.AST, problems: list[str]) -> object:
        if isinstance(value, Unknown) and value.path:
            return value.path
        if isinstance(value, Class):
            return NamedClass(value.name, value.lineage)
        if isinstance(value, Function):
            return value.name
        problems += self._find_unknown(value, node)
        return value

    def _find_unknown(self, value: object, node: ast.AST) -> list[str]:
        if isinstance(value, Unknown):
            return [str(self._messages.untold(value, node))]
        if isinstance(value, (list, tuple)):
            return [one for part in value for one in self._find_unknown(part, node)]
        return []

    def _settle(self, layer: LayerDescription, node: ast.AST) -> LayerDescription:
        rule = find_rule(layer.lineage)
        arguments = settle(layer.arguments, rule, self._maker, node)
        return replace(layer, arguments=arguments)

    def _find_lists(self, module: Scope) -> Iterator[Candidate]:
        """Lists of layers in nolearn's forms that no NeuralNet takes."""
        shown = [("", node, value) for node, value in self._interpreter.shown]
        named = [
            (name, ast.Name(name, ast.Load()), value)
            for name, value in module.names.items()
        ]
        for name, node, value in (*named, *shown):
            if isinstance(value, (list, tuple)) and _defines_layers(value):
                yield Candidate(name, node, partial(self._read_list, value, {}, node))


def _name_wrappers(keywords: Mapping[str, object]) -> dict[str, object]:
    """Keywords with nolearn's ``layer_wrapper`` by name."""

    def name(value: object) -> object:
        if isinstance(value, Partial) and isinstance(value.function, Unknown):
            return Wrapper(value.function.last, value.keywords)
        if isinstance(value, Unknown) and value.path:
            return Wrapper(value.last)
        return Wrapper(value.name) if isinstance(value, Function) else value

    return {
        key: name(value) if key.endswith("layer_wrapper") else value
        for key, value in keywords.items()
    }


def _defines_layers(entries: Sequence[object]) -> bool:
    return bool(entries) and all(
        isinstance(pair, (tuple, list))
        and len(pair) == 2
        and any(
            (isinstance(one, Unknown) and is_layer_class(one.last))
            or isinstance(one, Class)
            for one in pair
        )
        for pair in entries
    )


def _name_values(module: Scope) -> dict[int, str]:
    """The variables of a module that hold layers and nets, by the value's ``id``."""
    names: dict[int, str] = {}
    for name, value in module.names.items():
        held = [value]
        if isinstance(value, Instance):
            held += value.attributes.values()
        names |= {id(one): name for one in held if isinstance(one, Net)}
        for layer in find_layers(value):
            if isinstance(value, Layer) or id(layer) not in names:
                names[id(layer)] = name
    return names


def _name_keys(value: object) -> dict[int, str]:
    """Names that a dict gives its layers."""
    if not isinstance(value, dict):
        return {}
    return {
        id(layer): key
        for key, layer in value.items()
        if isinstance(key, str) and isinstance(layer, Layer)
    }


def find_ends(layers: Sequence[Layer]) -> list[Layer]:
    """The layers that feed no other one of them, nor one of those that feed them."""
    feeding = {
        id(source)
        for layer in find_ancestors(layers)
        for source in (*layer.feeding, *layer.depends)
    }
    return [one for one in layers if id(one) not in feeding and not one.dangling]


def _group(ends: Sequence[Layer]) -> list[list[Layer]]:
    """The ends of each network: those that have a layer in common belong together."""
    groups: list[tuple[set[int], list[Layer]]] = []
    for end in ends:
        reached = {id(one) for one in find_ancestors([end])}
        together = [end]
        for group in [one for one in groups if not one[0].isdisjoint(reached)]:
            groups.remove(group)
            reached |= group[0]
            together = [*group[1], *together]
        groups.append((reached, together))
    return [
        together
        for _, together in groups
        if any(one.type != "InputLayer" or one.doubt is not None for one in together)
    ]


def _make_unique(network: Network) -> Network:
    """The network with names that are all different, as they are not in Lasagne."""
    taken: set[str] = set()
    layers = []
    for layer in network.layers:
        name, number = layer.name, 1
        while name in taken:
            number += 1
            name = f"{layer.name} ({number})"
        taken.add(name)
        layers.append(layer if name == layer.name else replace(layer, name=name))
    return replace(network, layers=tuple(layers))
