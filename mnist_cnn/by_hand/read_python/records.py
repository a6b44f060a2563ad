"""Objects that are little more than their fields: dataclasses, named tuples, spaces."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from .attributes import Attributes
from .values import Class, Function, Instance, Scope, Unknown

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

    def _define_record(
        self, arguments: Sequence[object], keywords: Mapping[str, object], node: ast.AST
    ) -> object:
        """The class that ``namedtuple("Size", "rows columns")`` makes."""
        match [*arguments, *keywords.values()]:
            case [str() as name, str() | list() | tuple() as given]:
                names = given
            case _:
                return Unknown(node, "unread")
        if isinstance(names, str):
            names = names.replace(",", " ").split()
        if not all(isinstance(one, str) for one in names):
            return Unknown(node, "unread")
        return Class(name, node, (), {}, dict.fromkeys(names), is_tuple=True)

    def _fill_record(
        self,
        record: Instance,
        arguments: Sequence[object],
        keywords: Mapping[str, object],
        node: ast.AST,
        problem: Unknown | None,
    ) -> None:
        """Give a new record's fields their values."""
        fields = record.made_by.fields or {}
        given = {**dict(zip(fields, arguments, strict=False)), **keywords}
        for name, default in fields.items():
            value: object = Unknown(node, "unread")
            if problem is not None:
                value = problem
            elif name in given:
                value = given[name]
            elif default is not None:
                value = self._evaluate(_default(default), self._module)
            record.attributes[name] = value
        after = record.made_by.find("__post_init__")
        if isinstance(after, Function):
            self._call_function(after, [record], {}, node)


def _default(node: ast.expr) -> ast.expr:
    """What ``field(default=...)`` or ``field(default_factory=...)`` comes to."""
    if isinstance(node, ast.Call):
        for one in node.keywords:
            if one.arg == "default":
                return one.value
            if one.arg == "default_factory":
                return ast.copy_location(ast.Call(one.value, [], []), node)
    return node
