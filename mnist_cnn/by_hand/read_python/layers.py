"""What a call of one of Lasagne's names makes, and the network that layers form."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from ..description import LayerDescription, Network, Shape, SharedFrom, Untold
from ..errors import UntoldError
from ..read_definitions import ALIASES, name_unnamed
from ..read_lasagne import in_order
from ..rules import Rule, find_rule
from ..wrappers import WRAPPERS, Wrapper, takes_no_bias, wrap
from .constructors import positions_of
from .messages import Messages, name_kind, show
from .values import Class, Function, Layer, Parameter, Unknown

_MOST_VALUES = 1_000
_LARGEST = 2**63
_FED_BESIDE = ("mask_input", "hid_init", "cell_init")
_INNER = ("input_to_hidden", "hidden_to_hidden")
_INITIAL = frozenset({"b", "beta", "gamma", "cell_init", "hid_init"})
"""Keywords of which a rule reads only whether they are None."""

_OTHER_NAMES = {
    **ALIASES,
    "dropout_channels": "DropoutLayer",
    "dropout_locations": "DropoutLayer",
    "spatial_dropout": "DropoutLayer",
}


def is_layer_class(name: str) -> bool:
    """Whether a name from elsewhere is that of a layer's class."""
    return find_rule((name,)) is not None or (
        name.endswith("Layer") and name[:1].isupper()
    )


def is_layer_function(name: str) -> bool:
    """Whether a name is that of a function that makes a layer of another one."""
    return name in WRAPPERS or name in _OTHER_NAMES or name == "standardize"


class LayerMaker:
    """Makes layers, and keeps all that were made."""

    def __init__(self, messages: Messages) -> None:
        self.messages = messages
        self.made: list[Layer] = []
        self.within = ""

    def make(
        self,
        made_by: str | Class,
        node: ast.AST,
        arguments: Sequence[object] = (),
        keywords: Mapping[str, object] | None = None,
    ) -> Layer:
        """A layer from the call of its class."""
        lineage = (made_by,) if isinstance(made_by, str) else made_by.lineage
        layer = Layer(
            lineage[0],
            lineage,
            node,
            None if isinstance(made_by, str) else made_by,
            within=self.within,
        )
        self.made.append(layer)
        if not isinstance(made_by, Class) or made_by.find("__init__") is None:
            self.bind(layer, lineage[-1], arguments, keywords or {}, node)
        return layer

    def bind(
        self,
        layer: Layer,
        base: str,
        arguments: Sequence[object],
        keywords: Mapping[str, object],
        node: ast.AST,
    ) -> None:
        """Give a layer the arguments of a call of its class, or of a base of it."""
        rule = find_rule(layer.lineage)
        places = positions_of(base)
        if places is None:
            places = ("incoming", *rule.keywords) if rule else ("incoming",)
        if len(arguments) > len(places) and (rule or positions_of(base)):
            layer.problems.append(
                self.messages.about(
                    node,
                    f"{base} takes {len(places)} arguments, {len(arguments)} are given",
                )
            )
        given = dict(zip(places, arguments, strict=False))
        for keyword in keywords:
            if keyword in given:
                layer.problems.append(
                    self.messages.about(node, f"{keyword} is given twice")
                )
        given.update(keywords)
        self._feed(layer, given)
        for keyword in rule.inputs if rule else ():
            keyword, dot, _ = keyword.partition(".")
            if dot and isinstance(layer.inputs[-1], Layer):
                layer.inputs += layer.inputs[-1].inputs[:1]
            elif keyword in given:
                layer.inputs.append(given.pop(keyword))
        for keyword in _FED_BESIDE:
            if isinstance(given.get(keyword), Layer):
                layer.inputs.append(given[keyword])
        if rule is None:
            # Whatever layers a class takes feed it, until a rule says more.
            layer.inputs += [one for one in given.values() if isinstance(one, Layer)]
        for value in given.values():
            if isinstance(value, Parameter):
                layer.depends.append(value.layer)
        layer.depends += [
            one for key in _INNER if isinstance(one := given.get(key), Layer)
        ]
        layer.arguments |= given

    @staticmethod
    def _feed(layer: Layer, given: dict[str, object]) -> None:
        several = given.pop("incomings", None)
        single = given.pop("incoming", None)
        if several is None and isinstance(single, list):
            several = single
        if isinstance(several, (list, tuple)):
            layer.inputs += several
        elif several is not None or single is not None:
            layer.inputs.append(single if several is None else several)

    def call(
        self,
        function: Unknown,
        node: ast.AST,
        arguments: Sequence[object],
        keywords: Mapping[str, object],
    ) -> Layer | None:
        """The layer that a call of a name from elsewhere makes, if it makes one."""
        name = function.last
        if is_layer_class(name):
            return self.make(name, node, arguments, keywords)
        source = next(
            iter(arguments),
            keywords.get("layer", keywords.get("incoming", keywords.get("incomings"))),
        )
        holds_layers = isinstance(source, Layer) or (
            isinstance(source, (list, tuple))
            and any(isinstance(one, Layer) for one in source)
        )
        if not holds_layers:
            return None
        if isinstance(source, Layer) and name in WRAPPERS:
            return self._wrap(name, source, node, dict(keywords))
        if isinstance(source, Layer) and name == "standardize":
            return self._standardize(source, node, arguments, keywords)
        if name in ("prelu", "rrelu"):
            keywords = {one: value for one, value in keywords.items() if one != "layer"}
            return self.make(_OTHER_NAMES[name], node, [source], keywords)
        if name in _OTHER_NAMES:
            return self.make(_OTHER_NAMES[name], node, arguments, keywords)
        return None

    def _wrap(
        self, name: str, layer: Layer, node: ast.AST, keywords: dict[str, object]
    ) -> Layer:
        """Layers between `layer`, which loses its biases, and its nonlinearity."""
        own_name = layer.arguments.get("name")
        known = own_name if isinstance(own_name, str) else None
        made = layer
        for kind, given in wrap(Wrapper(name, keywords), layer.lineage, known):
            made = self.make(kind, node, [made], given)
        if takes_no_bias(layer.lineage):
            layer.arguments["b"] = None
        return made

    def _standardize(
        self,
        layer: Layer,
        node: ast.AST,
        arguments: Sequence[object],
        keywords: Mapping[str, object],
    ) -> Layer:
        """A bias and a scale that training leaves alone."""
        axes = keywords.get(
            "shared_axes", arguments[3] if len(arguments) > 3 else "auto"
        )
        bias = self.make("BiasLayer", node, [layer], {"shared_axes": axes})
        scale = self.make("ScaleLayer", node, [bias], {"shared_axes": axes})
        bias.frozen.add("b")
        scale.frozen.add("scales")
        return scale

    def describe(
        self, outputs: Iterable[Layer], names: Mapping[int, str] | None = None
    ) -> Network:
        """The network that ends in these layers.

        Parameters
        ----------
        names : mapping
            Names of layers without one, by the layer's ``id``.

        Raises
        ------
        UntoldError
            If only running the program would tell which layers there are. Values that
            are not told are :class:`Untold` in the network.
        """
        ordered = in_order(outputs, lambda layer: layer.feeding)
        problems = [
            problem for layer in ordered for problem in self._find_problems(layer)
        ]
        if problems:
            raise UntoldError(problems)
        positions = {id(layer): index for index, layer in enumerate(ordered)}
        called = [
            self._name(layer, index, names or {}) for index, layer in enumerate(ordered)
        ]
        layers = tuple(
            self._describe(layer, called[index], positions, called)
            for index, layer in enumerate(ordered)
        )
        return Network(layers)

    def describe_alone(self, layer: Layer, shapes: Sequence[Shape]) -> Network:
        """The network of one layer that is fed by these shapes."""
        description = LayerDescription(
            "layer",
            layer.type,
            layer.lineage,
            settle(layer.arguments, find_rule(layer.lineage), self, layer.node),
            tuple(shapes),
        )
        return Network((description,))

    def _find_problems(self, layer: Layer) -> list[str]:
        problems = list(layer.problems)
        for one in layer.inputs:
            if isinstance(one, Unknown):
                problems.append(str(self.messages.untold(one, layer.node)))
            elif not isinstance(one, Layer) and read_shape(one) is None:
                problems.append(
                    self.messages.about(
                        layer.node,
                        f"{layer.type} is fed by {name_kind(one)}, where a layer or a "
                        "shape is needed",
                    )
                )
        return problems

    def _name(self, layer: Layer, index: int, names: Mapping[int, str]) -> str:
        given = layer.arguments.get("name")
        if isinstance(given, str):
            return given
        return names.get(id(layer)) or name_unnamed(layer.type, index)

    def _describe(
        self,
        layer: Layer,
        name: str,
        positions: Mapping[int, int],
        called: Sequence[str],
    ) -> LayerDescription:
        inputs: list[int | Shape] = []
        for one in layer.inputs:
            if isinstance(one, Layer):
                inputs.append(positions[id(one)])
            else:
                shape = read_shape(one)
                assert shape is not None
                inputs.append(shape)
        variables: dict[str, object] = {}
        for keyword, value in layer.arguments.items():
            if isinstance(value, Parameter) and id(value.layer) in positions:
                source = called[positions[id(value.layer)]]
                variables[keyword] = SharedFrom(source, value.name, value.computed)
        return LayerDescription(
            name,
            layer.type,
            layer.lineage,
            settle(layer.arguments, find_rule(layer.lineage), self, layer.node),
            tuple(inputs),
            variables,
            frozenset(layer.frozen),
        )


def read_shape(value: object) -> Shape | None:
    """A shape that stands in the place of a layer; None if it is none."""
    if not isinstance(value, (tuple, list)) or not value:
        return None
    sizes = [
        None if isinstance(one, Unknown) and not at else one
        for at, one in enumerate(value)
    ]
    if all(one is None or (isinstance(one, int) and one < _LARGEST) for one in sizes):
        return tuple(sizes)
    return None


def settle(
    arguments: Mapping[str, object],
    rule: Rule | None,
    maker: LayerMaker,
    node: ast.AST,
) -> dict[str, object]:
    """The arguments as plain data: what a rule reads, and names for the rest."""
    if rule is None:
        return {}
    settled: dict[str, object] = {}
    for keyword, value in arguments.items():
        if keyword == "name":
            continue
        if keyword in rule.ignored or rule.unexpected([keyword]):
            settled[keyword] = _shorten(value)
        elif keyword in _INITIAL:
            settled[keyword] = _settle_initial(keyword, value, maker.messages)
        elif keyword in _INNER and isinstance(value, Layer):
            settled[keyword] = maker.describe([value])
        elif keyword == "output_shape" and isinstance(value, Function):
            settled[keyword] = Ellipsis
        else:
            settled[keyword] = make_plain(
                value, maker.messages, node, batch_first=keyword == "shape"
            )
    return settled


def _shorten(value: object) -> object:
    """What the rule does not read, in words."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Unknown):
        return value.path or show(value.node)
    return name_kind(value)


def _settle_initial(keyword: str, value: object, messages: Messages) -> object:
    """True for what starts a parameter, a name for what is computed, None for none."""
    if value is None:
        return None
    if isinstance(value, Layer):
        return "another layer's output"
    if isinstance(value, Parameter):
        # Of a layer without biases this is None.
        return None if value.layer.arguments.get(value.name, True) is None else True
    if isinstance(value, Unknown):
        if value.symbolic and keyword.endswith("_init"):
            return "an expression"
        if value.path:
            # A class or function from elsewhere is there, whatever it is; a name that
            # nothing defines may be None.
            return (
                True
                if "." in value.path or value.kind == "import"
                else (messages.untold(value))
            )
        made = value.node.func if isinstance(value.node, ast.Call) else None
        is_known = value.kind == "call" and made is not None
        return True if is_known else messages.untold(value)
    return True


def make_plain(
    value: object, messages: Messages, node: ast.AST, *, batch_first: bool = False
) -> object:
    """Numbers, texts, tuples and lists of them; :class:`Untold` for the rest.

    Parameters
    ----------
    node : ast.AST
        Where a layer takes the value.
    batch_first : bool
        Whether it is a shape, whose first size may stay unknown; a size that only a
        Theano expression has, too.
    """
    left = _MOST_VALUES

    def settle_one(one: object) -> object:
        nonlocal left
        left -= 1
        if one is None or isinstance(one, (bool, int, float)):
            return one
        if isinstance(one, str) and len(one) <= _MOST_VALUES:
            return one
        if isinstance(one, (list, tuple, range)) and len(one) <= left:
            kind = list if isinstance(one, list) else tuple
            return kind(settle_one(part) for part in one)
        if isinstance(one, slice):
            return slice(*map(settle_one, (one.start, one.stop, one.step)))
        if isinstance(one, Unknown):
            return None if batch_first and one.symbolic else messages.untold(one)
        return Untold(
            getattr(node, "lineno", 0),
            messages.line(node),
            f"{name_kind(one)} is given, where a value is needed",
        )

    is_shape = batch_first and isinstance(value, (list, tuple)) and len(value) > 0
    if is_shape and isinstance(value[0], Unknown):  # type: ignore[index]
        value = [None, *value[1:]]  # type: ignore[index]
    return settle_one(value)
