"""Calls: of the program's functions and classes, and of Lasagne's names."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from ..read_lasagne import in_order
from .constructors import NET_POSITIONS
from .functions import ELSEWHERE, FUNCTIONS
from .layers import is_layer_class
from .python_calls import PythonCalls
from .records import SPACES
from .state import Jump, Returned
from .values import (
    Base,
    Builtin,
    Call,
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
    spoil,
    walk,
)

_DEEPEST_CALLS = 25
_REARRANGING = frozenset({"dimshuffle", "flatten", "reshape", "swapaxes", "transpose"})
_NET = "NeuralNet"
_UNSETTLING = frozenset(
    {"__bool__", "__eq__", "__getattribute__", "__len__", "__ne__", "__new__"}
    | {"__nonzero__", "__setattr__"}
)
"""Methods by which objects of a class may differ from all others."""


class Calls(PythonCalls):
    """Follows calls."""

    def call(self, function: object, call: Call) -> object:
        """The value of a call."""
        self._spend(1)
        if isinstance(function, Partial):
            arguments = [*function.arguments, *call.arguments]
            keywords = {**function.keywords, **call.keywords}
            call = replace(call, arguments=arguments, keywords=keywords)
            return self.call(function.function, call)
        if isinstance(function, Function):
            return self._call_function(function, call)
        if isinstance(function, Method):
            return self._call_method(function, call)
        if isinstance(function, Class):
            return self._call_class(function, call)
        if isinstance(function, Builtin):
            return self._call_builtin(function.name, call)
        if isinstance(function, Instance):
            member = function.made_by.find("__call__")
            if isinstance(member, Function):
                return self._call_function(member, call.of(function))
        if isinstance(function, Unknown) and function.path:
            return self._call_elsewhere(function, call)
        if isinstance(function, Unknown):
            sources = tuple(find_layers(call.values))
            return replace(function, used=call.node, sources=sources)
        return Unknown(call.node, "unread")

    # Functions of the program

    def _call_function(self, function: Function, call: Call) -> object:
        self._spend(10)
        self.called.add(id(function.node))
        if len(self._stack) >= _DEEPEST_CALLS:
            doubt = Unknown(call.node, "deep")
            for layer in find_layers(call.values):
                layer.doubt = layer.doubt or doubt
            return doubt
        scope = Scope(self._bind(function, call), function.scope)
        body = function.node.body
        made, within = len(self.maker.made), self.maker.within
        self._stack.append(function)
        self.maker.within = _name_function(function)
        try:
            if isinstance(body, ast.expr):
                return self._evaluate(body, scope)
            if self._yields(body):
                return Unknown(call.node, "call")
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

    def _bind(self, function: Function, call: Call) -> dict[str, object]:
        """The names of a call's parameters."""
        spec = function.node.args
        places = [*spec.posonlyargs, *spec.args]
        names = {
            one.arg: value for one, value in zip(places, call.arguments, strict=False)
        }
        rest: dict[object, object] = {}
        known = {one.arg for one in (*places, *spec.kwonlyargs)}
        for keyword, value in call.keywords.items():
            (names if keyword in known else rest)[keyword] = value
        for one in (*places, *spec.kwonlyargs):
            if one.arg in names:
                continue
            if call.problem is not None:
                names[one.arg] = call.problem
            elif one.arg in function.defaults:
                names[one.arg] = function.defaults[one.arg]
            elif one.arg in self._defined:
                names[one.arg] = self._defined[one.arg]
            else:
                names[one.arg] = Unknown(one, "parameter")
        if spec.vararg is not None:
            more = tuple(call.arguments[len(places) :])
            names[spec.vararg.arg] = call.problem or more
        if spec.kwarg is not None:
            names[spec.kwarg.arg] = call.problem or rest
        return names

    # Methods

    def _call_method(self, method: Method, call: Call) -> object:
        value, name = method.value, method.name
        if method.function is not None:
            return self._call_function(method.function, call.of(value))
        if isinstance(value, Base):
            return self._call_base(value, name, call)
        if isinstance(value, Members):
            self._change_members(value, name, call)
            return None
        if isinstance(value, Parameter) and name in _REARRANGING:
            return replace(value, computed=True)
        if isinstance(value, Tags):
            self._change_tags(value, name, call)
        elif isinstance(value, Net):
            if name == "set_params":
                value.keywords.update(call.keywords)
        elif isinstance(value, Layer):
            if name == "add_param":
                value.problems.append(
                    self.messages.about(
                        call.node, "it gets a parameter of its own here"
                    )
                )
        elif not isinstance(value, Parameter):
            return self._call_known_method(method, call)
        return Unknown(call.node, "call")

    def _change_members(self, members: Members, name: str, call: Call) -> None:
        """``instance.__dict__.update(...)``."""
        more: object = call.problem or find_unknown(call.arguments)
        if more is None and name == "update":
            more = self._attempt(
                call.node, FUNCTIONS["dict"], call.arguments, call.keywords
            )
        if isinstance(more, dict):
            members.instance.attributes |= more
        else:
            doubt = more if isinstance(more, Unknown) else Unknown(call.node, "unread")
            spoil(members, doubt)

    def _change_tags(self, tags: Tags, name: str, call: Call) -> None:
        """``layer.params[layer.W].remove("trainable")``: training leaves it alone."""
        if call.arguments != ["trainable"]:
            return
        if not tags.name:
            tags.layer.problems.append(
                self.messages.about(
                    call.node, "which parameters are trained is unclear"
                )
            )
        elif name in ("remove", "discard"):
            tags.layer.frozen.add(tags.name)
        elif name == "add":
            tags.layer.frozen.discard(tags.name)

    # Classes of the program

    def _call_class(self, made_by: Class, call: Call) -> object:
        bases = [one for one in made_by.line if isinstance(one, Unknown)]
        init = made_by.find("__init__")
        made: Instance | Layer
        if any(one.last == _NET for one in bases):
            if not isinstance(init, Function):
                return self._make_net(call)
            made = Instance(made_by)
        elif any(
            is_layer_class(one.last) or one.last in ("Layer", "MergeLayer")
            for one in bases
        ):
            made = self.maker.make(made_by, call.node, call.arguments, call.keywords)
            self._note_problem(made, call)
        elif any(map(made_by.has, _UNSETTLING)):
            return Unknown(call.node, "call")
        else:
            made = Instance(made_by)
        if isinstance(made, Instance) and not init and made_by.fields is not None:
            self._fill_record(made, call)
        if isinstance(init, Function):
            self._call_function(init, call.of(made))
            if isinstance(made, Layer) and not made.inputs:
                made.inputs += call.arguments[:1]
        return made

    def _note_problem(self, layer: Layer, call: Call) -> None:
        if call.problem is not None:
            layer.problems.append(str(self.messages.untold(call.problem, call.node)))

    def _find_super(self, scope: Scope, call: Call) -> object:
        """``super()`` or ``super(Class, self)``."""
        value: object
        if len(call.arguments) == 2:
            after, value = call.arguments
        else:
            after = self._stack[-1].owner if self._stack else None
            value = scope.names.get(next(iter(scope.names), ""))
        if isinstance(after, Class) and isinstance(value, (Instance, Layer)):
            return Base(value, after)
        return Unknown(call.node, "unread")

    def _call_base(self, base: Base, name: str, call: Call) -> object:
        made_by = base.value.made_by
        assert made_by is not None
        member = made_by.find(name, after=base.after)
        if isinstance(member, Function):
            return self._call_function(member, call.of(base.value))
        if name == "__init__":
            self._initialize(base.value, call)
            return None
        return Unknown(call.node, "call")

    def _initialize(self, value: Instance | Layer, call: Call) -> None:
        """Take up the call of a constructor of Lasagne's or nolearn's."""
        if isinstance(value, Layer):
            base = value.lineage[-1]
            self.maker.bind(value, base, call.arguments, call.keywords, call.node)
            self._note_problem(value, call)
            return
        names = [one.last for one in value.made_by.line if isinstance(one, Unknown)]
        if _NET in names:
            value.attributes[_NET] = self._make_net(call)

    def _make_net(self, call: Call) -> Net:
        problems: tuple[str, ...] = ()
        if call.problem is not None:
            problems = (str(self.messages.untold(call.problem, call.node)),)
        given = dict(zip(NET_POSITIONS, call.arguments, strict=False))
        keywords = {**given, **call.keywords}
        net = Net(call.node, keywords, self.maker.within, problems)
        self.nets.append(net)
        return net

    # Names from elsewhere

    def _call_elsewhere(self, function: Unknown, call: Call) -> object:
        name, node, arguments = function.last, call.node, call.arguments
        if name == _NET:
            return self._make_net(call)
        if name == "__init__" and arguments:
            first, *rest = arguments
            if isinstance(first, (Instance, Layer)) and first.made_by is not None:
                self._initialize(first, replace(call, arguments=rest))
                return None
        layer = self.maker.call(function, node, arguments, call.keywords)
        if layer is not None:
            self._note_problem(layer, call)
            return layer
        if call.problem is not None:
            return Unknown(node, "call")
        if name == "partial" and arguments:
            return Partial(arguments[0], tuple(arguments[1:]), call.keywords)
        if name == "reduce" and len(arguments) > 1:
            return self._reduce(call)
        if name == "namedtuple":
            return self._define_record(call)
        if name in SPACES and not arguments:
            return Instance(Class(name, node, (), {}), dict(call.keywords))
        if name in ("copy", "deepcopy") and len(arguments) == 1:
            return self._copy(name, call)
        if name.endswith("output_shape") and len(arguments) == 1:
            return self._find_shapes(arguments[0], node)
        if name == "get_all_layers" and len(arguments) == 1:
            return find_ancestors(find_layers(arguments[0]), inner=False)
        if name == "shuffle":
            for one in arguments:
                spoil(one, Unknown(node, "call"))
        if name in ELSEWHERE and find_unknown(arguments, deeply=True) is None:
            return self._attempt(node, ELSEWHERE[name], arguments, call.keywords)
        root = function.path.partition(".")[0]
        symbolic = root in ("T", "theano", "tensor", "tt")
        sources = tuple(find_layers(call.values))
        return Unknown(node, "call", symbolic=symbolic, sources=sources)


def _name_function(function: Function) -> str:
    if function.owner is None:
        return function.name
    if function.name == "__init__":
        return function.owner.name
    return f"{function.owner.name}.{function.name}"
