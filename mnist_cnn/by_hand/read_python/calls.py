"""Calls: of the program's functions and classes, of Python's, of Lasagne's names."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..read_lasagne import in_order
from .constructors import NET_POSITIONS
from .functions import ELSEWHERE, FUNCTIONS, Plain, call_method
from .layers import is_layer_class
from .records import SPACES, Records
from .state import Jump, Returned
from .values import (
    Base,
    Builtin,
    Class,
    Function,
    Instance,
    Layer,
    Members,
    Method,
    Net,
    Parameter,
    Partial,
    Scope,
    Tags,
    Unknown,
    find_ancestors,
    find_layers,
    find_unknown,
    iterate,
    spoil,
    truth_of,
    walk,
)

CALLS_OF_ITS_OWN = frozenset(
    {"filter", "getattr", "hasattr", "isinstance", "locals", "map", "print"}
    | {"reduce", "setattr", "super", "vars"}
)
"""Functions of Python that are followed here, beside :data:`.functions.FUNCTIONS`."""

_COMPARED_DEEPLY = frozenset(
    {"all", "any", "max", "min", "prod", "product", "sorted", "sum"}
)
_DEEPEST_CALLS = 25
_READING = frozenset({"copy", "count", "get", "index", "items", "keys", "values"})
_SORTING = {"key", "reverse"}
_TYPES = {"basestring": str, "unicode": str, "long": int} | {
    one.__name__: one for one in (bool, dict, float, int, list, str, tuple)
}
_REARRANGING = frozenset({"dimshuffle", "flatten", "reshape", "swapaxes", "transpose"})
_NET = "NeuralNet"
_UNSETTLING = frozenset(
    {"__bool__", "__eq__", "__getattribute__", "__len__", "__ne__", "__new__"}
    | {"__nonzero__", "__setattr__"}
)
"""Methods by which objects of a class may differ from all others."""


class Calls(Records):
    """Follows calls."""

    def call(
        self,
        function: object,
        arguments: list[object],
        keywords: dict[str, object],
        node: ast.AST,
        problem: Unknown | None = None,
    ) -> object:
        """The value of a call; `problem` is what may add to its arguments."""
        self._spend(1)
        if isinstance(function, Partial):
            return self.call(
                function.function,
                [*function.arguments, *arguments],
                {**function.keywords, **keywords},
                node,
                problem,
            )
        if isinstance(function, Function):
            return self._call_function(function, arguments, keywords, node, problem)
        if isinstance(function, Method):
            return self._call_method(function, arguments, keywords, node, problem)
        if isinstance(function, Class):
            return self._call_class(function, arguments, keywords, node, problem)
        if isinstance(function, Builtin):
            return self._call_builtin(function.name, arguments, keywords, node, problem)
        if isinstance(function, Instance):
            member = function.made_by.find("__call__")
            if isinstance(member, Function):
                given = [function, *arguments]
                return self._call_function(member, given, keywords, node, problem)
        if isinstance(function, Unknown) and function.path:
            return self._call_elsewhere(function, arguments, keywords, node, problem)
        if isinstance(function, Unknown):
            sources = tuple(find_layers([arguments, list(keywords.values())]))
            return replace(function, used=node, sources=sources)
        return Unknown(node, "unread")

    def _call_function(
        self,
        function: Function,
        arguments: Sequence[object],
        keywords: Mapping[str, object],
        node: ast.AST,
        problem: Unknown | None = None,
    ) -> object:
        self._spend(10)
        self.called.add(id(function.node))
        if len(self._stack) >= _DEEPEST_CALLS:
            doubt = Unknown(node, "deep")
            for layer in find_layers([*arguments, *keywords.values()]):
                layer.doubt = layer.doubt or doubt
            return doubt
        names = self._bind(function, arguments, keywords, node, problem)
        scope = Scope(names, function.scope)
        body = function.node.body
        made, within = len(self.maker.made), self.maker.within
        self._stack.append(function)
        self.maker.within = _name_function(function)
        try:
            if isinstance(body, ast.expr):
                return self._evaluate(body, scope)
            if self._yields(body):
                return Unknown(node, "call")
            result: object = None
            try:
                self._run(body, scope)
            except Returned as returned:
                result = returned.value
            except Jump:
                pass
        finally:
            self._stack.pop()
            self.maker.within = within
        if scope.doubt is not None:
            return scope.doubt
        if function.owner is None:
            self._leave_dangling(made, result)
        return result

    def _yields(self, body: Sequence[ast.stmt]) -> bool:
        """Whether a function's body makes it a generator."""
        if id(body) not in self._generators:
            self._generators[id(body)] = any(
                isinstance(one, (ast.Yield, ast.YieldFrom)) for one in walk(body)
            )
        return self._generators[id(body)]

    def _leave_dangling(self, made: int, result: object) -> None:
        """Mark the layers that a function made beside those it returns."""
        returned = find_layers(result)
        if not returned or made == len(self.maker.made):
            return
        own = {id(one) for one in self.maker.made[made:]}
        kept = in_order(
            (one for one in returned if id(one) in own),
            lambda one: [
                before for before in (*one.feeding, *one.depends) if id(before) in own
            ],
        )
        for layer in self.maker.made[made:]:
            layer.dangling = True
        for layer in kept:
            layer.dangling = False

    def _bind(
        self,
        function: Function,
        arguments: Sequence[object],
        keywords: Mapping[str, object],
        node: ast.AST,
        problem: Unknown | None,
    ) -> dict[str, object]:
        """The names of a call's parameters."""
        spec = function.node.args
        places = [*spec.posonlyargs, *spec.args]
        names = {one.arg: value for one, value in zip(places, arguments, strict=False)}
        rest: dict[object, object] = {}
        known = {one.arg for one in (*places, *spec.kwonlyargs)}
        for keyword, value in keywords.items():
            (names if keyword in known else rest)[keyword] = value
        for one in (*places, *spec.kwonlyargs):
            if one.arg in names:
                continue
            if problem is not None:
                names[one.arg] = problem
            elif one.arg in function.defaults:
                names[one.arg] = function.defaults[one.arg]
            elif one.arg in self._defined:
                names[one.arg] = self._defined[one.arg]
            else:
                names[one.arg] = Unknown(one, "parameter")
        if spec.vararg is not None:
            names[spec.vararg.arg] = problem or tuple(arguments[len(places) :])
        if spec.kwarg is not None:
            names[spec.kwarg.arg] = problem or rest
        return names

    def _call_method(
        self,
        method: Method,
        arguments: list[object],
        keywords: dict[str, object],
        node: ast.AST,
        problem: Unknown | None,
    ) -> object:
        value = method.value
        if method.function is not None:
            given = [value, *arguments]
            return self._call_function(method.function, given, keywords, node, problem)
        if isinstance(value, Base):
            return self._call_base(
                value, method.name, arguments, keywords, node, problem
            )
        if isinstance(value, Net):
            if method.name == "set_params":
                value.keywords.update(keywords)
            return Unknown(node, "call")
        if isinstance(value, Members):
            doubt = problem or find_unknown(arguments)
            if method.name != "update" or doubt is not None:
                spoil(value, doubt or Unknown(node, "unread"))
            else:
                more = self._attempt(node, FUNCTIONS["dict"], arguments, keywords)
                if isinstance(more, dict):
                    value.instance.attributes |= more
            return None
        if isinstance(value, Tags):
            return self._change_tags(value, method.name, arguments, node)
        if isinstance(value, Parameter):
            if method.name in _REARRANGING:
                return replace(value, computed=True)
            return Unknown(node, "call")
        if isinstance(value, Layer):
            if method.name == "add_param":
                value.problems.append(
                    self.messages.about(node, "it gets a parameter of its own here")
                )
            return Unknown(node, "call")
        return self._call_known_method(method, arguments, keywords, node, problem)

    def _call_known_method(
        self,
        method: Method,
        arguments: list[object],
        keywords: dict[str, object],
        node: ast.AST,
        problem: Unknown | None,
    ) -> object:
        value, name = method.value, method.name
        doubt = problem or (None if name == "append" else find_unknown(arguments))
        if doubt is None and name not in ("append", "update", "insert", "setdefault"):
            doubt = find_unknown(keywords.values())
        if doubt is not None:
            if name not in _READING:
                spoil(value, doubt)
            return doubt
        if name == "sort" and isinstance(value, list):
            result = self._sort("sorted", [value], keywords, node)
            value[:] = result if isinstance(result, list) else [result]
            return None
        if isinstance(value, str) and name == "format":
            doubt = find_unknown(keywords.values())
            if doubt is not None:
                return doubt

        def call(*arguments: object, **keywords: object) -> object:
            return call_method(value, name, arguments, keywords)

        result = self._attempt(node, call, arguments, keywords)
        if isinstance(result, Unknown) and name not in _READING:
            spoil(value, result)
        return result

    def _change_tags(
        self, tags: Tags, name: str, arguments: Sequence[object], node: ast.AST
    ) -> object:
        """``layer.params[layer.W].remove("trainable")``: training leaves it alone."""
        if list(arguments) == ["trainable"]:
            if not tags.name:
                tags.layer.problems.append(
                    self.messages.about(node, "which parameters are trained is unclear")
                )
            elif name in ("remove", "discard"):
                tags.layer.frozen.add(tags.name)
            elif name == "add":
                tags.layer.frozen.discard(tags.name)
        return Unknown(node, "call")

    def _call_class(
        self,
        made_by: Class,
        arguments: list[object],
        keywords: dict[str, object],
        node: ast.AST,
        problem: Unknown | None,
    ) -> object:
        bases = [one for one in made_by.line_up() if isinstance(one, Unknown)]
        init = made_by.find("__init__")
        made: object
        if any(one.last == _NET for one in bases):
            if not isinstance(init, Function):
                return self._make_net(arguments, keywords, node, problem)
            made = Instance(made_by)
        elif any(
            is_layer_class(one.last) or one.last in ("Layer", "MergeLayer")
            for one in bases
        ):
            made = layer = self.maker.make(made_by, node, arguments, keywords)
            if problem is not None:
                layer.problems.append(str(self.messages.untold(problem, node)))
        elif any(map(made_by.has, _UNSETTLING)):
            return Unknown(node, "call")
        else:
            made = Instance(made_by)
        if isinstance(made, Instance) and not init and made_by.fields is not None:
            self._fill_record(made, arguments, keywords, node, problem)
        if isinstance(init, Function):
            self._call_function(init, [made, *arguments], keywords, node, problem)
            if isinstance(made, Layer) and not made.inputs and len(arguments):
                made.inputs.append(arguments[0])
        return made

    def _find_super(
        self, arguments: Sequence[object], scope: Scope, node: ast.AST
    ) -> object:
        """``super()`` or ``super(Class, self)``."""
        owner = self._stack[-1].owner if self._stack else None
        value: object
        if len(arguments) == 2:
            after, value = arguments
        else:
            after = owner
            first = next(iter(scope.names), "")
            value = scope.names.get(first)
        if isinstance(after, Class) and isinstance(value, (Instance, Layer)):
            return Base(value, after)
        return Unknown(node, "unread")

    def _call_base(
        self,
        base: Base,
        name: str,
        arguments: list[object],
        keywords: dict[str, object],
        node: ast.AST,
        problem: Unknown | None,
    ) -> object:
        made_by = base.value.made_by
        assert made_by is not None
        member = made_by.find(name, after=base.after)
        if isinstance(member, Function):
            given = [base.value, *arguments]
            return self._call_function(member, given, keywords, node, problem)
        if name == "__init__":
            self._initialize(base.value, arguments, keywords, node, problem)
            return None
        return Unknown(node, "call")

    def _initialize(
        self,
        value: Instance | Layer,
        arguments: list[object],
        keywords: dict[str, object],
        node: ast.AST,
        problem: Unknown | None,
    ) -> None:
        """Take up the call of a constructor of Lasagne's or nolearn's."""
        if isinstance(value, Layer):
            self.maker.bind(value, value.lineage[-1], arguments, keywords, node)
            if problem is not None:
                value.problems.append(str(self.messages.untold(problem, node)))
            return
        names = [
            one.last for one in value.made_by.line_up() if isinstance(one, Unknown)
        ]
        if _NET in names:
            value.attributes[_NET] = self._make_net(arguments, keywords, node, problem)

    def _make_net(
        self,
        arguments: Sequence[object],
        keywords: Mapping[str, object],
        node: ast.AST,
        problem: Unknown | None,
    ) -> Net:
        problems = []
        if problem is not None:
            problems.append(str(self.messages.untold(problem, node)))
        given = dict(zip(NET_POSITIONS, arguments, strict=False))
        net = Net(node, {**given, **keywords}, self.maker.within, tuple(problems))
        self.nets.append(net)
        return net

    def _call_builtin(
        self,
        name: str,
        arguments: list[object],
        keywords: dict[str, object],
        node: ast.AST,
        problem: Unknown | None,
    ) -> object:
        if name == "print":
            return None
        if name in ("getattr", "hasattr") and len(arguments) > 1:
            if name == "getattr" and isinstance(arguments[1], str):
                return self._get_attribute(arguments[0], arguments[1], node)
            return Unknown(node, "unread")
        if name == "setattr" and len(arguments) == 3 and problem is None:
            owner, attribute, value = arguments
            if isinstance(attribute, str):
                self._set_attribute(owner, attribute, value, node)
            else:
                spoil(owner, Unknown(node, "unread"))
            return None
        if name == "vars" and len(arguments) == 1:
            one = arguments[0]
            return Members(one) if isinstance(one, Instance) else Unknown(node, "call")
        if name == "isinstance" and len(arguments) == 2:
            return _is_instance(arguments[0], arguments[1], node)
        if name == "reduce" and len(arguments) > 1 and problem is None:
            return self._reduce(arguments, node)
        if name in ("sorted", "min", "max") and keywords and problem is None:
            return self._sort(name, arguments, keywords, node)
        if name in ("map", "filter") and len(arguments) == 2 and problem is None:
            return self._map(name, arguments[0], arguments[1], node)
        deeply = name in _COMPARED_DEEPLY
        doubt = problem or find_unknown([*arguments, *keywords.values()], deeply)
        if doubt is not None and not (name == "dict" and not arguments):
            return doubt
        return self._attempt(node, FUNCTIONS.get(name), arguments, keywords)

    def _map(self, name: str, function: object, items: object, node: ast.AST) -> object:
        known = iterate(items)
        if known is None:
            return items if isinstance(items, Unknown) else Unknown(node, "unread")
        pairs = [
            (one, self.call(function, [one], {}, node)) for one in self._take(known)
        ]
        if name == "map":
            return [result for _, result in pairs]
        truths = [truth_of(result) for _, result in pairs]
        if None in truths:
            return Unknown(node, "unread")
        return [one for (one, _), truth in zip(pairs, truths, strict=True) if truth]

    def _reduce(self, arguments: Sequence[object], node: ast.AST) -> object:
        function, source, *initial = arguments
        items = iterate(source)
        if items is None:
            return source if isinstance(source, Unknown) else Unknown(node, "unread")
        taken = [*initial, *self._take(items)]
        if not taken:
            return Unknown(node, "fails", detail="there is nothing to reduce")
        result, *rest = taken
        for one in rest:
            result = self.call(function, [result, one], {}, node)
        return result

    def _sort(
        self,
        name: str,
        arguments: Sequence[object],
        keywords: Mapping[str, object],
        node: ast.AST,
    ) -> object:
        """``sorted``, ``min`` or ``max`` with a key or in reverse."""
        items = iterate(arguments[0]) if len(arguments) == 1 else arguments
        doubt = find_unknown([*arguments, *keywords.values()], deeply=True)
        if items is None or doubt is not None or not keywords.keys() <= _SORTING:
            return doubt or Unknown(node, "unread")
        taken = self._take(items)
        by = keywords.get("key")
        keys = taken if by is None else [self.call(by, [o], {}, node) for o in taken]
        doubt = find_unknown(keys, deeply=True)
        if doubt is not None:
            return doubt
        backwards = {"reverse": keywords["reverse"]} if "reverse" in keywords else {}
        order = {"sorted": sorted, "min": min, "max": max}[name]

        def choose(keys: list[object]) -> object:
            places = order(range(len(keys)), key=keys.__getitem__, **backwards)  # type: ignore[operator]
            return (
                taken[places] if isinstance(places, int) else [taken[o] for o in places]
            )

        return self._attempt(node, choose, [keys])

    def _call_elsewhere(
        self,
        function: Unknown,
        arguments: list[object],
        keywords: dict[str, object],
        node: ast.AST,
        problem: Unknown | None,
    ) -> object:
        name = function.last
        if name == _NET:
            return self._make_net(arguments, keywords, node, problem)
        if name == "__init__" and arguments:
            first, *rest = arguments
            if isinstance(first, (Instance, Layer)) and first.made_by is not None:
                self._initialize(first, rest, keywords, node, problem)
                return None
        layer = self.maker.call(function, node, arguments, keywords)
        if layer is not None:
            if problem is not None:
                layer.problems.append(str(self.messages.untold(problem, node)))
            return layer
        if problem is not None:
            return Unknown(node, "call")
        if name == "partial" and arguments:
            return Partial(arguments[0], tuple(arguments[1:]), keywords)
        if name == "reduce" and len(arguments) > 1:
            return self._reduce(arguments, node)
        if name == "namedtuple":
            return self._define_record(arguments, keywords, node)
        if name in SPACES and not arguments:
            return Instance(Class(name, node, (), {}), dict(keywords))
        if name in ("copy", "deepcopy") and len(arguments) == 1:
            return self._attempt(
                node, lambda one: _copy(one, node, name == "deepcopy"), arguments
            )
        if name.endswith("output_shape") and len(arguments) == 1:
            return self._find_shapes(arguments[0], node)
        if name == "get_all_layers" and len(arguments) == 1:
            return find_ancestors(find_layers(arguments[0]), inner=False)
        if name == "shuffle":
            for one in arguments:
                spoil(one, Unknown(node, "call"))
        if name in ELSEWHERE and find_unknown(arguments, deeply=True) is None:
            return self._attempt(node, ELSEWHERE[name], arguments, keywords)
        root = function.path.partition(".")[0]
        symbolic = root in ("T", "theano", "tensor", "tt")
        sources = tuple(find_layers([arguments, list(keywords.values())]))
        return Unknown(node, "call", symbolic=symbolic, sources=sources)


def _name_function(function: Function) -> str:
    if function.owner is None:
        return function.name
    if function.name == "__init__":
        return function.owner.name
    return f"{function.owner.name}.{function.name}"


def _copy(value: object, node: ast.AST, deeply: bool) -> object:
    """A list or dict anew, `deeply` with all that it holds."""

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
    doubt = find_unknown([value])
    if doubt is not None:
        return doubt
    answers = []
    for one in types if isinstance(types, tuple) else (types,):
        name = getattr(one, "name", getattr(one, "path", ""))
        if isinstance(one, Class):
            made_by = getattr(value, "made_by", None)
            answers.append(made_by is not None and one in made_by.line_up())
        elif name in _TYPES and not isinstance(value, (Instance, Layer)):
            answers.append(isinstance(value, _TYPES[name]))
        else:
            return Unknown(node, "unread")
    return any(answers)
