"""Says where and why a program cannot be read without running it."""

from __future__ import annotations

import ast

from ..description import Untold
from .values import Class, Function, Instance, Layer, Method, Net, Partial, Unknown

_WIDTH = 60

REASONS = {
    "name": "{path} is not defined in this text",
    "import": "{path} comes from elsewhere",
    "parameter": "{text} is a parameter that no call gives a value",
    "arguments": "it depends on {text}",
    "call": "{text} must be run to know",
    "try": "it depends on whether this works: {text}",
    "test": "it depends on whether {text}",
    "loop": "it depends on the loop over {text}",
    "while": "it depends on how often {text}",
    "large": "{text} is too large",
    "deep": "{text} calls itself too often",
    "long": "the program takes too many steps up to here",
    "fails": "{text} fails: {detail}",
    "unread": "{text} is not followed here",
}


class Messages:
    """Texts about a program, of which it has the lines."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()

    def line(self, node: ast.AST) -> str:
        """The line where a node starts, cut to a width."""
        number = getattr(node, "lineno", 0)
        text = self._lines[number - 1] if 0 < number <= len(self._lines) else ""
        return _cut(text.partition("#")[0].strip() or text.strip())

    def place(self, node: ast.AST) -> str:
        """``line 12, num_units=n,``."""
        return f"line {getattr(node, 'lineno', 0)}, {self.line(node)}"

    def untold(self, value: Unknown, used: ast.AST | None = None) -> Untold:
        """What a reader is told of an unknown value."""
        place = value.used or used or value.node
        line, cause = getattr(place, "lineno", 0), getattr(value.node, "lineno", 0)
        why = REASONS[value.kind].format(
            path=value.path, text=show(value.node), detail=value.detail
        )
        return Untold(
            line, self.line(place), why if cause == line else f"{why} (line {cause})"
        )

    def about(self, node: ast.AST, problem: str) -> str:
        """``line 12, num_units=n,: problem``."""
        return f"{self.place(node)}: {problem}"


def show(node: ast.AST) -> str:
    """The text of a node, cut to a width."""
    if isinstance(node, ast.arg):
        return node.arg
    try:
        return _cut(" ".join(ast.unparse(node).split()))
    except (RecursionError, ValueError, AttributeError):
        return type(node).__name__.lower()


def name_kind(value: object) -> str:
    """What a value is, for a message."""
    kinds = {
        Layer: "a layer",
        Net: "a NeuralNet",
        Function: "a function",
        Method: "a method",
        Partial: "a function",
        Class: "a class",
        Instance: "an object",
        Unknown: "not known",
    }
    return kinds.get(type(value), f"a {type(value).__name__}")


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
