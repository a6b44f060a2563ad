"""Follows a program as far as its layers need it, without running any of it.

Assignments, loops, conditions and calls are followed on numbers, texts, lists and
dicts; a call of one of Lasagne's names makes a layer. All else is :class:`Unknown`,
which is carried along and told where a layer depends on it. Nothing of the program is
compiled, imported or called.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from .expressions import Expressions
from .functions import MOST_ITEMS, NotFollowed, check, guard
from .layers import is_layer_class, is_layer_function
from .state import (
    FAILURES,
    MOST_STEPS,
    Broken,
    Continued,
    Doubted,
    Jump,
    Returned,
    TooLong,
)
from .values import (
    INNER_SCOPES,
    Call,
    Class,
    Function,
    Instance,
    Members,
    Partial,
    Scope,
    Unknown,
    find_layers,
    find_unknown,
    iterate,
    spoil,
    truth_of,
    walk,
)

_MOST_STEPS_OF_A_LOOP = 20_000
"""Of a loop that makes no layer: it trains, and is left."""

_CHANGING = frozenset(
    {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"}
    | {"setdefault", "update"}
)


class Interpreter(Expressions):
    """Follows a program.

    Parameters
    ----------
    text : str
    defined : mapping
        Values of names that the program takes from elsewhere.

    Attributes
    ----------
    maker : LayerMaker
        With all the layers that were made.
    nets : list of Net
    called : set of int
        ``id`` of the text of each function that was called.
    shown : list of tuple
        What statements of the module consist in alone, with its node.
    """

    def follow_module(self, body: Sequence[ast.stmt]) -> Scope:
        """Follow the statements of a module; gives its names."""
        self._left = MOST_STEPS
        try:
            self._run(body, self._module)
        except Jump:
            pass
        except TooLong:
            for layer in self.maker.made:
                layer.doubt = layer.doubt or Unknown(layer.node, "long")
        return self._module

    def follow_alone(self, function: Function, owner: Instance | None) -> object:
        """Call a function, or a method of `owner`, with its defaults.

        Gives what it returns.
        """
        self._left = MOST_STEPS
        made = len(self.maker.made)
        arguments: list[object] = []
        if owner is not None and function.kind != "staticmethod":
            arguments.append(owner)
        try:
            return self._call_function(function, Call(function.node, arguments))
        except TooLong:
            doubt = Unknown(function.node, "long")
            for layer in self.maker.made[made:]:
                layer.doubt = layer.doubt or doubt
            return doubt

    # Statements

    def _run(self, body: Iterable[ast.stmt], scope: Scope) -> None:
        for statement in body:
            self._spend(1)
            follow = getattr(self, f"_run_{type(statement).__name__}", None)
            if follow is None:
                self._give_up([statement], scope, Unknown(statement, "unread"))
            else:
                follow(statement, scope)

    def _run_Expr(self, node: ast.Expr, scope: Scope) -> None:
        value = self._evaluate(node.value, scope)
        if scope is self._module and not isinstance(value, Unknown):
            self.shown.append((node, value))

    def _run_Assign(self, node: ast.Assign, scope: Scope) -> None:
        value = self._evaluate(node.value, scope)
        for target in node.targets:
            self._assign(target, value, scope)

    def _run_AnnAssign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            self._assign(node.target, self._evaluate(node.value, scope), scope)

    def _run_AugAssign(self, node: ast.AugAssign, scope: Scope) -> None:
        value = self._evaluate(node.value, scope)
        place = ast.copy_location(_as_load(node.target), node.target)
        before = self._evaluate(place, scope)
        is_sum = isinstance(node.op, ast.Add)
        if is_sum and isinstance(before, list) and isinstance(value, (list, tuple)):
            self._spend(len(value) // 10)
            too_large = len(before) + len(value) > MOST_ITEMS
            before.extend([Unknown(node, "large")] if too_large else value)
            return
        self._assign(node.target, self._operate(node, node.op, before, value), scope)

    def _run_Delete(self, node: ast.Delete, scope: Scope) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                scope.names.pop(target.id, None)
            elif isinstance(target, ast.Subscript):
                owner = self._evaluate(target.value, scope)
                index = self._evaluate(target.slice, scope)
                done = find_unknown([index]) or self._attempt(
                    target, operator.delitem, [owner, index]
                )
                if isinstance(done, Unknown):
                    spoil(owner, done)
            else:
                self._give_up([ast.Expr(target)], scope, Unknown(node, "unread"))

    def _run_Pass(self, node: ast.Pass, scope: Scope) -> None:
        pass

    def _run_Assert(self, node: ast.Assert, scope: Scope) -> None:
        pass

    def _run_Global(self, node: ast.Global, scope: Scope) -> None:
        scope.outside |= dict.fromkeys(node.names, scope.module)

    def _run_Nonlocal(self, node: ast.Nonlocal, scope: Scope) -> None:
        for name in node.names:
            around = scope.parent.find(name) if scope.parent else None
            if around is not None:
                scope.outside[name] = around

    def _run_Import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            path = alias.name if alias.asname else alias.name.partition(".")[0]
            name = alias.asname or path
            self._name(name, Unknown(node, "import", path), scope)

    def _run_ImportFrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        for alias in node.names:
            if alias.name != "*":
                path = f"{node.module or ''}.{alias.name}".lstrip(".")
                value: object = Unknown(node, "import", path)
                self._name(alias.asname or alias.name, value, scope)

    def _run_Return(self, node: ast.Return, scope: Scope) -> None:
        raise Returned(
            None if node.value is None else self._evaluate(node.value, scope)
        )

    def _run_Raise(self, node: ast.Raise, scope: Scope) -> None:
        raise Returned(Unknown(node, "fails", detail="the program stops there"))

    def _run_Break(self, node: ast.Break, scope: Scope) -> None:
        raise Broken

    def _run_Continue(self, node: ast.Continue, scope: Scope) -> None:
        raise Continued

    def _run_If(self, node: ast.If, scope: Scope) -> None:
        taken = truth_of(self._evaluate(node.test, scope))
        if taken is not None:
            self._run(node.body if taken else node.orelse, scope)
        elif all(map(_only_imports, [*node.body, *node.orelse])):
            # Which implementation of a layer is taken changes no size.
            self._run(node.orelse, scope)
            self._run(node.body, scope)
        else:
            doubt = Unknown(node.test, "test")
            branches = [*node.body, *node.orelse]
            self._give_up(branches, scope, doubt)
            if any(map(_leaves_loop, branches)):
                raise Doubted(doubt)

    def _run_For(self, node: ast.For, scope: Scope) -> None:
        source = self._evaluate(node.iter, scope)
        items = iterate(source)
        if items is None:
            doubt = Unknown(node.iter, "loop")
            self._give_up([node], scope, doubt)
            return
        self._loop(node, scope, node.target, items)

    _run_AsyncFor = _run_For

    def _run_While(self, node: ast.While, scope: Scope) -> None:
        def turns() -> Iterator[object]:
            while True:
                going = truth_of(self._evaluate(node.test, scope))
                if going is None:
                    self._give_up([node], scope, Unknown(node.test, "while"))
                if not going:
                    return
                yield None

        self._loop(node, scope, None, turns())

    def _loop(
        self,
        node: ast.For | ast.While,
        scope: Scope,
        target: ast.expr | None,
        items: Iterable[object],
    ) -> None:
        left, made = self._left, len(self.maker.made)
        for item in items:
            self._spend(1)
            makes_none = len(self.maker.made) == made
            if makes_none and left - self._left > _MOST_STEPS_OF_A_LOOP:
                kind = "while" if target is None else "loop"
                about = node.test if isinstance(node, ast.While) else node.iter
                self._give_up([node], scope, Unknown(about, kind))
                return
            if target is not None:
                self._assign(target, item, scope)
            try:
                self._run(node.body, scope)
            except Broken:
                return
            except Continued:
                continue
            except Doubted as doubted:
                self._give_up([node], scope, doubted.doubt)
                return
        self._run(node.orelse, scope)

    def _run_With(self, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
        for item in node.items:
            value = self._evaluate(item.context_expr, scope)
            if item.optional_vars is not None:
                self._assign(item.optional_vars, value, scope)
        self._run(node.body, scope)

    _run_AsyncWith = _run_With

    def _run_Try(self, node: ast.Try, scope: Scope) -> None:
        try:
            self._run(node.body, scope)
            self._run(node.orelse, scope)
        finally:
            self._run(node.finalbody, scope)
        # What may fail elsewhere does not here, but nobody can tell.
        for handler in node.handlers:
            for one in walk(handler.body):
                if isinstance(one, (ast.Import, ast.ImportFrom)):
                    continue
                for name in _names_given_by(one):
                    around = scope.find(name)
                    if around and not isinstance(around.names[name], Unknown):
                        self._name(name, Unknown(node.body[0], "try"), scope)

    _run_TryStar = _run_Try

    def _run_FunctionDef(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope
    ) -> None:
        kinds = {one.id for one in node.decorator_list if isinstance(one, ast.Name)}
        kind = next(
            (
                one
                for one in ("staticmethod", "classmethod", "property")
                if one in kinds
            ),
            "",
        )
        made: object = self._make_function(node, node.name, scope, kind)
        name = node.name
        for decorator in reversed(node.decorator_list):
            if isinstance(decorator, ast.Attribute) and decorator.attr == "setter":
                name = f"{node.name}.setter"
                continue
            value = self._evaluate(decorator, scope)
            # Those from elsewhere are taken to change nothing.
            if isinstance(value, (Function, Partial)):
                made = self.call(value, Call(decorator, [made]))
        self._name(name, made, scope)

    _run_AsyncFunctionDef = _run_FunctionDef

    def _run_ClassDef(self, node: ast.ClassDef, scope: Scope) -> None:
        bases = tuple(self._evaluate(base, scope) for base in node.bases)
        inner = Scope({}, scope, is_class=True)
        self._run(node.body, inner)
        fields = self._find_fields(node, bases, scope)
        is_tuple = any(
            isinstance(one, Unknown) and one.last == "NamedTuple" for one in bases
        )
        made = Class(node.name, node, bases, inner.names, fields, is_tuple)
        for name, value in inner.names.items():
            if isinstance(value, Function):
                inner.names[name] = replace(value, owner=made)
        self._name(node.name, made, scope)

    # Names

    def _assign(self, target: ast.expr, value: object, scope: Scope) -> None:
        self._spend(1)
        if isinstance(target, ast.Name):
            self._name(target.id, value, scope)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value, scope)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, value, scope)
        elif isinstance(target, ast.Attribute):
            owner = self._evaluate(target.value, scope)
            self._set_attribute(owner, target.attr, value, target)
        elif isinstance(target, ast.Subscript):
            self._set_item(target, value, scope)

    def _unpack(
        self, target: ast.Tuple | ast.List, value: object, scope: Scope
    ) -> None:
        places = target.elts
        items = iterate(value)
        known = None if items is None else list(items)[: MOST_ITEMS + 1]
        starred = [at for at, one in enumerate(places) if isinstance(one, ast.Starred)]
        if known is not None and starred:
            at, after = starred[0], len(places) - starred[0] - 1
            middle = known[at : len(known) - after]
            known = [*known[:at], middle, *known[len(known) - after :]]
        if known is None or len(known) != len(places):
            known = [
                value if isinstance(value, Unknown) else Unknown(target, "unread")
            ] * len(places)
        for place, item in zip(places, known, strict=True):
            self._assign(place, item, scope)

    def _set_item(self, target: ast.Subscript, value: object, scope: Scope) -> None:
        owner = self._evaluate(target.value, scope)
        index: Any = self._evaluate(target.slice, scope)
        if isinstance(owner, Members):
            if isinstance(index, str):
                owner.instance.attributes[index] = value
            else:
                spoil(owner, Unknown(target, "unread"))
        if not isinstance(owner, (dict, list)):
            return
        try:
            guard(index)
            if find_unknown([index]) or isinstance(index, slice):
                raise NotFollowed
            owner[index] = value
            check(owner)
        except FAILURES:
            spoil(owner, Unknown(target, "unread"))

    # What cannot be followed

    def _give_up(self, body: Sequence[ast.stmt], scope: Scope, doubt: Unknown) -> None:
        """Take as unknown all that these statements may change."""
        nodes = list(walk(body))
        self._spend(len(nodes))
        makes_layers = any(self._may_make_layers(one, scope) for one in nodes)
        for node in nodes:
            if isinstance(node, ast.Return) and not _is_constant(node.value):
                scope.doubt = doubt
            before = self._spoil_by(node, scope, doubt)
            for layer in find_layers(before) if makes_layers else ():
                layer.doubt = layer.doubt or doubt

    def _may_make_layers(self, node: ast.AST, scope: Scope) -> bool:
        if not isinstance(node, ast.Call):
            return False
        if isinstance(self._look_up(node.func, scope), (Function, Class, Partial)):
            return True
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return is_layer_class(name) or is_layer_function(name)

    def _spoil_by(self, node: ast.AST, scope: Scope, doubt: Unknown) -> object:
        """Take as unknown what a node may change; gives what was there before."""
        changed: list[object] = []
        for name in _names_given_by(node):
            around = scope.find(name)
            before = around.names[name] if around else None
            changed.append(before)
            sources = tuple(find_layers(before))
            self._name(name, replace(doubt, sources=sources), scope)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            owner = self._look_up(node.value, scope)
            if isinstance(owner, Instance):
                changed.append(owner.attributes.get(node.attr))
                owner.attributes[node.attr] = doubt
        places: list[ast.AST] = []
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            places.append(node.value)
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
                places.append(node.func.value)
            if isinstance(self._look_up(node.func, scope), Function):
                places += node.args
        for place in places:
            value = self._look_up(place, scope)
            if isinstance(value, (dict, list)):
                changed += find_layers(value)
                spoil(value, doubt)
        return changed

    def _look_up(self, node: ast.AST, scope: Scope) -> object:
        """What a name, or an attribute of an object, holds; None for all else."""
        if isinstance(node, ast.Name):
            around = scope.find(node.id)
            return around.names[node.id] if around else None
        if isinstance(node, ast.Attribute):
            owner = self._look_up(node.value, scope)
            if isinstance(owner, Instance):
                return owner.attributes.get(node.attr, owner.made_by.find(node.attr))
        return None


def _as_load(target: ast.expr) -> ast.expr:
    """The same place, to read from."""
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    if isinstance(target, ast.Subscript):
        return ast.Subscript(target.value, target.slice, ast.Load())
    return target


def _names_given_by(node: ast.AST) -> Iterator[str]:
    """Names that a node gives another value."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            yield (alias.asname or alias.name).partition(".")[0]


def _leaves_loop(node: ast.AST) -> bool:
    """Whether a statement may end the loop that it stands in, or its turn."""
    if isinstance(node, (ast.Break, ast.Continue)):
        return True
    inner = (ast.For, ast.AsyncFor, ast.While, *INNER_SCOPES)
    return not isinstance(node, inner) and any(
        map(_leaves_loop, ast.iter_child_nodes(node))
    )


def _only_imports(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass))


def _is_constant(node: ast.expr | None) -> bool:
    return node is None or isinstance(node, ast.Constant)
