"""Objects that are little more than their fields: dataclasses, named tuples, spaces."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from .attributes import Attributes
from .values import Call, Class, Function, Instance, Scope, Unknown

SPACES = frozenset({"Namespace", "SimpleNamespace"})
"""Classes whose objects have the keywords of their call as attributes."""


class Records(Attributes):
    """Follows how records are defined and made."""

    def _find_fields(
        self, node: ast.ClassDef, bases: Sequence[object], scope: Scope
    ) -> dict[str, ast.expr | None] | None:
        """A record's fields with their defaults; None for another class."""
        marks = [
            self._evaluate(one.func if isinstance(one, ast.Call) else one, scope)
            for one in node.decorator_list
        ]
        names = [one.last for one in (*marks, *bases) if isinstance(one, Unknown)]
        if "dataclass" not in names and "NamedTuple" not in names:
            return None
        fields: dict[str, ast.expr | None] = {}
        for base in bases:
            if isinstance(base, Class) and base.fields is not None:
                fields |= base.fields
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(
                statement.target, ast.Name
            ):
                fields[statement.target.id] = statement.value
        return fields

    def _define_record(self, call: Call) -> object:
        """The class that ``namedtuple("Size", "rows columns")`` makes."""
        match call.values:
            case [str() as name, str() | list() | tuple() as given]:
                names = given
            case _:
                return Unknown(call.node, "unread")
        if isinstance(names, str):
            names = names.replace(",", " ").split()
        if not all(isinstance(one, str) for one in names):
            return Unknown(call.node, "unread")
        return Class(name, call.node, (), {}, dict.fromkeys(names), is_tuple=True)

    def _fill_record(self, record: Instance, call: Call) -> None:
        """Give a new record's fields their values."""
        fields = record.made_by.fields or {}
        given = dict(zip(fields, call.arguments, strict=False)) | call.keywords
        for name, default in fields.items():
            value: object = Unknown(call.node, "unread")
            if call.problem is not None:
                value = call.problem
            elif name in given:
                value = given[name]
            elif default is not None:
                value = self._evaluate(_default(default), self._module)
            record.attributes[name] = value
        after = record.made_by.find("__post_init__")
        if isinstance(after, Function):
            self._call_function(after, Call(call.node, [record]))


def _default(node: ast.expr) -> ast.expr:
    """What ``field(default=...)`` or ``field(default_factory=...)`` comes to."""
    if isinstance(node, ast.Call):
        for one in node.keywords:
            if one.arg == "default":
                return one.value
            if one.arg == "default_factory":
                return ast.copy_location(ast.Call(one.value, [], []), node)
    return node
