"""Attributes of the values that a program holds: read and set."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from ..description import Shape
from ..errors import HandCalculationError
from ..read_lasagne import in_order
from .functions import METHODS
from .layers import read_shape
from .state import State
from .values import (
    Base,
    Call,
    Class,
    Function,
    Instance,
    Layer,
    Members,
    Method,
    Net,
    Parameter,
    Tags,
    Unknown,
)


class Attributes(State):
    """Reads and sets attributes."""

    def _get_attribute(self, value: object, name: str, node: ast.AST) -> object:
        if isinstance(value, Unknown):
            if not value.path:
                return replace(value, used=node)
            path = f"{value.path}.{name}"
            return self._patched.get(path, replace(value, path=path, used=node))
        if isinstance(value, Layer):
            return self._get_from_layer(value, name, node)
        if isinstance(value, Parameter):
            if name == "T":
                return replace(value, computed=True)
            return Method(value, name)
        if isinstance(value, Tags):
            return Method(value, name)
        if isinstance(value, Instance):
            if name in value.attributes:
                return value.attributes[name]
            if name == "__dict__":
                return Members(value)
            if value.doubt is not None:
                return replace(value.doubt, used=node)
            return self._get_member(value, value.made_by, name, node)
        if isinstance(value, Class):
            member = value.find(name)
            if name == "__name__":
                return value.name
            if isinstance(member, Function) and member.kind == "classmethod":
                return Method(value, name, member)
            return member if value.has(name) else Unknown(node, "unread")
        if isinstance(value, (Base, Members, Net)):
            return Method(value, name)
        if type(value) in METHODS:
            return Method(value, name)
        return Unknown(node, "unread")

    def _get_member(
        self, owner: Instance | Layer, made_by: Class, name: str, node: ast.AST
    ) -> object:
        member = made_by.find(name)
        if isinstance(member, Function):
            if member.kind == "property":
                return self._call_function(member, Call(node, [owner]))
            if member.kind == "staticmethod":
                return member
            first = made_by if member.kind == "classmethod" else owner
            return Method(first, name, member)
        return member if made_by.has(name) else Unknown(node, "unread")

    def _get_from_layer(self, layer: Layer, name: str, node: ast.AST) -> object:
        if name in layer.attributes:
            return layer.attributes[name]
        if layer.made_by is not None and layer.made_by.has(name):
            return self._get_member(layer, layer.made_by, name, node)
        if name in ("output_shape", "input_shape"):
            shown = layer if name == "output_shape" else next(iter(layer.feeding), None)
            return (
                Unknown(node, "unread")
                if shown is None
                else self._find_shape(shown, node)
            )
        if name == "params":
            return Tags(layer)
        if name in ("input_layer", "input_layers"):
            inputs = list(layer.inputs)
            return inputs if name == "input_layers" else next(iter(inputs), None)
        if name == "input_var":
            return Unknown(node, "call", symbolic=True)
        if name == "name":
            return layer.arguments.get("name")
        if _is_parameter(name):
            if layer.arguments.get(name, True) is None:
                return None
            return Parameter(layer, name)
        if name in layer.arguments:
            return layer.arguments[name]
        return Method(layer, name)

    def _set_attribute(
        self, owner: object, name: str, value: object, node: ast.AST
    ) -> None:
        made_by = owner.made_by if isinstance(owner, (Instance, Layer)) else None
        setter = made_by.find(f"{name}.setter") if made_by else None
        if isinstance(setter, Function):
            self._call_function(setter, Call(node, [owner, value]))
        elif isinstance(owner, Layer) and name == "name":
            owner.arguments["name"] = value
        elif isinstance(owner, (Instance, Layer)):
            owner.attributes[name] = value
        elif isinstance(owner, Class):
            owner.members[name] = value
        elif isinstance(owner, Net):
            owner.keywords[name] = value
        elif isinstance(owner, Unknown) and owner.path:
            self._patched[f"{owner.path}.{name}"] = value

    def _find_shape(self, layer: Layer, node: ast.AST) -> object:
        """The shape of a layer's output, by hand."""
        known = self._shapes
        for one in in_order(
            [layer], lambda one: [own for own in one.feeding if id(own) not in known]
        ):
            self._spend(20)
            shapes = [
                known[id(own)] if isinstance(own, Layer) else read_shape(own)
                for own in one.inputs
            ]
            known[id(one)] = self._calculate_shape(one, shapes)
        return known[id(layer)] or Unknown(node, "call")

    def _find_shapes(self, layers: object, node: ast.AST) -> object:
        """The same of a layer, or of each one in a list."""
        if isinstance(layers, Layer):
            return self._find_shape(layers, node)
        if isinstance(layers, (list, tuple)):
            return [self._find_shapes(one, node) for one in layers]
        return layers if isinstance(layers, Unknown) else Unknown(node, "unread")

    def _calculate_shape(
        self, layer: Layer, shapes: Sequence[Shape | None]
    ) -> Shape | None:
        from ..walk import attempt

        if layer.problems or layer.doubt or None in shapes:
            return None
        inputs = [shape for shape in shapes if shape is not None]
        network = self.maker.describe_alone(layer, inputs)
        try:
            table, refused = attempt(network)
        except (HandCalculationError, TypeError):
            return None
        return None if refused else table.rows[0].output_shape


def _is_parameter(name: str) -> bool:
    return name in ("W", "b", "beta", "gamma", "scales", "hid_init", "cell_init") or (
        name.startswith(("W_", "b_"))
    )
