"""Calls of Python's own functions, and of methods of its lists, dicts and texts."""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import Any

from .functions import FUNCTIONS, LOOKING_THROUGH, Plain, call_method
from .records import Records
from .values import (
    Call,
    Class,
    Instance,
    Layer,
    Members,
    Method,
    Unknown,
    find_unknown,
    iterate,
    spoil,
    truth_of,
)

CALLS_OF_ITS_OWN = frozenset(
    {"filter", "getattr", "hasattr", "isinstance", "locals", "map", "print"}
    | {"reduce", "setattr", "super", "vars"}
)
"""Functions of Python that are followed here, beside :data:`.functions.FUNCTIONS`."""

_COMPARED_DEEPLY = frozenset(
    {"all", "any", "max", "min", "prod", "product", "sorted", "sum"}
)
_ORDERS = {"max": max, "min": min, "sorted": sorted}
_READING = frozenset({"copy", "count", "get", "index", "items", "keys", "values"})
_KEEPING = frozenset({"append", "insert", "setdefault", "update"})
"""Methods that may put what is not known into a list or dict."""

_TYPES = {"basestring": str, "unicode": str, "long": int} | {
    one.__name__: one for one in (bool, dict, float, int, list, str, tuple)
}


class PythonCalls(Records):
    """Follows calls of what is Python's."""

    @abstractmethod
    def call(self, function: object, call: Call) -> object:
        """The value of any call."""

    def _call_builtin(self, name: str, call: Call) -> object:
        arguments, count = call.arguments, len(call.arguments)
        if name == "print":
            return None
        if name in ("getattr", "hasattr") and count > 1:
            if name == "getattr" and isinstance(arguments[1], str):
                return self._get_attribute(arguments[0], arguments[1], call.node)
            return Unknown(call.node, "unread")
        if call.problem is not None:
            return call.problem
        if name == "setattr" and count == 3:
            owner, attribute, value = arguments
            if isinstance(attribute, str):
                self._set_attribute(owner, attribute, value, call.node)
            else:
                spoil(owner, Unknown(call.node, "unread"))
            return None
        if name == "vars" and count == 1 and isinstance(arguments[0], Instance):
            return Members(arguments[0])
        if name == "isinstance" and count == 2:
            return _is_instance(arguments[0], arguments[1], call.node)
        if name == "reduce" and count > 1:
            return self._reduce(call)
        if name in _ORDERS and call.keywords:
            return self._sort(name, call)
        if name in ("map", "filter") and count == 2:
            return self._map(name, call)
        doubt = find_unknown(call.values, deeply=name in _COMPARED_DEEPLY)
        if doubt is not None and not (name == "dict" and not arguments):
            return doubt
        return self._attempt(call.node, FUNCTIONS.get(name), arguments, call.keywords)

    def _map(self, name: str, call: Call) -> object:
        function, source = call.arguments
        items = iterate(source)
        if items is None:
            return _doubt(source, call.node)
        pairs = [
            (one, self.call(function, Call(call.node, [one])))
            for one in self._take(items)
        ]
        if name == "map":
            return [result for _, result in pairs]
        truths = [truth_of(result) for _, result in pairs]
        if None in truths:
            return Unknown(call.node, "unread")
        return [one for (one, _), truth in zip(pairs, truths, strict=True) if truth]

    def _reduce(self, call: Call) -> object:
        function, source, *initial = call.arguments
        items = iterate(source)
        if items is None:
            return _doubt(source, call.node)
        taken = [*initial, *self._take(items)]
        if not taken:
            return Unknown(call.node, "fails", detail="there is nothing to reduce")
        result, *rest = taken
        for one in rest:
            result = self.call(function, Call(call.node, [result, one]))
        return result

    def _sort(self, name: str, call: Call) -> object:
        """``sorted``, ``min`` or ``max`` with a key or in reverse."""
        arguments, node = call.arguments, call.node
        items = iterate(arguments[0]) if len(arguments) == 1 else arguments
        doubt = find_unknown(call.values, deeply=True)
        if items is None or doubt or not call.keywords.keys() <= {"key", "reverse"}:
            return doubt or Unknown(node, "unread")
        taken = self._take(items)
        rest = dict(call.keywords)
        by = rest.pop("key", None)
        keys = taken
        if by is not None:
            keys = [self.call(by, Call(node, [one])) for one in taken]
        order: Any = _ORDERS[name]

        def choose(keys: list[object]) -> object:
            places = order(range(len(keys)), key=keys.__getitem__, **rest)
            if isinstance(places, int):
                return taken[places]
            return [taken[place] for place in places]

        return find_unknown(keys, deeply=True) or self._attempt(node, choose, [keys])

    def _call_known_method(self, method: Method, call: Call) -> object:
        value, name = method.value, method.name
        doubt = call.problem
        if doubt is None and name != "append":
            doubt = find_unknown(call.arguments)
        if doubt is None and name not in _KEEPING:
            doubt = find_unknown(call.keywords.values())
        result: object = doubt
        if doubt is None and name == "sort" and isinstance(value, list):
            result = self._sort("sorted", Call(call.node, [value], call.keywords))
            if isinstance(result, list):
                value[:] = result
                return None
        elif doubt is None:
            looked_through = [value] if name in LOOKING_THROUGH else []
            result = self._attempt(
                call.node,
                lambda _, *given, **named: call_method(value, name, given, named),
                [looked_through, *call.arguments],
                call.keywords,
            )
        if isinstance(result, Unknown) and name not in _READING:
            spoil(value, result)
        return result

    def _copy(self, name: str, call: Call) -> object:
        """``copy.copy`` or ``copy.deepcopy`` of a list or dict."""
        deeply = name == "deepcopy"
        return self._attempt(
            call.node, lambda one: _copy(one, call.node, deeply), call.arguments
        )


def _doubt(value: object, node: ast.AST) -> Unknown:
    return value if isinstance(value, Unknown) else Unknown(node, "unread")


def _copy(value: object, node: ast.AST, deeply: bool) -> object:
    def copy(one: object) -> object:
        return _copy(one, node, deeply) if deeply else one

    if isinstance(value, list):
        return [copy(one) for one in value]
    if isinstance(value, dict):
        return {key: copy(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(copy(one) for one in value)
    if isinstance(value, (Unknown, *Plain)):
        return value
    return Unknown(node, "unread")


def _is_instance(value: object, types: object, node: ast.AST) -> object:
    """Whether a value is of Python's types, or of classes of the program."""
    if isinstance(value, Unknown):
        return value
    answers = []
    for one in types if isinstance(types, tuple) else (types,):
        name = getattr(one, "name", getattr(one, "path", ""))
        if isinstance(one, Class):
            made_by = getattr(value, "made_by", None)
            answers.append(made_by is not None and one in made_by.line)
        elif name in _TYPES and not isinstance(value, (Instance, Layer)):
            answers.append(isinstance(value, _TYPES[name]))
        else:
            return Unknown(node, "unread")
    return any(answers)
