"""Expressions: their values, as far as they can be known."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from .calls import Calls
from .functions import FUNCTIONS, OPERATORS, Plain, format_value, guard
from .layers import is_layer_class
from .python_calls import CALLS_OF_ITS_OWN
from .state import FAILURES, TooLong
from .values import (
    Builtin,
    Call,
    Function,
    Parameter,
    Scope,
    Tags,
    Unknown,
    find_unknown,
    iterate,
    truth_of,
)


class Expressions(Calls):
    """Evaluates expressions."""

    def _evaluate(self, node: ast.expr, scope: Scope) -> object:
        self._left -= 1
        if self._left < 0:
            raise TooLong
        kind = type(node)
        if kind not in self._evaluators:
            name = f"_evaluate_{kind.__name__}"
            self._evaluators[kind] = getattr(self, name, None)
        follow = self._evaluators[kind]
        return Unknown(node, "unread") if follow is None else follow(node, scope)

    def _evaluate_Constant(self, node: ast.Constant, scope: Scope) -> object:
        if not isinstance(node.value, Plain):
            return Unknown(node, "unread")
        return self._checked(node, node.value)

    def _evaluate_Name(self, node: ast.Name, scope: Scope) -> object:
        around = scope.find(node.id)
        if around is not None:
            value = around.names[node.id]
            return replace(value, used=node) if isinstance(value, Unknown) else value
        if node.id in self._defined:
            return self._defined[node.id]
        if node.id in FUNCTIONS or node.id in CALLS_OF_ITS_OWN:
            return Builtin(node.id)
        return Unknown(node, "name", node.id, used=node)

    def _evaluate_Attribute(self, node: ast.Attribute, scope: Scope) -> object:
        if self._defined:
            name = ast.unparse(node)
            if name in self._defined:
                return self._defined[name]
        value = self._evaluate(node.value, scope)
        return self._get_attribute(value, node.attr, node)

    def _evaluate_Subscript(self, node: ast.Subscript, scope: Scope) -> object:
        value: Any = self._evaluate(node.value, scope)
        index: Any = self._evaluate(node.slice, scope)
        if isinstance(value, Unknown):
            return replace(value, used=node)
        if isinstance(value, Tags) and isinstance(index, Parameter):
            return Tags(value.layer, index.name)
        if isinstance(value, Parameter):
            return replace(value, computed=True)
        unknown = find_unknown([index])
        if unknown is not None:
            return unknown
        if not isinstance(value, (dict, list, tuple, str, range)):
            return Unknown(node, "unread")
        try:
            guard(index)
            part = value[index]
            self._spend(len(part) // 10 if isinstance(index, slice) else 0)
            return part
        except FAILURES:
            return Unknown(node, "fails", detail="there is no such entry")

    def _evaluate_Slice(self, node: ast.Slice, scope: Scope) -> object:
        bounds = [
            None if one is None else self._evaluate(one, scope)
            for one in (node.lower, node.upper, node.step)
        ]
        return find_unknown(bounds) or slice(*bounds)

    def _evaluate_Tuple(self, node: ast.Tuple, scope: Scope) -> object:
        items = self._evaluate_items(node.elts, scope)
        return items if isinstance(items, Unknown) else tuple(items)

    def _evaluate_List(self, node: ast.List, scope: Scope) -> object:
        return self._evaluate_items(node.elts, scope)

    def _evaluate_items(
        self, nodes: Iterable[ast.expr], scope: Scope
    ) -> list[object] | Unknown:
        items: list[object] = []
        for one in nodes:
            if isinstance(one, ast.Starred):
                value = self._evaluate(one.value, scope)
                more = iterate(value)
                if more is None:
                    return (
                        value if isinstance(value, Unknown) else Unknown(one, "unread")
                    )
                items += self._take(more)
            else:
                items.append(self._evaluate(one, scope))
        return items

    def _evaluate_Set(self, node: ast.Set, scope: Scope) -> object:
        items = self._evaluate_items(node.elts, scope)
        if isinstance(items, Unknown):
            return items
        return self._attempt(node, FUNCTIONS["set"], [items])

    def _evaluate_Dict(self, node: ast.Dict, scope: Scope) -> object:
        made: dict[object, object] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            entry = self._evaluate(value, scope)
            if key is None:
                if not isinstance(entry, dict):
                    return (
                        entry
                        if isinstance(entry, Unknown)
                        else Unknown(value, "unread")
                    )
                made |= entry
                continue
            index = self._evaluate(key, scope)
            unknown = find_unknown([index])
            if unknown is not None:
                return unknown
            try:
                guard(index)
                made[index] = entry
            except FAILURES:
                return Unknown(key, "unread")
        return made

    def _evaluate_JoinedStr(self, node: ast.JoinedStr, scope: Scope) -> object:
        parts = [self._evaluate(one, scope) for one in node.values]
        unknown = find_unknown(parts)
        return unknown or self._checked(node, "".join(map(str, parts)))

    def _evaluate_FormattedValue(
        self, node: ast.FormattedValue, scope: Scope
    ) -> object:
        value = self._evaluate(node.value, scope)
        shape = self._evaluate(node.format_spec, scope) if node.format_spec else ""
        unknown = find_unknown([value, shape])
        if unknown is not None:
            return unknown
        try:
            conversion = chr(node.conversion) if node.conversion > 0 else None
            return format_value(value, str(shape), conversion)
        except FAILURES:
            return Unknown(node, "unread")

    def _evaluate_NamedExpr(self, node: ast.NamedExpr, scope: Scope) -> object:
        value = self._evaluate(node.value, scope)
        while scope.is_comprehension and scope.parent is not None:
            scope = scope.parent
        self._assign(node.target, value, scope)
        return value

    def _evaluate_Lambda(self, node: ast.Lambda, scope: Scope) -> object:
        return self._make_function(node, "lambda", scope)

    def _evaluate_BinOp(self, node: ast.BinOp, scope: Scope) -> object:
        # Long sums lean to the left: they are followed without depth.
        chain = [node]
        while isinstance(chain[-1].left, ast.BinOp):
            chain.append(chain[-1].left)
        value = self._evaluate(chain[-1].left, scope)
        for one in reversed(chain):
            value = self._operate(one, one.op, value, self._evaluate(one.right, scope))
        return value

    def _operate(
        self, node: ast.AST, op: ast.AST, left: object, right: object
    ) -> object:
        self._spend(1)
        unknown = find_unknown([left, right])
        if unknown is not None:
            return unknown
        if isinstance(left, Parameter) or isinstance(right, Parameter):
            part = left if isinstance(left, Parameter) else right
            return replace(part, computed=True)  # type: ignore[type-var]
        return self._attempt(node, OPERATORS.get(type(op)), [left, right])

    def _evaluate_UnaryOp(self, node: ast.UnaryOp, scope: Scope) -> object:
        value = self._evaluate(node.operand, scope)
        if isinstance(node.op, ast.Not):
            truth = truth_of(value)
            return Unknown(node, "test") if truth is None else not truth
        if isinstance(value, Unknown):
            return value
        if isinstance(value, (int, float)):
            if isinstance(node.op, ast.USub):
                return -value
            if isinstance(node.op, ast.UAdd):
                return +value
        return Unknown(node, "unread")

    def _evaluate_BoolOp(self, node: ast.BoolOp, scope: Scope) -> object:
        value: object = None
        for one in node.values:
            value = self._evaluate(one, scope)
            truth = truth_of(value)
            if truth is None:
                return value if isinstance(value, Unknown) else Unknown(node, "test")
            if truth == isinstance(node.op, ast.Or):
                return value
        return value

    def _evaluate_Compare(self, node: ast.Compare, scope: Scope) -> object:
        left = self._evaluate(node.left, scope)
        for op, one in zip(node.ops, node.comparators, strict=True):
            right = self._evaluate(one, scope)
            result = self._compare(node, op, left, right)
            if result is not True:
                return result
            left = right
        return True

    def _compare(
        self, node: ast.AST, op: ast.AST, left: object, right: object
    ) -> object:
        self._spend(1)
        if isinstance(op, (ast.Is, ast.IsNot)) and right is None:
            is_none: bool | None = left is None
            if isinstance(left, Unknown):
                # A module, class or function from elsewhere is there.
                is_none = False if left.kind == "import" else None
            if is_none is not None:
                return is_none == isinstance(op, ast.Is)
        unknown = find_unknown([left, right], deeply=True)
        if unknown is not None:
            return unknown
        result = self._attempt(node, OPERATORS.get(type(op)), [left, right])
        return result if isinstance(result, Unknown) else bool(result)

    def _evaluate_IfExp(self, node: ast.IfExp, scope: Scope) -> object:
        taken = truth_of(self._evaluate(node.test, scope))
        if taken is None:
            ways = [self._evaluate(one, scope) for one in (node.body, node.orelse)]
            if all(
                isinstance(one, Unknown) and is_layer_class(one.last) for one in ways
            ):
                # Which implementation of a layer is taken changes no size.
                return ways[0]
            return Unknown(node.test, "test")
        return self._evaluate(node.body if taken else node.orelse, scope)

    def _evaluate_ListComp(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope
    ) -> object:
        inner = Scope({}, scope, is_comprehension=True)
        made: list[object] = []
        doubt = self._comprehend(
            node.generators,
            inner,
            lambda: made.append(self._evaluate(node.elt, inner)),
        )
        return doubt or made

    _evaluate_GeneratorExp = _evaluate_ListComp

    def _evaluate_SetComp(self, node: ast.SetComp, scope: Scope) -> object:
        made = self._evaluate_ListComp(node, scope)
        if isinstance(made, Unknown):
            return made
        return self._attempt(node, FUNCTIONS["set"], [made])

    def _evaluate_DictComp(self, node: ast.DictComp, scope: Scope) -> object:
        inner = Scope({}, scope, is_comprehension=True)
        pairs: list[tuple[object, object]] = []
        doubt = self._comprehend(
            node.generators,
            inner,
            lambda: pairs.append(
                (self._evaluate(node.key, inner), self._evaluate(node.value, inner))
            ),
        )
        return doubt or self._attempt(node, FUNCTIONS["dict"], [pairs])

    def _comprehend(
        self,
        generators: Sequence[ast.comprehension],
        scope: Scope,
        make: Callable[[], None],
    ) -> Unknown | None:
        """Call `make` for each turn; what stands against it, if anything does."""
        if not generators:
            make()
            return None
        first, *rest = generators
        items = iterate(self._evaluate(first.iter, scope))
        if items is None:
            return Unknown(first.iter, "loop")
        for item in items:
            self._spend(1)
            self._assign(first.target, item, scope)
            tests = [truth_of(self._evaluate(one, scope)) for one in first.ifs]
            if None in tests:
                return Unknown(first.ifs[tests.index(None)], "test")
            if all(tests):
                doubt = self._comprehend(rest, scope, make)
                if doubt is not None:
                    return doubt
        return None

    def _evaluate_Call(self, node: ast.Call, scope: Scope) -> object:
        function = self._evaluate(node.func, scope)
        arguments: list[object] = []
        problem: Unknown | None = None
        for one in node.args:
            if not isinstance(one, ast.Starred):
                arguments.append(self._evaluate(one, scope))
                continue
            value = self._evaluate(one.value, scope)
            items = iterate(value)
            if items is None:
                problem = Unknown(one.value, "arguments")
            else:
                arguments += self._take(items)
        keywords: dict[str, object] = {}
        for given in node.keywords:
            value = self._evaluate(given.value, scope)
            if given.arg is not None:
                keywords[given.arg] = _used_by(value, given)
            elif isinstance(value, dict) and all(isinstance(key, str) for key in value):
                keywords |= value
            else:
                problem = Unknown(given.value, "arguments")
        call = Call(node, arguments, keywords, problem)
        if isinstance(function, Builtin) and function.name == "super":
            return self._find_super(scope, call)
        if (
            isinstance(function, Builtin)
            and function.name in ("locals", "vars")
            and not arguments
        ):
            return dict(scope.names)
        return self.call(function, call)

    def _make_function(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda,
        name: str,
        scope: Scope,
        kind: str = "",
    ) -> Function:
        named = [*node.args.posonlyargs, *node.args.args]
        given = node.args.defaults
        defaults = {
            one.arg: self._evaluate(value, scope)
            for one, value in zip(named[len(named) - len(given) :], given, strict=True)
        }
        for one, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            if value is not None:
                defaults[one.arg] = self._evaluate(value, scope)
        around = scope.parent if scope.is_class and scope.parent else scope
        return Function(name, node, around, defaults, kind=kind)


def _used_by(value: object, node: ast.keyword) -> object:
    return replace(value, used=node.value) if isinstance(value, Unknown) else value
