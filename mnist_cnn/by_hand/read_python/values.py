"""What a name of a followed program may hold, beside Python's own numbers and lists."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..read_lasagne import in_order

_MOST_VALUES = 100_000
INNER_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(frozen=True, slots=True, eq=False)
class Unknown:
    """A value that only running the program would tell.

    Attributes
    ----------
    node : ast.AST
        What it comes from.
    kind : str
        How: a key of :data:`.messages.REASONS`.
    path : str
        The dotted name, where it is a module, a class or a function from elsewhere.
    used : ast.AST or None
        Where the program last took it up.
    symbolic : bool
        Whether it is a Theano expression, such as the batch's size at run time.
    detail : str
        More for the message.
    sources : tuple of Layer
        Layers that it may be made of.
    """

    node: ast.AST
    kind: str
    path: str = ""
    used: ast.AST | None = None
    symbolic: bool = False
    detail: str = ""
    sources: tuple[Layer, ...] = ()

    @property
    def last(self) -> str:
        """``Conv2DLayer`` of ``lasagne.layers.Conv2DLayer``."""
        return self.path.rpartition(".")[2]


@dataclass(slots=True, eq=False)
class Scope:
    """Names of a module, a class body or a call, and the scope around it."""

    names: dict[str, object]
    parent: Scope | None = None
    is_class: bool = False
    is_comprehension: bool = False
    outside: dict[str, Scope] = field(default_factory=dict)
    """Whose the names after ``global`` and ``nonlocal`` are."""
    doubt: Unknown | None = None
    """Why a call may have returned something else."""

    def find(self, name: str) -> Scope | None:
        """The innermost scope that has the name."""
        scope: Scope | None = self.outside.get(name, self)
        while scope is not None and name not in scope.names:
            scope = scope.parent
        return scope

    @property
    def module(self) -> Scope:
        """The outermost scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function of the program: its text, and what is around it."""

    name: str
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    defaults: Mapping[str, object]
    owner: Class | None = None
    kind: str = ""
    """Of a method: "staticmethod", "classmethod", "property" or ""."""


@dataclass(frozen=True, slots=True, eq=False)
class Class:
    """A class of the program."""

    name: str
    node: ast.AST
    bases: tuple[object, ...]
    members: dict[str, object]
    fields: Mapping[str, ast.expr | None] | None = None
    """Of a dataclass or named tuple: its fields with their defaults."""
    is_tuple: bool = False
    line: tuple[object, ...] = field(init=False)
    """The class and its bases, depth first, a base that two share behind both."""

    def __post_init__(self) -> None:
        line: list[object] = [self]
        for base in self.bases:
            line += base.line if isinstance(base, Class) else [base]
        last = {id(one): place for place, one in enumerate(line)}
        ordered = (one for place, one in enumerate(line) if last[id(one)] == place)
        object.__setattr__(self, "line", tuple(ordered))

    def has(self, name: str) -> bool:
        """Whether the class or a base has such a member."""
        return any(isinstance(one, Class) and name in one.members for one in self.line)

    def find(self, name: str, after: Class | None = None) -> object:
        """A member of the class or of a base; only of those behind `after`."""
        for one in self.line:
            if after is not None:
                after = None if one is after else after
            elif isinstance(one, Class) and name in one.members:
                return one.members[name]
        return None

    @property
    def lineage(self) -> tuple[str, ...]:
        """Names under which a layer of this class may have a rule.

        A base's rule no longer holds once a class has a shape or parameter of its own.
        """
        names: list[str] = []
        for one in self.line:
            if isinstance(one, Unknown):
                return (*names, one.last)
            if isinstance(one, Class):
                names.append(one.name)
                if one.changes_rule:
                    break
        return tuple(names)

    @property
    def changes_rule(self) -> bool:
        """Whether it has a shape or parameters of its own."""
        return "get_output_shape_for" in self.members or any(
            isinstance(node, ast.Attribute) and node.attr == "add_param"
            for node in ast.walk(self.node)
        )


@dataclass(slots=True, eq=False)
class Instance:
    """An object of a class of the program."""

    made_by: Class
    attributes: dict[str, object] = field(default_factory=dict)
    doubt: Unknown | None = None
    """Why it may have other attributes."""


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """``vars(instance)``, or ``instance.__dict__``."""

    instance: Instance


@dataclass(slots=True, eq=False)
class Layer:
    """A layer that the program makes.

    Attributes
    ----------
    arguments : dict
        Values by keyword, of the interpreter's kinds.
    inputs : list
        Layers, shapes and :class:`Unknown` feeding it.
    depends : list of Layer
        Further layers that are part of it or whose weights it has.
    within : str
        The function that makes it.
    dangling : bool
        Whether a function that makes it returns others and not this one.
    frozen : set of str
        Parameters that training leaves alone.
    problems : list of str
        What stands against reading it.
    doubt : Unknown or None
        Why the program may have gone on from it.
    """

    type: str
    lineage: tuple[str, ...]
    node: ast.AST
    made_by: Class | None = None
    arguments: dict[str, object] = field(default_factory=dict)
    inputs: list[object] = field(default_factory=list)
    depends: list[Layer] = field(default_factory=list)
    frozen: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    attributes: dict[str, object] = field(default_factory=dict)
    doubt: Unknown | None = None
    within: str = ""
    dangling: bool = False

    @property
    def feeding(self) -> list[Layer]:
        """The layers among its inputs, and those that an unknown input is made of."""
        layers: list[Layer] = []
        for one in self.inputs:
            if isinstance(one, Layer):
                layers.append(one)
            elif isinstance(one, Unknown):
                layers += one.sources
        return layers


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """``layer.W``, or what is computed from it (``layer.W.T``)."""

    layer: Layer
    name: str
    computed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Tags:
    """``layer.params``, or with a name ``layer.params[layer.W]``."""

    layer: Layer
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """A call of nolearn's ``NeuralNet``."""

    node: ast.AST
    keywords: dict[str, object]
    within: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """A method with the value it belongs to; of a list, a text, a layer, an object."""

    value: object
    name: str
    function: Function | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """What a function is called with.

    Attributes
    ----------
    node : ast.AST
        Where.
    arguments : list
    keywords : dict
    problem : Unknown or None
        What may add to its arguments.
    """

    node: ast.AST
    arguments: list[object] = field(default_factory=list)
    keywords: dict[str, object] = field(default_factory=dict)
    problem: Unknown | None = None

    def of(self, value: object) -> Call:
        """The same of a method's function, whose first argument is the object."""
        return replace(self, arguments=[value, *self.arguments])

    @property
    def values(self) -> list[object]:
        """All that it is called with."""
        return [*self.arguments, *self.keywords.values()]


@dataclass(frozen=True, slots=True, eq=False)
class Builtin:
    """A function of Python or NumPy that is followed: see :mod:`.functions`."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """``super()``, or a base class whose ``__init__`` is called by its name."""

    value: Instance | Layer
    after: Class


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """``functools.partial(function, ...)``."""

    function: object
    arguments: tuple[object, ...]
    keywords: Mapping[str, object]


def truth_of(value: object) -> bool | None:
    """Whether a value counts as true; None if that is not known."""
    return None if isinstance(value, Unknown) else bool(value)


def iterate(value: object) -> Iterable[object] | None:
    """The items of a value; None if they are not known."""
    if isinstance(value, (range, str)):
        return value
    if isinstance(value, (list, tuple, dict)):
        return list(value)
    if isinstance(value, set) and all(isinstance(one, int) for one in value):
        # The order of other values differs from run to run.
        return list(value)
    if isinstance(value, Instance) and value.made_by.is_tuple:
        return list(value.attributes.values())
    return None


def find_unknown(values: Iterable[object], deeply: bool = False) -> Unknown | None:
    """The first unknown among values; `deeply` among the items of lists, too."""
    for value in values:
        if isinstance(value, Unknown):
            return value
        if deeply and isinstance(value, (list, tuple, dict, set)):
            items = value.values() if isinstance(value, dict) else value
            found = next((one for one in items if isinstance(one, Unknown)), None)
            if found is not None:
                return found
        if isinstance(value, slice):
            found = find_unknown((value.start, value.stop, value.step))
            if found is not None:
                return found
    return None


def spoil(value: object, doubt: Unknown) -> None:
    """Take what a list, dict or object holds as unknown."""
    if isinstance(value, list):
        value[:] = [doubt]
    elif isinstance(value, dict):
        for key in value:
            value[key] = doubt
    elif isinstance(value, set):
        value.add(doubt)
    elif isinstance(value, (Instance, Members)):
        owner = value.instance if isinstance(value, Members) else value
        owner.doubt = doubt
        for key in owner.attributes:
            owner.attributes[key] = doubt


def find_layers(value: object) -> list[Layer]:
    """The layers that a value holds: itself, or what is in lists, dicts and objects."""
    found: dict[int, Layer] = {}
    seen: set[int] = set()
    pending = [value]
    while pending and len(seen) < _MOST_VALUES:
        one = pending.pop()
        if id(one) in seen:
            continue
        if isinstance(one, Layer):
            found[id(one)] = one
        elif isinstance(one, (list, tuple)):
            pending += one[::-1]
        elif isinstance(one, dict):
            pending += list(one.values())[::-1]
        elif isinstance(one, Instance):
            pending += list(one.attributes.values())[::-1]
        else:
            continue
        seen.add(id(one))
    return list(found.values())


def find_ancestors(layers: Iterable[Layer], inner: bool = True) -> list[Layer]:
    """Layers and all that feed them; with `inner` what they depend on besides."""
    return in_order(layers, lambda one: [*one.feeding, *(one.depends if inner else ())])


def walk(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes but those of functions and classes defined inside."""
    pending = list(body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, INNER_SCOPES):
            pending += ast.iter_child_nodes(node)
